import type { Segment } from '../plan/steps.ts';
import type { Supergraph } from '../supergraph/supergraph.ts';
import { type AnswerPath, isJsonObject, type Json, type JsonObject } from './json.ts';

type Satisfies = Supergraph['satisfies'];

/** Told of each entity a path leads to; `way` is where it is, and changes afterwards. */
type Visit = (entity: JsonObject, way: (string | number)[]) => void;

/** No type is a list of so many lists: what nests deeper would only exhaust the stack. */
export const MAX_LISTS = 32;

/** All entities a path leads to, through lists of lists, past nulls and objects of other types. */
export function entitiesAt(root: JsonObject, path: readonly Segment[], satisfies: Satisfies): JsonObject[] {
  const entities: JsonObject[] = [];
  collect(root, path, 0, satisfies, entities, 0);
  return entities;
}

/**
 * Where in the data these entities are, through these paths. Found out only when something has to be told about them: to
 * remember the way to each would cost every answer what only a failed one needs.
 */
export function pathsTo(
  root: JsonObject,
  paths: readonly (readonly Segment[])[],
  wanted: ReadonlySet<JsonObject>,
  satisfies: Satisfies,
): Map<JsonObject, AnswerPath[]> {
  const found = new Map<JsonObject, AnswerPath[]>();
  for (const path of paths) {
    visit(root, path, 0, satisfies, [], (entity, way) => {
      if (!wanted.has(entity)) return;
      const ways = found.get(entity);
      if (ways) ways.push([...way]);
      else found.set(entity, [[...way]]);
    });
  }
  return found;
}

function collect(
  value: Json | undefined,
  path: readonly Segment[],
  from: number,
  satisfies: Satisfies,
  into: JsonObject[],
  lists: number,
): void {
  if (Array.isArray(value)) {
    if (lists === MAX_LISTS) return;
    // Only the last `@` of a path through lists of lists is sure to be there, so every list is walked as it is met.
    const next = path[from] === 'each' ? from + 1 : from;
    for (let index = 0; index < value.length; index++) collect(value[index], path, next, satisfies, into, lists + 1);
    return;
  }
  if (!isJsonObject(value)) return;
  let at = from;
  // A list that turned out to be one level shallower than the plan says.
  while (path[at] === 'each') at += 1;
  const segment = path[at] as Exclude<Segment, 'each'> | undefined;
  if (segment === undefined) into.push(value);
  else if (!('types' in segment)) collect(value[segment.key], path, at + 1, satisfies, into, 0);
  else if (isOneOf(value, segment.types, satisfies)) collect(value, path, at + 1, satisfies, into, 0);
}

function visit(
  value: Json | undefined,
  path: readonly Segment[],
  from: number,
  satisfies: Satisfies,
  way: (string | number)[],
  told: Visit,
  lists = 0,
): void {
  const below = (part: Json | undefined, key: string | number, next: number) => {
    way.push(key);
    visit(part, path, next, satisfies, way, told, typeof key === 'number' ? lists + 1 : 0);
    way.pop();
  };
  if (Array.isArray(value)) {
    if (lists === MAX_LISTS) return;
    const next = path[from] === 'each' ? from + 1 : from;
    for (let index = 0; index < value.length; index++) below(value[index], index, next);
    return;
  }
  if (!isJsonObject(value)) return;
  let at = from;
  while (path[at] === 'each') at += 1;
  const segment = path[at] as Exclude<Segment, 'each'> | undefined;
  if (segment === undefined) told(value, way);
  else if (!('types' in segment)) below(value[segment.key], segment.key, at + 1);
  else if (isOneOf(value, segment.types, satisfies)) visit(value, path, at + 1, satisfies, way, told);
}

function isOneOf(value: JsonObject, types: readonly string[], satisfies: Satisfies): boolean {
  const type = value['__typename'];
  if (typeof type !== 'string') return false;
  for (const each of types) if (satisfies(type, each)) return true;
  return false;
}
