import { canonicalJson } from '../../../../lib/write/canonical.ts';
import { inverseOf, type Operation, type Scalar } from './operations.ts';
import { type Config, isObject, loses, put, read, replace, take } from './pointer.ts';

/**
 * A configuration of the older version as the newer one has it. What it gives, `migrateDown` takes back exactly.
 * @throws CONFLICT with the path of what would be lost
 */
export function migrateUp(config: Config, operations: readonly Operation[]): Config {
  return operations.reduce(apply, config);
}

/**
 * A configuration of the newer version as the older one has it.
 * @throws CONFLICT with the path of what would be lost
 */
export function migrateDown(config: Config, operations: readonly Operation[]): Config {
  return [...operations].reverse().map(inverseOf).reduce(apply, config);
}

/**
 * Each operation maps what it takes one to one, so that its inverse is exact; everything else it refuses. Source: bidirectional
 * lenses (Foster et al. 2007), as Ink & Switch's Cambria uses them for schemas, here without a complement.
 */
function apply(config: Config, operation: Operation): Config {
  if (operation.kind === 'move') return move(config, operation.from, operation.to);
  if (operation.kind === 'add') return put(config, operation.path, operation.value);
  const { path } = operation;
  const value = read(config, path);
  if (operation.kind === 'remove') {
    // Absent is another thing than the value: its way back would make it up.
    if (value === undefined) loses(path, 'it is not set, and would be on the way back');
    if (canonicalJson(value) !== canonicalJson(operation.value)) loses(path, 'its value would be lost');
    return take(config, path);
  }
  if (value === undefined) return config;
  return replace(config, path, changed(value, operation, path));
}

function changed(
  value: unknown,
  operation: Exclude<Operation, { kind: 'move' | 'add' | 'remove' }>,
  path: readonly string[],
): unknown {
  switch (operation.kind) {
    case 'map':
      return mapped(value, operation.pairs, path);
    case 'wrap':
      return operation.name === undefined ? [value] : { [operation.name]: value };
    case 'unwrap':
      return unwrapped(value, operation.name, path);
    case 'convert':
      return converted(value, operation.from, operation.to, path);
    case 'scale':
      return scaled(
        value,
        path,
        (number) => number * operation.factor,
        (number) => number / operation.factor,
      );
    case 'unscale':
      return scaled(
        value,
        path,
        (number) => number / operation.factor,
        (number) => number * operation.factor,
      );
  }
}

function move(config: Config, from: readonly string[], to: readonly string[]): Config {
  const value = read(config, from);
  if (value === undefined) {
    if (read(config, to) !== undefined) loses(to, `it would go to ${from.join('/')} on the way back`);
    return config;
  }
  return put(take(config, from), to, value);
}

function mapped(value: unknown, pairs: readonly [unknown, unknown][], path: readonly string[]): unknown {
  const is = canonicalJson(value);
  const pair = pairs.find(([from]) => canonicalJson(from) === is);
  if (pair) return pair[1];
  if (pairs.some(([, to]) => canonicalJson(to) === is)) loses(path, `${is} would be another value on the way back`);
  return value;
}

function unwrapped(value: unknown, name: string | undefined, path: readonly string[]): unknown {
  if (name === undefined) {
    if (!Array.isArray(value) || value.length !== 1) loses(path, 'only a list of one can be unwrapped');
    return (value as unknown[])[0];
  }
  if (!isObject(value) || !Object.hasOwn(value, name)) loses(path, `there is no ${name} in it`);
  const other = Object.keys(value as Config).find((key) => key !== name);
  if (other !== undefined) loses([...path, other], 'it would be lost when its object is unwrapped');
  return (value as Config)[name];
}

const READ: Record<Scalar, (value: unknown) => unknown> = {
  string: String,
  number: Number,
  boolean: (value) => value === 'true' || value === 1,
};

function converted(value: unknown, from: Scalar, to: Scalar, path: readonly string[]): unknown {
  if (typeof value !== from) loses(path, `it is no ${from}`);
  const result = READ[to](value);
  // Only what comes back the same, to the sign of zero, may go.
  if (!Object.is(READ[from](result), value)) loses(path, `it cannot be told as a ${to} and back`);
  return result;
}

function scaled(
  value: unknown,
  path: readonly string[],
  there: (number: number) => number,
  back: (number: number) => number,
): number {
  if (typeof value !== 'number') loses(path, 'it is no number');
  const result = there(value as number);
  if (!Number.isFinite(result) || !Object.is(back(result), value)) loses(path, 'it cannot be scaled and back exactly');
  return result;
}
