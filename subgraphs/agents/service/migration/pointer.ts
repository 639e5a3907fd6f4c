import { FleetError } from '../../../../lib/errors.ts';

/** A JSON object. */
export type Config = Record<string, unknown>;

const MAX_STEPS = 16;

/** @throws BAD_INPUT unless it is an RFC 6901 pointer of 1 to 16 steps */
export function stepsOf(pointer: string, field: readonly string[]): string[] {
  const isPointer = /^(\/([^/~]|~[01])+)+$/.test(pointer);
  const steps = pointer.split('/').slice(1);
  if (!isPointer || steps.length > MAX_STEPS) {
    throw new FleetError('BAD_INPUT', `a path is a JSON pointer of 1 to ${MAX_STEPS} names, such as /model/name`, {
      field: [...field],
    });
  }
  return steps.map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'));
}

export function pointerOf(steps: readonly string[]): string {
  return steps.map((step) => `/${step.replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
}

/** A migration would lose what is there: nothing was changed. */
export function loses(steps: readonly string[], why: string): never {
  const path = pointerOf(steps);
  throw new FleetError('CONFLICT', `${path}: ${why}`, { field: ['config', ...steps], path });
}

export function isObject(value: unknown): value is Config {
  return value !== null && typeof value === 'object' && !Array.isArray(value);
}

/** What is at a path; undefined when nothing is. */
export function read(config: Config, steps: readonly string[]): unknown {
  let value: unknown = config;
  for (const step of steps) {
    if (!isObject(value) || !Object.hasOwn(value, step)) return undefined;
    value = value[step];
  }
  return value;
}

/**
 * The config with a value at a path where nothing was; objects that are missing on the way are made.
 * @throws CONFLICT where something else is in the way, or an object is empty: `take` could not tell it from one that was made
 */
export function put(config: Config, steps: readonly string[], value: unknown, at = 0): Config {
  const step = steps[at] as string;
  const is = Object.hasOwn(config, step) ? config[step] : undefined;
  if (at === steps.length - 1) {
    if (is !== undefined) loses(steps, 'what is there would be overwritten');
    return { ...config, [step]: value };
  }
  const here = steps.slice(0, at + 1);
  if (is !== undefined && !isObject(is)) loses(here, 'it is no object, and would be overwritten');
  if (is !== undefined && !Object.keys(is).length) loses(here, 'an empty object would be lost on the way back');
  return { ...config, [step]: put((is as Config | undefined) ?? {}, steps, value, at + 1) };
}

/** The config without what is at a path, nor the objects that are empty then: the contrary of `put`. */
export function take(config: Config, steps: readonly string[]): Config {
  const [step, ...rest] = steps as [string, ...string[]];
  const { [step]: is, ...others } = config;
  if (!rest.length) return others;
  const left = take(is as Config, rest);
  return Object.keys(left).length ? { ...config, [step]: left } : others;
}

/** The config with another value where one is. */
export function replace(config: Config, steps: readonly string[], value: unknown): Config {
  const [step, ...rest] = steps as [string, ...string[]];
  return { ...config, [step]: rest.length ? replace(config[step] as Config, rest, value) : value };
}
