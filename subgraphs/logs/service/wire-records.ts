import { decodeMessage, jsonOf, LOG_MESSAGES, RecordFault } from '../../../lib/otlp/index.ts';
import type { Suspects } from '../../../lib/redaction/index.ts';
import { endPlacedRow, type RowWriter } from '../../../lib/telemetry-store/index.ts';
import { MAX_TEXT, type Rows, severityOfText } from './records.ts';

/** What is read the long way: it is malformed, or of a form that is seldom seen. */
class Unusual extends Error {}

/** One for all: a stack for each would cost more than reading the record. */
const UNUSUAL = new Unusual();
/** JSON makes at most six characters of a byte: what is larger might be over a limit. */
const MAX_RECORD_BYTES = MAX_TEXT / 8;
const MAX_ATTRIBUTES = 64;
const INFO = 9;

/** Tags of what a record has: the field's number and its wire type. */
const TIME = 9;
const SEVERITY = 16;
const SEVERITY_TEXT = 26;
const BODY = 42;
const ATTRIBUTE = 50;
const TRACE = 74;
const SPAN = 82;
const OBSERVED = 89;
const EVENT_NAME = 98;
const KEY = 10;
const VALUE = 18;
const STRING = 10;
const BOOL = 16;
const INT = 24;
const DOUBLE = 33;

/** Where a field lies in the request; none when it begins at -1. */
interface Stretch {
  start: number;
  end: number;
}

const stretch = (): Stretch => ({ start: -1, end: -1 });

/** What is the same for all records of a scope, in RowBinary. */
export interface OriginBytes {
  /** service, agent, agent_name */
  before: Buffer;
  /** resource */
  after: Buffer;
}

/**
 * Writes LogRecords as rows straight from the bytes they came in: no object, no text is made of what is as it usually is.
 * Whatever is not is left to the way that checks everything, which says what is wrong with it.
 */
export class WireRecords {
  #at = 0;
  readonly #text = stretch();
  readonly #body = stretch();
  readonly #trace = stretch();
  readonly #span = stretch();
  #timeAt = -1;
  #observedAt = -1;
  #severity = 0;
  #attributes = 0;
  readonly #keyStart = new Int32Array(MAX_ATTRIBUTES);
  readonly #keyEnd = new Int32Array(MAX_ATTRIBUTES);
  readonly #valueStart = new Int32Array(MAX_ATTRIBUTES);
  readonly #valueEnd = new Int32Array(MAX_ATTRIBUTES);
  readonly #nowLow: number;
  readonly #nowHigh: number;
  readonly #latestLow: number;
  readonly #latestHigh: number;

