import { randomBytes } from 'node:crypto';

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

/** When a uuid of version 7 was made, milliseconds since 1970; undefined for another. */
export function uuidMs(uuid: string): number | undefined {
  return uuid[14] === '7' ? Number.parseInt(uuid.slice(0, 8) + uuid.slice(9, 13), 16) : undefined;
}

/** Random digits are drawn many at a time: each draw is a call into the system's library. */
let digits = '';
let used = 0;
const DRAWN_BYTES = 8_192;

/** Random hexadecimal digits, at most 32. */
export function randomDigits(count: number): string {
  if (used + count > digits.length) {
    digits = randomBytes(DRAWN_BYTES).toString('hex');
    used = 0;
  }
  used += count;
  return digits.slice(used - count, used);
}

let lastMs = -1;
let lastTime = '';

/** As `uuidV7`, of now: put together from texts, because every request has one. */
function newUuid(): string {
  const ms = Date.now();
  if (ms !== lastMs) {
    lastMs = ms;
    const hex = ms.toString(16).padStart(12, '0');
    lastTime = `${hex.slice(0, 8)}-${hex.slice(8)}`;
  }
  const random = randomDigits(19);
  const variant = VARIANTS[Number.parseInt(random.charAt(3), 16) & 3];
  return `${lastTime}-7${random.slice(0, 3)}-${variant}${random.slice(4, 7)}-${random.slice(7)}`;
}

const VARIANTS = ['8', '9', 'a', 'b'] as const;

/** The machine's own clock and randomness. */
export const systemClock: Clock = {
  nowMs: () => Date.now(),
  uuid: newUuid,
  random: () => Math.random(),
};
