import { isUtf8 } from 'node:buffer';

/** What bytes a text had, as bits. */
export const HAS_NUL = 1;
/** What JSON must escape: a quote, a backslash, a control character. */
export const HAS_ESCAPED = 2;
export const HAS_HIGH = 4;

const KINDS = Uint8Array.from({ length: 256 }, (_, byte) => {
  if (byte === 0) return HAS_NUL | HAS_ESCAPED;
  if (byte < 0x20 || byte === 0x22 || byte === 0x5c) return HAS_ESCAPED;
  return byte > 0x7f ? HAS_HIGH : 0;
});
const HEX = Uint8Array.from(Buffer.from('0123456789abcdef'));
const QUOTE = 0x22;
const FIRST_BYTES = 256 * 1024;
/** A scratch larger than this is not kept for the next request, bytes. */
const KEPT_BYTES = 16 * 1024 * 1024;

/** More than a writer may hold. */
export class RowsTooLarge extends Error {}

/** Rows of one request in ClickHouse's RowBinary. */
export interface RowBlock {
  bytes: Buffer;
  /** Where each row ends. */
  ends: Uint32Array;
}

/**
 * Writes rows in ClickHouse's RowBinary (https://clickhouse.com/docs/interfaces/formats/RowBinary): numbers little-endian,
 * texts behind their length as LEB128, maps behind their count. One scratch serves request after request.
 */
export class RowWriter {
  length = 0;
  #bytes: Buffer = Buffer.allocUnsafeSlow(FIRST_BYTES);
  #ends = new Uint32Array(4_096);
  #rows = 0;

  /** @param maxBytes of one block */
  constructor(private readonly maxBytes: number) {}

  get rows(): number {
    return this.#rows;
  }