  constructor(
    private readonly bytes: Buffer,
    private readonly writer: RowWriter,
    private readonly rows: Rows,
    private readonly suspects: Suspects,
  ) {
    [this.#nowLow, this.#nowHigh] = halvesOf(BigInt(rows.nowNs));
    [this.#latestLow, this.#latestHigh] = halvesOf(rows.latestNs);
  }

  /**
   * Writes the record that lies here.
   * @returns whether it says its time; undefined when it has to be read the long way: nothing is written then
   */
  write(start: number, end: number, origin: OriginBytes): boolean | undefined {
    try {
      if (end - start > MAX_RECORD_BYTES) return undefined;
      this.#scan(start, end);
      this.#write(origin, this.suspects.touch(start, end));
      return !this.#isZero(this.#timeAt);
    } catch (error) {
      if (error !== UNUSUAL && !(error instanceof RecordFault)) throw error;
      this.writer.dropRow();
      return undefined;
    }
  }

  #scan(start: number, end: number): void {
    const { bytes } = this;
    this.#timeAt = -1;
    this.#observedAt = -1;
    this.#severity = 0;
    this.#attributes = 0;
    for (const field of [this.#text, this.#body, this.#trace, this.#span]) field.start = -1;
    this.#at = start;
    while (this.#at < end) {
      const tag = bytes[this.#at] as number;
      this.#at += 1;
      if (tag === ATTRIBUTE) this.#attribute();
      else if (tag === BODY) this.#take(this.#body);
      else if (tag === TIME) this.#timeAt = this.#eight();
      else if (tag === OBSERVED) this.#observedAt = this.#eight();
      else if (tag === SEVERITY) {
        this.#severity = bytes[this.#at] as number;
        this.#at += 1;
        if (this.#severity > 24) throw UNUSUAL;
      } else if (tag === SEVERITY_TEXT) this.#take(this.#text);
      else if (tag === TRACE) this.#take(this.#trace);
      else if (tag === SPAN) this.#take(this.#span);
      else if (tag === EVENT_NAME) {
        if (this.#length() > 0) throw UNUSUAL;
      } else this.#skip(tag);
    }
    if (this.#at !== end) throw UNUSUAL;
  }

  #attribute(): void {
    const { bytes } = this;
    const index = this.#attributes;
    if (index === MAX_ATTRIBUTES) throw UNUSUAL;
    this.#attributes += 1;
    const length = this.#length();
    const end = this.#at + length;
    let [keyStart, keyEnd, valueStart, valueEnd] = [end, end, -1, -1];
    while (this.#at < end) {
      const tag = bytes[this.#at] as number;
      this.#at += 1;
      if (tag !== KEY && tag !== VALUE) {
        this.#skip(tag);
        continue;
      }
      const size = this.#length();
      if (tag === KEY) [keyStart, keyEnd] = [this.#at, this.#at + size];
      else [valueStart, valueEnd] = [this.#at, this.#at + size];
      this.#at += size;
    }
    if (this.#at !== end) throw UNUSUAL;
    const first = bytes[keyStart] as number;
    // A name that is a number goes before the others in an object.
    if (keyStart < keyEnd && first >= 0x30 && first <= 0x39) throw UNUSUAL;
    this.#keyStart[index] = keyStart;
    this.#keyEnd[index] = keyEnd;
    this.#valueStart[index] = valueStart;
    this.#valueEnd[index] = valueEnd;
    for (let other = 0; other < index; other += 1) if (this.#isSameKey(other, index)) throw UNUSUAL;
  }

  #isSameKey(a: number, b: number): boolean {
    const { bytes } = this;
    const from = this.#keyStart[a] as number;
    const length = (this.#keyEnd[a] as number) - from;
    const to = this.#keyStart[b] as number;
    if ((this.#keyEnd[b] as number) - to !== length) return false;
    for (let at = 0; at < length; at += 1) if (bytes[from + at] !== bytes[to + at]) return false;
    return true;
  }

  #write(origin: OriginBytes, isSuspect: boolean): void {
    const { writer } = this;
    this.#times();
    writer.u8(this.#severity || this.#severityOfText());
    if (this.#severity && this.#text.start >= 0) {
      // It is not kept, but a record with a malformed one is refused.
      const length = writer.length;
      if (!writer.textOf(this.bytes, this.#text.start, this.#text.end)) throw UNUSUAL;
      writer.length = length;
    }
    writer.raw(origin.before);
    this.#id(this.#trace, 16);
    this.#id(this.#span, 8);
    this.#writeBody(isSuspect);
    writer.varint(this.#attributes);
    for (let index = 0; index < this.#attributes; index += 1) {
      const [start, end] = [this.#keyStart[index] as number, this.#keyEnd[index] as number];
      if (!writer.textOf(this.bytes, start, end)) throw UNUSUAL;
      this.#value(index, isSuspect);
    }
    writer.raw(origin.after);
    endPlacedRow(writer);
  }

  #times(): void {
    const { bytes, writer } = this;
    let [low, high] = [this.#nowLow, this.#nowHigh];
    if (!this.#isZero(this.#observedAt)) {
      const [saidLow, saidHigh] = [word(bytes, this.#observedAt), word(bytes, this.#observedAt + 4)];
      if (saidHigh > 0x7fff_ffff) throw UNUSUAL;
      const isEarly = saidHigh < this.#latestHigh || (saidHigh === this.#latestHigh && saidLow <= this.#latestLow);
      if (isEarly) [low, high] = [saidLow, saidHigh];
    }
    if (this.#isZero(this.#timeAt)) writer.halves(low, high);
    else {
      const timeHigh = word(bytes, this.#timeAt + 4);
      if (timeHigh > 0x7fff_ffff) throw UNUSUAL;
      writer.halves(word(bytes, this.#timeAt), timeHigh);
    }
    writer.halves(low, high);
  }

  #severityOfText(): number {
    const { start, end } = this.#text;
    if (start < 0 || start === end) return INFO;
    const text = this.bytes.toString('latin1', start, end);
    if (!/^[a-zA-Z]{1,16}$/.test(text)) throw UNUSUAL;
    return severityOfText(text);
  }

  #id({ start, end }: Stretch, bytes: number): void {
    if (start < 0 || start === end) this.writer.u8(0);
    else if (end - start !== bytes || !this.writer.hexOf(this.bytes, start, end)) throw UNUSUAL;
  }

  #writeBody(isSuspect: boolean): void {
    const { bytes, writer } = this;
    const { start, end } = this.#body;
    if (start < 0 || start === end) {
      writer.u8(0);
      return;
    }
    const textStart = this.#textIn(start, end);
    if (textStart >= 0 && !(isSuspect && this.suspects.touch(start, end))) {
      if (!writer.textOf(bytes, textStart, end)) throw UNUSUAL;
      return;
    }
    const value = jsonOf(decodeMessage(bytes.subarray(start, end), LOG_MESSAGES.anyValue, 4));
    const text = typeof value === 'string' ? value : value === null ? '' : JSON.stringify(value);
    if (text.length > MAX_TEXT) throw UNUSUAL;
    writer.text(this.rows.redactor.text(text));
  }

  #value(index: number, isSuspect: boolean): void {
    const { bytes, writer } = this;
    const [start, end] = [this.#valueStart[index] as number, this.#valueEnd[index] as number];
    if (start < 0 || start === end) {
      writer.ascii('null');
      return;
    }
    const before = writer.length;
    if (!(isSuspect && this.#isSuspect(index, start, end)) && this.#plainValue(start, end)) return;
    writer.length = before;
    const value = jsonOf(decodeMessage(bytes.subarray(start, end), LOG_MESSAGES.anyValue, 5), 1);
    const name = bytes.toString('utf8', this.#keyStart[index], this.#keyEnd[index]);
    writer.text(JSON.stringify(isSuspect ? this.rows.redactor.value(value, name) : value));
  }

  #isSuspect(index: number, start: number, end: number): boolean {
    const { suspects } = this;
    return suspects.touch(start, end) || suspects.touch(this.#keyStart[index] as number, this.#keyEnd[index] as number);
  }

  /** Writes a value of one plain kind as JSON. @returns false when it is none; then nothing that counts is written */
  #plainValue(start: number, end: number): boolean {
    const { bytes, writer } = this;
    const tag = bytes[start] as number;
    if (tag === STRING) {
      const textStart = this.#textIn(start, end);
      return textStart >= 0 && writer.jsonTextOf(bytes, textStart, end);
    }
    if (tag === INT) {
      const value = this.#integer(start + 1, end);
      if (value >= 0) writer.ascii(String(value));
      return value >= 0;
    }
    if (tag === BOOL) {
      const isPlain = end - start === 2 && (bytes[start + 1] as number) <= 1;
      if (isPlain) writer.ascii(bytes[start + 1] === 1 ? 'true' : 'false');
      return isPlain;
    }
    if (tag !== DOUBLE || end - start !== 9) return false;
    const value = bytes.readDoubleLE(start + 1);
    if (Number.isFinite(value)) writer.ascii(JSON.stringify(value));
    return Number.isFinite(value);
  }

  /** Where the text of an AnyValue begins that is nothing but that text up to its end; -1 for another. */
  #textIn(start: number, end: number): number {
    if (this.bytes[start] !== STRING) return -1;
    const at = this.#at;
    this.#at = start + 1;
    const length = this.#length();
    const textStart = this.#at;
    this.#at = at;
    return textStart + length === end ? textStart : -1;
  }

  /** A varint that is the whole of a stretch, if it is positive and exact as a number; else -1. */
  #integer(start: number, end: number): number {
    if (end - start > 7 || end === start) return -1;
    let [value, scale] = [0, 1];
    for (let at = start; at < end; at += 1) {
      const byte = this.bytes[at] as number;
      if (byte < 0x80 !== (at === end - 1)) return -1;
      value += (byte & 0x7f) * scale;
      scale *= 128;
    }
    return value;
  }

  #take(field: Stretch): void {
    const length = this.#length();
    field.start = this.#at;
    this.#at += length;
    field.end = this.#at;
  }

  #eight(): number {
    this.#at += 8;
    return this.#at - 8;
  }

  #length(): number {
    const { bytes } = this;
    const first = bytes[this.#at] as number;
    this.#at += 1;
    if (first < 0x80) return first;
    let [value, shift] = [first & 0x7f, 7];
    for (; shift <= 21; shift += 7) {
      const byte = bytes[this.#at] as number;
      this.#at += 1;
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    throw UNUSUAL;
  }

  /** Steps over a field that is not known. */
  #skip(tag: number): void {
    const wire = tag & 7;
    if (tag > 0x7f) throw UNUSUAL;
    if (wire === 0) this.#length();
    else if (wire === 1) this.#at += 8;
    else if (wire === 2) {
      const length = this.#length();
      this.#at += length;
    } else if (wire === 5) this.#at += 4;
    else throw UNUSUAL;
  }

  #isZero(at: number): boolean {
    return at < 0 || (word(this.bytes, at) === 0 && word(this.bytes, at + 4) === 0);
  }
}

function word(bytes: Buffer, at: number): number {
  const [a, b] = [bytes[at] as number, bytes[at + 1] as number];
  return (a | (b << 8) | ((bytes[at + 2] as number) << 16) | ((bytes[at + 3] as number) << 24)) >>> 0;
}

function halvesOf(value: bigint): [low: number, high: number] {
  return [Number(value & 0xffffffffn), Number(value >> 32n)];
}
