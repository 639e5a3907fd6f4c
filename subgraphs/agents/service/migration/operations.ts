import { FleetError } from '../../../../lib/errors.ts';
import { canonicalJson } from '../../../../lib/write/canonical.ts';
import { type ConfigOperation, ConfigOperationKind } from '../../entity/config-operation.ts';
import { pointerOf, stepsOf } from './pointer.ts';

export type Scalar = 'string' | 'number' | 'boolean';

/** A step with its inverse: a partial bijection of configurations, refused wherever it would lose something. */
export type Operation =
  | { kind: 'move'; from: string[]; to: string[] }
  | { kind: 'add'; path: string[]; value: unknown }
  | { kind: 'remove'; path: string[]; value: unknown }
  | { kind: 'map'; path: string[]; pairs: [unknown, unknown][] }
  | { kind: 'wrap' | 'unwrap'; path: string[]; name: string | undefined }
  | { kind: 'convert'; path: string[]; from: Scalar; to: Scalar }
  | { kind: 'scale' | 'unscale'; path: string[]; factor: number };

const MAX_OPERATIONS = 100;
const MAX_PAIRS = 100;
const SCALARS: readonly string[] = ['string', 'number', 'boolean'] satisfies Scalar[];

/** @throws BAD_INPUT with the field that is wrong */
export function readOperations(given: readonly ConfigOperation[]): Operation[] {
  if (given.length > MAX_OPERATIONS) refuse(`at most ${MAX_OPERATIONS} operations`, ['operations']);
  return given.map((each, at) => readOperation(each, ['operations', String(at)]));
}

function readOperation(given: ConfigOperation, at: readonly string[]): Operation {
  const path = stepsOf(given.path, [...at, 'path']);
  switch (given.kind) {
    case ConfigOperationKind.RENAME:
      return moveOf(path, [...path.slice(0, -1), nameOf(given, at)], [...at, 'name']);
    case ConfigOperationKind.MOVE:
      return moveOf(path, stepsOf(given.to ?? '', [...at, 'to']), [...at, 'to']);
    case ConfigOperationKind.SET_DEFAULT:
      return { kind: 'add', path, value: givenValue(given, at) };
    case ConfigOperationKind.REMOVE:
      return { kind: 'remove', path, value: givenValue(given, at) };
    case ConfigOperationKind.MAP_VALUES:
      return { kind: 'map', path, pairs: pairsOf(given, at) };
    case ConfigOperationKind.WRAP:
      return { kind: 'wrap', path, name: given.name == null ? undefined : nameOf(given, at) };
    case ConfigOperationKind.UNWRAP:
      return { kind: 'unwrap', path, name: given.name == null ? undefined : nameOf(given, at) };
    case ConfigOperationKind.CONVERT:
      return conversionOf(path, given, at);
    case ConfigOperationKind.SCALE:
      if (!given.factor || !Number.isFinite(given.factor))
        refuse('a factor is a number other than 0', [...at, 'factor']);
      return { kind: 'scale', path, factor: given.factor as number };
  }
}

function moveOf(from: string[], to: string[], field: string[]): Operation {
  const [one, other] = [pointerOf(from), pointerOf(to)];
  if (`${one}/`.startsWith(`${other}/`) || `${other}/`.startsWith(`${one}/`)) {
    refuse(`${one} cannot move to ${other}: one is inside the other`, field);
  }
  return { kind: 'move', from, to };
}

function conversionOf(path: string[], { type, fromType }: ConfigOperation, at: readonly string[]): Operation {
  if (!SCALARS.includes(type ?? '')) refuse('a type is string, number or boolean', [...at, 'type']);
  if (!SCALARS.includes(fromType ?? '') || fromType === type) {
    refuse('say which other type it has before: string, number or boolean', [...at, 'fromType']);
  }
  return { kind: 'convert', path, from: fromType as Scalar, to: type as Scalar };
}

function pairsOf({ values }: ConfigOperation, at: readonly string[]): [unknown, unknown][] {
  const pairs = (values ?? []).map(({ from, to }): [unknown, unknown] => [from, to]);
  if (!pairs.length || pairs.length > MAX_PAIRS) refuse(`1 to ${MAX_PAIRS} pairs of values`, [...at, 'values']);
  for (const side of [0, 1] as const) {
    if (new Set(pairs.map((pair) => canonicalJson(pair[side]))).size < pairs.length) {
      refuse('two values would become one, or one two: it could not be taken back', [...at, 'values']);
    }
  }
  return pairs;
}

function nameOf({ name }: ConfigOperation, at: readonly string[]): string {
  if (!name) refuse('a name is at least one character', [...at, 'name']);
  return name as string;
}

function givenValue({ value }: ConfigOperation, at: readonly string[]): unknown {
  if (value === undefined) refuse('say which value, null too', [...at, 'value']);
  return value;
}

function refuse(sentence: string, field: readonly string[]): never {
  throw new FleetError('BAD_INPUT', sentence, { field: [...field] });
}

/** What takes an operation back. */
export function inverseOf(operation: Operation): Operation {
  switch (operation.kind) {
    case 'move':
      return { kind: 'move', from: operation.to, to: operation.from };
    case 'add':
      return { ...operation, kind: 'remove' };
    case 'remove':
      return { ...operation, kind: 'add' };
    case 'map':
      return { ...operation, pairs: operation.pairs.map(([from, to]) => [to, from]) };
    case 'wrap':
      return { ...operation, kind: 'unwrap' };
    case 'unwrap':
      return { ...operation, kind: 'wrap' };
    case 'convert':
      return { ...operation, from: operation.to, to: operation.from };
    case 'scale':
      return { ...operation, kind: 'unscale' };
    case 'unscale':
      return { ...operation, kind: 'scale' };
  }
}
