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

/**
 * Gives each waiting entity its fields. Entities share no object, because later fetches add different fields to them.
 * @returns those of whom the subgraph knows nothing
 */
export function deliver(
  answers: readonly (Json | undefined)[],
  { first, others }: Representations,
  isObject: Supergraph['isObject'],
): JsonObject[] | undefined {
  let unknown: JsonObject[] | undefined;
  for (let index = 0; index < first.length; index++) {
    const answer = answers[index];
    if (!isJsonObject(answer)) {
      unknown ??= [];
      unknown.push(first[index] as JsonObject, ...(others?.get(index) ?? []));
      continue;
    }
    const type = answer['__typename'];
    // An interface object's own name must not hide the real type that is known already.
    if (typeof type === 'string' && !isObject(type)) delete answer['__typename'];
    const more = others?.get(index);
    if (more) for (const entity of more) joinInto(entity, copyOf(answer) as JsonObject);
    joinInto(first[index] as JsonObject, answer);
  }
  return unknown;
}

/** Where the entities of one representation are, or of all. */
export function pathsOf(
  root: JsonObject,
  { group, first, others }: Representations,
  satisfies: Supergraph['satisfies'],
  index?: number,
): AnswerPath[] {
  const wanted = new Set<JsonObject>();
  for (let at = index ?? 0; at < (index === undefined ? first.length : index + 1); at++) {
    wanted.add(first[at] as JsonObject);
    for (const other of others?.get(at) ?? []) wanted.add(other);
  }
  return [...pathsTo(root, group.paths, wanted, satisfies).values()].flat();
}
