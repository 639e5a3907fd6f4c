import { SCALARS } from '../../../../lib/graphql/scalars.ts';
import { AgentState } from '../../entity/enums.ts';
import type { Beat } from '../../service/beats.ts';
import type { ToldEvent } from '../../service/told.ts';

type Check = (value: unknown) => boolean;
/** The fields of an input type, each with what is plainly a value of it. */
type Shape = ReadonlyMap<string, Check>;

const LEAST_INT = -2_147_483_648;
const MOST_INT = 2_147_483_647;

const isText: Check = (value) => typeof value === 'string';
const isFlag: Check = (value) => typeof value === 'boolean';
const isFloat: Check = (value) => Number.isFinite(value);
const isSafeInt: Check = (value) => Number.isSafeInteger(value);
const isInt: Check = (value) => Number.isInteger(value) && Number(value) >= LEAST_INT && Number(value) <= MOST_INT;
const isAnything: Check = () => true;
const isState: Check = (value) => typeof value === 'string' && Object.hasOwn(AgentState, value);
const isListOf =
  (isOne: Check): Check =>
  (value) =>
    Array.isArray(value) && value.every(isOne);
const maybe =
  (check: Check): Check =>
  (value) =>
    value === null || check(value);

/** Whether a value has these fields alone, each of its kind, and all that must be there. */
function isOf(value: unknown, shape: Shape, required: readonly string[]): boolean {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  let found = 0;
  for (const name of Object.keys(value)) {
    const check = shape.get(name);
    if (!check?.((value as Record<string, unknown>)[name])) return false;
    if (required.includes(name)) found += 1;
  }
  return found === required.length;
}

const CHECK: Shape = new Map([
  ['name', isText],
  ['ok', isFlag],
  ['message', maybe(isText)],
]);
const STATS: Shape = new Map([
  ...['requests', 'errors', 'memoryBytes', 'inputTokens', 'outputTokens'].map(
    (name) => [name, maybe(isSafeInt)] as const,
  ),
  ...['latencyMs', 'cpu', 'costUsd'].map((name) => [name, maybe(isFloat)] as const),
  ['queue', maybe(isInt)],
]);
const EVENT: Shape = new Map([
  ['id', isText],
  ['occurredAt', isText],
  ['name', isText],
  ['detail', isAnything],
]);
const BEAT: Shape = new Map([
  ['agentId', isText],
  ['sequence', isSafeInt],
  ['state', isState],
  ['version', maybe(isText)],
  ['configVersion', maybe(isInt)],
  ['checks', maybe(isListOf((value) => isOf(value, CHECK, ['name', 'ok'])))],
  ['stats', maybe((value) => isOf(value, STATS, []))],
  ['events', maybe(isListOf((value) => isOf(value, EVENT, ['id', 'occurredAt', 'name'])))],
]);
const REQUIRED = ['agentId', 'sequence', 'state'];

/**
 * A beat as JSON has it, when it is plainly an `AgentBeatInput`; undefined when the schema has something to coerce or to refuse
 * in it, and is to say so itself.
 */
export function plainBeat(value: unknown): Beat | undefined {
  if (!isOf(value, BEAT, REQUIRED)) return undefined;
  const beat = value as Beat;
  if (!beat.events?.length) return beat;
  const events = readEvents(beat.events);
  return events && { ...beat, events };
}

/** The beats of an `AgentBeatsInput`; undefined when any of them is not plain. */
export function plainBeats(value: unknown): Beat[] | undefined {
  const isInput = typeof value === 'object' && value !== null && Object.keys(value).join() === 'beats';
  const list = isInput ? (value as { beats: unknown }).beats : undefined;
  if (!Array.isArray(list)) return undefined;
  const beats: Beat[] = [];
  for (const one of list) {
    const beat = plainBeat(one);
    if (!beat) return undefined;
    beats.push(beat);
  }
  return beats;
}

function readEvents(events: readonly ToldEvent[]): ToldEvent[] | undefined {
  try {
    return events.map(({ occurredAt, detail, ...event }) => ({
      ...event,
      occurredAt: SCALARS.DateTime.parseValue(occurredAt),
      ...(detail === undefined ? {} : { detail: detail === null ? null : SCALARS.JSON.parseValue(detail) }),
    }));
  } catch {
    return undefined;
  }
}