  /**
   * Makes room, so that what is written next fits.
   * @throws RowsTooLarge
   */
  reserve(bytes: number): void {
    if (this.length + bytes <= this.#bytes.length) return;
    if (this.length + bytes > this.maxBytes) throw new RowsTooLarge();
    const grown = Buffer.allocUnsafeSlow(
      Math.min(this.maxBytes, Math.max(this.length + bytes, this.#bytes.length * 2)),
    );
    this.#bytes.copy(grown, 0, 0, this.length);
    this.#bytes = grown;
  }

  u8(value: number): void {
    this.reserve(1);
    this.#bytes[this.length] = value;
    this.length += 1;
  }

  u32(value: number): void {
    this.reserve(4);
    const [bytes, at] = [this.#bytes, this.length];
    bytes[at] = value;
    bytes[at + 1] = value >>> 8;
    bytes[at + 2] = value >>> 16;
    bytes[at + 3] = value >>> 24;
    this.length = at + 4;
  }

  u64(value: bigint): void {
    this.reserve(8);
    this.length = this.#bytes.writeBigUInt64LE(value, this.length);
  }

  /** A 64-bit number in two halves, each 0 to 2^32 - 1 or the same bits signed. */
  halves(low: number, high: number): void {
    this.u32(low);
    this.u32(high);
  }

  /** Bytes as they are. */
  raw(source: Uint8Array): void {
    this.reserve(source.length);
    this.#bytes.set(source, this.length);
    this.length += source.length;
  }

  varint(value: number): void {
    this.reserve(5);
    const bytes = this.#bytes;
    let rest = value;
    while (rest > 0x7f) {
      bytes[this.length] = (rest & 0x7f) | 0x80;
      this.length += 1;
      rest >>>= 7;
    }
    bytes[this.length] = rest;
    this.length += 1;
  }

  text(text: string): void {
    const size = Buffer.byteLength(text);
    this.varint(size);
    this.reserve(size);
    this.length += this.#bytes.write(text, this.length);
  }

  /** A text of ASCII alone, which costs no measuring. */
  ascii(text: string): void {
    this.varint(text.length);
    this.reserve(text.length);
    for (let at = 0; at < text.length; at += 1) this.#bytes[this.length + at] = text.charCodeAt(at);
    this.length += text.length;
  }

  /** A text that lies in a request. @returns whether it is UTF-8 without U+0000; if not, what was written is no text */
  textOf(source: Buffer, start: number, end: number): boolean {
    this.varint(end - start);
    const kinds = this.#copy(source, start, end);
    return (kinds & HAS_NUL) === 0 && ((kinds & HAS_HIGH) === 0 || isUtf8(source.subarray(start, end)));
  }

  /** The same as JSON text. False also for one that has to be escaped: nothing useful was written then. */
  jsonTextOf(source: Buffer, start: number, end: number): boolean {
    this.varint(end - start + 2);
    this.u8(QUOTE);
    const kinds = this.#copy(source, start, end);
    this.u8(QUOTE);
    return (kinds & HAS_ESCAPED) === 0 && ((kinds & HAS_HIGH) === 0 || isUtf8(source.subarray(start, end)));
  }

  /** Bytes as lower-case hexadecimal text. @returns whether any of them is not zero */
  hexOf(source: Buffer, start: number, end: number): boolean {
    this.varint((end - start) * 2);
    this.reserve((end - start) * 2);
    const bytes = this.#bytes;
    let [to, any] = [this.length, 0];
    for (let from = start; from < end; from += 1) {
      const byte = source[from] as number;
      bytes[to] = HEX[byte >> 4] as number;
      bytes[to + 1] = HEX[byte & 15] as number;
      any |= byte;
      to += 2;
    }
    this.length = to;
    return any !== 0;
  }

  /** The row is whole; what is written next is another's. */
  endRow(): void {
    if (this.#rows === this.#ends.length) {
      const grown = new Uint32Array(this.#ends.length * 2);
      grown.set(this.#ends);
      this.#ends = grown;
    }
    this.#ends[this.#rows] = this.length;
    this.#rows += 1;
  }

  /** Takes back what was written of a row that is not to be. */
  dropRow(): void {
    this.length = this.#rows ? (this.#ends[this.#rows - 1] as number) : 0;
  }

  /** The rows, and the writer is empty again. */
  take(): RowBlock {
    const bytes = Buffer.allocUnsafeSlow(this.length);
    this.#bytes.copy(bytes, 0, 0, this.length);
    const block = { bytes, ends: this.#ends.slice(0, this.#rows) };
    this.clear();
    return block;
  }

  /** Forgets the rows. */
  clear(): void {
    this.length = 0;
    this.#rows = 0;
    if (this.#bytes.length > KEPT_BYTES) this.#bytes = Buffer.allocUnsafeSlow(FIRST_BYTES);
  }

  #copy(source: Buffer, start: number, end: number): number {
    this.reserve(end - start);
    const bytes = this.#bytes;
    let [to, kinds] = [this.length, 0];
    for (let from = start; from < end; from += 1) {
      const byte = source[from] as number;
      bytes[to] = byte;
      kinds |= KINDS[byte] as number;
      to += 1;
    }
    this.length = to;
    return kinds;
  }
}

/** A count as RowBinary has it. */
export function leb128(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 0x7f; rest >>>= 7) bytes.push((rest & 0x7f) | 0x80);
  return Buffer.from([...bytes, rest]);
}

/** Reads what a RowWriter wrote. */
export class RowReader {
  constructor(
    private readonly bytes: Buffer,
    private position = 0,
  ) {}

  u8(): number {
    this.position += 1;
    return this.bytes[this.position - 1] as number;
  }

  u64(): bigint {
    this.position += 8;
    return this.bytes.readBigUInt64LE(this.position - 8);
  }

  varint(): number {
    let [value, shift] = [0, 0];
    for (;;) {
      const byte = this.u8();
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value >>> 0;
      shift += 7;
    }
  }

  text(): string {
    const size = this.varint();
    this.position += size;
    return this.bytes.toString('utf8', this.position - size, this.position);
  }
}
