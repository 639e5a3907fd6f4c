import { randomFillSync } from 'node:crypto';

/** Where rules get time and identity from; tests and simulations pass their own. */
export interface Clock {
  /** Milliseconds since 1970. */
  nowMs(): number;
  /** A new uuid, version 7: its first 48 bits are the time. */
  uuid(): string;
  /** A number in [0, 1). */
  random(): number;
}

/** A uuid version 7 (RFC 9562) of this time and these ten random bytes. */
export function uuidV7(ms: number, random: Uint8Array): string {
  const bytes = Buffer.alloc(16);
  bytes.writeUIntBE(ms, 0, 6);
  bytes.set(random.subarray(0, 10), 6);
  bytes[6] = ((bytes[6] as number) & 0x0f) | 0x70;
  bytes[8] = ((bytes[8] as number) & 0x3f) | 0x80;
  const hex = bytes.toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

/** Random bytes are drawn many at a time: each draw is a call into the system's library. */
const pool = Buffer.alloc(8_190);
let used = pool.length;

function tenRandomBytes(): Uint8Array {
  if (used === pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  used += 10;
  return pool.subarray(used - 10, used);
}

/** The machine's own clock and randomness. */
export const systemClock: Clock = {
  nowMs: () => Date.now(),
  uuid: () => uuidV7(Date.now(), tenRandomBytes()),
  random: () => Math.random(),
};
