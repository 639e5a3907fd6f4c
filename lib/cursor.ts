import { createHmac, timingSafeEqual } from 'node:crypto';
import { FleetError } from './errors.ts';

const MAC_BYTES = 12;

/** Seals positions into opaque cursors that nobody can forge or use on another list. */
export class CursorSealer {
  /** @param keys the current key first, then those still accepted while keys rotate */
  constructor(private readonly keys: readonly Buffer[]) {}

  /** @param list what it is a cursor of: a foreign cursor is refused */
  seal(list: string, position: readonly unknown[]): string {
    const text = Buffer.from(JSON.stringify(position));
    return Buffer.concat([this.#mac(this.keys[0] as Buffer, list, text), text]).toString('base64url');
  }

  /** @throws BAD_CURSOR when it was forged, altered, or belongs to another list */
  open(list: string, cursor: string): unknown[] {
    const bytes = Buffer.from(cursor, 'base64url');
    const [mac, text] = [bytes.subarray(0, MAC_BYTES), bytes.subarray(MAC_BYTES)];
    const genuine =
      mac.length === MAC_BYTES && this.keys.some((key) => timingSafeEqual(mac, this.#mac(key, list, text)));
    if (!genuine) throw new FleetError('BAD_CURSOR', 'this cursor is not one of this list: start without it');
    return JSON.parse(text.toString()) as unknown[];
  }

  #mac(key: Buffer, list: string, text: Buffer): Buffer {
    return createHmac('sha256', key).update(`${list}\n`).update(text).digest().subarray(0, MAC_BYTES);
  }
}
