import type { EntityGroup } from '../plan/steps.ts';
import type { Supergraph } from '../supergraph/supergraph.ts';
import { type AnswerPath, copyOf, isJsonObject, type Json, type JsonObject, joinInto } from './json.ts';
import { entitiesAt, pathsTo } from './places.ts';
import { LACKING, RepresentationWriter } from './representation.ts';

/** What one `_entities` list asks for, and which entities wait for its answers. */
export interface Representations {
  group: EntityGroup;
  /** Each different representation, as JSON. */
  texts: string[];
  /** For each representation, the first entity that waits for it. */
  first: JsonObject[];
  /** By representation, all others that wait for it too. */
  others: Map<number, JsonObject[]> | undefined;
  /** Entities that lack what a subgraph must be told of them. */
  lacking: JsonObject[] | undefined;
  /** Entities whose key is null: what is asked of them stays null, and is no fault. */
  unkeyed: JsonObject[] | undefined;
}

/** By group: a plan's groups live as long as the plan. */
const writers = new WeakMap<EntityGroup, RepresentationWriter>();

/** Collects a group's entities; equal ones are asked for once. An entity without its key is left out and stays as it is. */
export function represent(
  root: JsonObject,
  group: EntityGroup,
  subgraph: string,
  supergraph: Pick<Supergraph, 'satisfies' | 'keysOf'>,
): Representations {
  let writer = writers.get(group);
  if (!writer) {
    writer = new RepresentationWriter(group, subgraph, supergraph);
    writers.set(group, writer);
  }
  const known = new Map<string, number>();
  const collected: Representations = {
    group,
    texts: [],
    first: [],
    others: undefined,
    lacking: undefined,
    unkeyed: undefined,
  };
  for (const path of group.paths) {
    for (const entity of entitiesAt(root, path, supergraph.satisfies)) {
      const text = writer.write(entity);
      if (text === undefined) continue;
      if (text.length === 1) {
        leaveOut(collected, text, entity);
        continue;
      }
      const index = known.get(text);
      if (index === undefined) {
        known.set(text, collected.texts.length);
        collected.texts.push(text);
        collected.first.push(entity);
      } else {
        addOther(collected, index, entity);
      }
    }
  }
  return collected;
}

function leaveOut(collected: Representations, why: string, entity: JsonObject): void {
  const part = why === LACKING ? 'lacking' : 'unkeyed';
  collected[part] ??= [];
  collected[part].push(entity);
}

function addOther(collected: Representations, index: number, entity: JsonObject): void {
  collected.others ??= new Map();
  const others = collected.others.get(index);
  if (others) others.push(entity);
  else collected.others.set(index, [entity]);
}

/** Entities that got nothing. */
export interface Undelivered {
  /** Those of whom the subgraph knows nothing. */
  unknown?: JsonObject[];
  /** Those for whom there was no answer, or one that is none. */
  broken?: JsonObject[];
}

/** Gives each waiting entity its fields. Entities share no object, because later fetches add different fields to them. */
export function deliver(
  answers: readonly (Json | undefined)[],
  { first, others }: Representations,
  isObject: Supergraph['isObject'],
): Undelivered {
  const undelivered: Undelivered = {};
  for (let index = 0; index < first.length; index++) {
    const answer = answers[index];
    const one = first[index] as JsonObject;
    const more = others?.get(index);
    if (!isJsonObject(answer) || isOther(answer, one, isObject)) {
      const why = answer === null ? 'unknown' : 'broken';
      undelivered[why] ??= [];
      undelivered[why].push(one, ...(more ?? []));
      continue;
    }
    const type = answer['__typename'];
    // An interface object's own name must not hide the real type that is known already.
    if (typeof type === 'string' && !isObject(type)) delete answer['__typename'];
    if (more) for (const entity of more) joinInto(entity, copyOf(answer) as JsonObject);
    joinInto(one, answer);
  }
  return undelivered;
}

/** Whether the answer is about an object of another type than was asked about. */
function isOther(answer: JsonObject, entity: JsonObject, isObject: Supergraph['isObject']): boolean {
  const [given, known] = [answer['__typename'], entity['__typename']];
  return given !== known && typeof given === 'string' && isObject(given) && isObject(known as string);
}

/** Where each of these entities is, or of all that wait. */
export function waysTo(
  root: JsonObject,
  { group, first, others }: Representations,
  satisfies: Supergraph['satisfies'],
  entities?: Iterable<JsonObject>,
): Map<JsonObject, AnswerPath[]> {
  const wanted = new Set(entities ?? first);
  if (!entities) for (const more of others?.values() ?? []) for (const other of more) wanted.add(other);
  return pathsTo(root, group.paths, wanted, satisfies);
}

/** Where the entities of one representation are. */
export function waysOf(
  ways: ReadonlyMap<JsonObject, AnswerPath[]>,
  { first, others }: Representations,
  index: number,
): AnswerPath[] {
  return [first[index] as JsonObject, ...(others?.get(index) ?? [])].flatMap((entity) => ways.get(entity) ?? []);
}
