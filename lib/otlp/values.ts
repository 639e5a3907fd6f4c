import type { Plain } from './protobuf.ts';

/** Why a record cannot be stored; told per record in the answer. */
export class RecordFault extends Error {}

const MAX_VALUE_DEPTH = 32;
const MAX_NS = 9_223_372_036_854_775_807n;

/** Whether text can be stored and shown: well-formed Unicode without U+0000. */
export function checkText(text: unknown, what: string): string {
  if (text === undefined || text === null) return '';
  if (typeof text !== 'string') throw new RecordFault(`${what} is not text`);
  if (!text.isWellFormed()) throw new RecordFault(`${what} is not valid UTF-8`);
  if (text.includes('\u0000')) throw new RecordFault(`${what} contains U+0000`);
  return text;
}

/** The items of a repeated field. */
export function listOf(value: unknown, what: string): Plain[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw new RecordFault(`${what} is not a list`);
  return value.map((item) => objectOf(item, what));
}

/** A message; nothing is an empty one. */
export function objectOf(value: unknown, what: string): Plain {
  if (value === undefined || value === null) return {};
  if (typeof value !== 'object' || Array.isArray(value)) throw new RecordFault(`${what} is not an object`);
  return value as Plain;
}

/** Attributes as plain JSON; of a name given twice the last holds. */
export function attributesOf(value: unknown, depth = 0): Record<string, unknown> {
  const attributes: Record<string, unknown> = {};
  for (const pair of listOf(value, 'attributes')) {
    const key = checkText(pair['key'], 'an attribute’s name');
    // Defined, not assigned: a name such as __proto__ is a name like any other.
    Object.defineProperty(attributes, key, {
      value: jsonOf(pair['value'], depth + 1),
      enumerable: true,
      configurable: true,
      writable: true,
    });
  }
  return attributes;
}

/** An AnyValue as plain JSON: integers beyond 2^53 as decimal text, bytes as base64, NaN and infinities by name. */
export function jsonOf(value: unknown, depth = 0): unknown {
  if (depth > MAX_VALUE_DEPTH) throw new RecordFault(`a value is nested deeper than ${MAX_VALUE_DEPTH}`);
  const any = objectOf(value, 'a value');
  if (any['stringValue'] !== undefined) return checkText(any['stringValue'], 'a value');
  if (any['boolValue'] !== undefined) return any['boolValue'] === true;
  if (any['intValue'] !== undefined) return integerOf(any['intValue']);
  if (any['doubleValue'] !== undefined) {
    const number = numberOf(any['doubleValue'], 'a value');
    return Number.isFinite(number) ? number : String(number);
  }
  if (any['arrayValue'] !== undefined) {
    return listOf(objectOf(any['arrayValue'], 'an array')['values'], 'an array').map((item) => jsonOf(item, depth + 1));
  }
  if (any['kvlistValue'] !== undefined) return attributesOf(objectOf(any['kvlistValue'], 'a map')['values'], depth + 1);
  if (any['bytesValue'] !== undefined) return checkText(any['bytesValue'], 'a value');
  return null;
}

/**
 * A value that is plain JSON already, held to the same: depth, well-formed text, no U+0000.
 * @throws RecordFault
 */
export function jsonOfPlain(value: unknown, what: string, depth = 0): unknown {
  if (typeof value === 'string') return checkText(value, what);
  if (value === null || typeof value !== 'object') return value;
  if (depth >= MAX_VALUE_DEPTH) throw new RecordFault(`a value is nested deeper than ${MAX_VALUE_DEPTH}`);
  if (Array.isArray(value)) return value.map((item) => jsonOfPlain(item, what, depth + 1));
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => [
      checkText(name, 'an attribute’s name'),
      jsonOfPlain(item, what, depth + 1),
    ]),
  );
}

function integerOf(value: unknown): number | string {
  const integer = bigintOf(value, 'an integer value');
  const number = Number(integer);
  return Number.isSafeInteger(number) ? number : String(integer);
}

/** A 64-bit whole number, given as a number or as decimal text. */
export function bigintOf(value: unknown, what: string): bigint {
  if (typeof value === 'number' && Number.isInteger(value)) return BigInt(value);
  if (typeof value === 'string' && /^-?\d{1,20}$/.test(value)) return BigInt(value);
  throw new RecordFault(`${what} is not a whole number`);
}

/** A double; JSON names NaN and the infinities as text. */
export function numberOf(value: unknown, what: string): number {
  if (typeof value === 'number') return value;
  if (value === undefined || value === null) return 0;
  if (typeof value === 'string' && value !== '') {
    const number = Number(value);
    if (value === 'NaN' || !Number.isNaN(number)) return number;
  }
  throw new RecordFault(`${what} is not a number`);
}

/** Nanoseconds since 1970 as decimal text; null when absent or 0. */
export function nanosOf(value: unknown, what: string): string | null {
  if (value === undefined || value === null) return null;
  const nanos = bigintOf(value, what);
  if (nanos < 0n || nanos > MAX_NS) throw new RecordFault(`${what} is out of range`);
  return nanos === 0n ? null : String(nanos);
}

/** A trace or span id, lower-case hexadecimal; null when absent. All zeros or another length is a fault. */
export function idOf(value: unknown, bytes: number, what: string): string | null {
  if (value === undefined || value === null || value === '') return null;
  if (typeof value !== 'string' || value.length !== bytes * 2 || !/^[0-9a-f]+$/i.test(value)) {
    throw new RecordFault(`${what} does not have ${bytes} bytes`);
  }
  if (/^0+$/.test(value)) throw new RecordFault(`${what} is all zeros`);
  return value.toLowerCase();
}

/** An enum's number, 0 to `max`. */
export function enumOf(value: unknown, max: number, what: string): number {
  if (value === undefined || value === null) return 0;
  if (!Number.isInteger(value) || (value as number) < 0 || (value as number) > max) {
    throw new RecordFault(`${what} is not in 0 to ${max}`);
  }
  return value as number;
}
