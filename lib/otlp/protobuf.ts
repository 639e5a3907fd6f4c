import { isUtf8 } from 'node:buffer';
import { Reader, Writer } from 'protobufjs/minimal';
import type { FieldKind, Message } from './messages.ts';

/** A message as OTLP/JSON would show it: lowerCamelCase, ids hexadecimal, 64-bit numbers as decimal strings. */
export type Plain = Record<string, unknown>;

const MAX_DEPTH = 64;
/** Stands for text that is not UTF-8: no well-formed string equals it, and whoever checks a record finds it. */
export const MALFORMED = '\ud800';

interface LongLike {
  low: number;
  high: number;
}

const unsigned = (value: unknown): string => {
  const { low, high } = value as LongLike;
  return high === 0 ? String(low >>> 0) : String((BigInt(high >>> 0) << 32n) | BigInt(low >>> 0));
};
const signed = (value: unknown): string => {
  const { low, high } = value as LongLike;
  return String((BigInt(high) << 32n) | BigInt(low >>> 0));
};

/**
 * Reads one message; what the table does not name is skipped.
 * @param depth how deep it lies in what was sent
 * @throws Error when the bytes are cut off or nested beyond 64
 */
export function decodeMessage(bytes: Uint8Array, message: Message, depth = 0): Plain {
  return readMessage(Reader.create(bytes), message, bytes.length, depth);
}

function readMessage(reader: Reader, message: Message, end: number, depth: number): Plain {
  if (depth > MAX_DEPTH) throw new Error(`nested deeper than ${MAX_DEPTH}`);
  if (end > reader.len) throw new Error('a message is cut off');
  const plain: Plain = {};
  while (reader.pos < end) {
    const tag = reader.uint32();
    const wire = tag & 7;
    const field = message[tag >>> 3];
    if (!field || !fits(field[1], wire)) {
      reader.skipType(wire);
      continue;
    }
    const [name, kind] = field;
    if (Array.isArray(kind)) {
      listIn(plain, name).push(readMessage(reader, kind[0] as Message, endOf(reader), depth + 1));
    } else if (typeof kind === 'object') {
      plain[name] = readMessage(reader, kind as Message, endOf(reader), depth + 1);
    } else if (kind.endsWith('s')) {
      readPacked(reader, kind, wire, listIn(plain, name));
    } else plain[name] = READERS[kind as keyof typeof READERS](reader);
  }
  if (reader.pos !== end) throw new Error('a field runs over its message');
  return plain;
}

function listIn(plain: Plain, name: string): unknown[] {
  plain[name] ??= [];
  return plain[name] as unknown[];
}

function endOf(reader: Reader): number {
  const length = reader.uint32();
  return reader.pos + length;
}

const WIRE: Record<string, number> = {
  bool: 0,
  uint32: 0,
  sint32: 0,
  int64: 0,
  enum: 0,
  double: 1,
  fixed64: 1,
  sfixed64: 1,
  fixed32: 5,
};

/** Another wire type than the field's own is an unknown field, as protobuf has it. */
function fits(kind: FieldKind, wire: number): boolean {
  if (typeof kind === 'string' && kind.endsWith('s')) return wire === 2 || wire === (kind === 'uint64s' ? 0 : 1);
  return wire === (typeof kind === 'string' ? (WIRE[kind] ?? 2) : 2);
}

const READERS = {
  string: (reader: Reader) => {
    const bytes = reader.bytes() as Buffer;
    return isUtf8(bytes) ? Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString() : MALFORMED;
  },
  hex: (reader: Reader) => Buffer.from(reader.bytes()).toString('hex'),
  base64: (reader: Reader) => Buffer.from(reader.bytes()).toString('base64'),
  bool: (reader: Reader) => reader.bool(),
  double: (reader: Reader) => reader.double(),
  fixed32: (reader: Reader) => reader.fixed32(),
  fixed64: (reader: Reader) => unsigned(reader.fixed64()),
  sfixed64: (reader: Reader) => signed(reader.sfixed64()),
  uint32: (reader: Reader) => reader.uint32(),
  sint32: (reader: Reader) => reader.sint32(),
  int64: (reader: Reader) => signed(reader.int64()),
  enum: (reader: Reader) => reader.int32(),
};

const ITEMS: Record<string, (reader: Reader) => unknown> = {
  uint64s: (reader) => unsigned(reader.uint64()),
  fixed64s: (reader) => unsigned(reader.fixed64()),
  doubles: (reader) => reader.double(),
};

function readPacked(reader: Reader, kind: string, wire: number, list: unknown[]): void {
  const read = ITEMS[kind] as (reader: Reader) => unknown;
  if (wire !== 2) {
    list.push(read(reader));
    return;
  }
  const end = endOf(reader);
  if (end > reader.len) throw new Error('a list is cut off');
  while (reader.pos < end) list.push(read(reader));
}

/** `partial_success { rejected = 1, error_message = 2 }` in field 1: the same in all three answers; empty when all is well. */
export function encodeExportAnswer(rejected: number, message: string): Buffer {
  if (!rejected && !message) return Buffer.alloc(0);
  const writer = Writer.create().uint32(10).fork();
  if (rejected) writer.uint32(8).int64(rejected);
  if (message) writer.uint32(18).string(message);
  return Buffer.from(writer.ldelim().finish());
}

/** google.rpc.Status. */
export function encodeStatus(code: number, message: string): Buffer {
  return Buffer.from(Writer.create().uint32(8).int32(code).uint32(18).string(message).finish());
}
