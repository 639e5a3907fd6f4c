import type { RequiresSelection } from '@graphql-hive/router-query-planner';
import type { EntityGroup, Segment } from '../plan/steps.ts';
import type { KeyFields, Supergraph } from '../supergraph/supergraph.ts';
import { type AnswerPath, copyOf, isJsonObject, type Json, type JsonObject, joinInto } from './json.ts';
import { rewrite } from './rewrites.ts';

/** The way to a place, shared between places that have its start in common. */
interface Way {
  before: Way | undefined;
  key: string | number;
}

/** An entity in the data so far. */
export interface Place {
  entity: JsonObject;
  way: Way | undefined;
}

/** The path of a place, written out. */
export function pathOf(place: Place): AnswerPath {
  const path: (string | number)[] = [];
  for (let way = place.way; way; way = way.before) path.push(way.key);
  return path.reverse();
}

type Satisfies = Supergraph['satisfies'];

/** All entities a path leads to, through lists of lists, past nulls and objects of other types. */
export function placesAt(root: JsonObject, path: readonly Segment[], satisfies: Satisfies): Place[] {
  const places: Place[] = [];
  const walk = (value: Json | undefined, at: number, way: Way | undefined): void => {
    if (Array.isArray(value)) {
      // Only the last `@` of a path through lists of lists is sure to be there, so every list is walked as it is met.
      const next = path[at] === 'each' ? at + 1 : at;
      for (let index = 0; index < value.length; index++) walk(value[index], next, { before: way, key: index });
      return;
    }
    if (!isJsonObject(value)) return;
    let segment = path[at];
    let step = at;
    // A list that turned out to be one level shallower than the plan says.
    while (segment === 'each') segment = path[++step];
    if (segment === undefined) {
      places.push({ entity: value, way });
    } else if ('types' in segment) {
      const type = value['__typename'];
      if (typeof type === 'string' && segment.types.some((each) => satisfies(type, each))) walk(value, step + 1, way);
    } else {
      walk(value[segment.key], step + 1, { before: way, key: segment.key });
    }
  };
  walk(root, 0, undefined);
  return places;
}

/** What one `_entities` list asks for, and where its answers belong. */
export interface Representations {
  group: EntityGroup;
  list: JsonObject[];
  /** For each representation, all places that wait for it. */
  waiting: Place[][];
}

/** Collects a group's entities; equal ones are asked for once. An entity without its key is left out and stays as it is. */
export function represent(
  root: JsonObject,
  group: EntityGroup,
  subgraph: string,
  supergraph: Pick<Supergraph, 'satisfies' | 'keysOf'>,
): Representations {
  const { satisfies } = supergraph;
  const found = new Map<string, number>();
  const collected: Representations = { group, list: [], waiting: [] };
  for (const path of group.paths) {
    for (const place of placesAt(root, path, satisfies)) {
      const type = place.entity['__typename'];
      if (typeof type !== 'string') continue;
      const representation = required(group.requires, place.entity, satisfies);
      if (!representation) continue;
      representation['__typename'] ??= type;
      for (const input of group.inputs) rewrite(representation, input, satisfies);
      if (!isIdentified(representation, supergraph.keysOf(subgraph, String(representation['__typename'])))) continue;
      const identity = JSON.stringify(representation);
      const index = found.get(identity);
      if (index === undefined) {
        found.set(identity, collected.list.length);
        collected.list.push(representation);
        collected.waiting.push([place]);
      } else {
        collected.waiting[index]?.push(place);
      }
    }
  }
  return collected;
}

/** What of an entity a subgraph needs; undefined when something is missing, so that it cannot be asked. */
function required(
  selections: readonly RequiresSelection[],
  entity: JsonObject,
  satisfies: Satisfies,
): JsonObject | undefined {
  const result: JsonObject = {};
  let isComplete = true;
  const collect = (each: readonly RequiresSelection[]): void => {
    for (const selection of each) {
      if (selection.kind === 'Field') {
        const key = selection.alias ?? selection.name;
        // One entity list may serve places where the field went under an alias and places where it did not.
        const value = selection.name in entity ? entity[selection.name] : entity[key];
        const part = partOf(value, selection.selections, satisfies);
        if (part === undefined) isComplete = false;
        else result[key] = part;
      } else if (selection.kind === 'InlineFragment') {
        const type = entity['__typename'];
        if (typeof type !== 'string' || satisfies(type, selection.typeCondition)) collect(selection.selections);
      }
    }
  };
  collect(selections);
  return isComplete && Object.keys(result).length > 0 ? result : undefined;
}

function partOf(
  value: Json | undefined,
  selections: readonly RequiresSelection[] | undefined,
  satisfies: Satisfies,
): Json | undefined {
  if (value === undefined || value === null || !selections || selections.length === 0) return value;
  if (isJsonObject(value)) return required(selections, value, satisfies);
  if (!Array.isArray(value)) return undefined;
  const parts: Json[] = [];
  for (const item of value) {
    const part = partOf(item, selections, satisfies);
    if (part === undefined) return undefined;
    parts.push(part);
  }
  return parts;
}

/** Whether some key of the type is there, whole. A type without known keys is for the subgraph to judge. */
function isIdentified(representation: JsonObject, keys: readonly KeyFields[]): boolean {
  return keys.length === 0 || keys.some((key) => hasKey(representation, key));
}

function hasKey(value: Json | undefined, key: KeyFields): boolean {
  if (Array.isArray(value)) return value.every((item) => hasKey(item, key));
  if (!isJsonObject(value)) return false;
  return Object.entries(key).every(([field, below]) => {
    const part = value[field];
    if (part === undefined || part === null) return false;
    return below === undefined || hasKey(part, below);
  });
}

/** Gives each waiting place its entity's fields. Places share no object, because later fetches add different fields to them. */
export function deliver(
  answers: readonly (Json | undefined)[],
  { waiting }: Representations,
  isObject: Supergraph['isObject'],
): void {
  waiting.forEach((places, index) => {
    const answer = answers[index];
    if (!isJsonObject(answer)) return;
    const type = answer['__typename'];
    // An interface object's own name must not hide the real type that is known already.
    if (typeof type === 'string' && !isObject(type)) delete answer['__typename'];
    places.forEach((place, turn) => {
      const isLast = turn === places.length - 1;
      joinInto(place.entity, isLast ? answer : (copyOf(answer) as JsonObject));
    });
  });
}
