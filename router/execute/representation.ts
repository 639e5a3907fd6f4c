import type { RequiresSelection } from '@graphql-hive/router-query-planner';
import type { EntityGroup } from '../plan/steps.ts';
import type { KeyFields } from '../supergraph/facts.ts';
import type { Supergraph } from '../supergraph/supergraph.ts';
import { isJsonObject, type Json, type JsonObject } from './json.ts';
import { rewrite } from './rewrites.ts';
import { jsonOf, quoted } from './written.ts';

type Satisfies = Supergraph['satisfies'];

/** What is written of an entity that lacks what it should have by now, and of one with nothing to know it by. */
export const LACKING = '?';
export const UNKEYED = '0';

/** Writes entities of one type as a subgraph is to be given them; undefined where nothing of the type is asked for. */
type WriteRepresentation = (entity: JsonObject) => string | undefined;

/**
 * What makes the representations of one entity list. Laid out for each type that turns up; nearly all ask for a few
 * fields side by side, which are written straight from the entity.
 */
export class RepresentationWriter {
  readonly #byType = new Map<string, WriteRepresentation>();

  constructor(
    private readonly group: EntityGroup,
    private readonly subgraph: string,
    private readonly supergraph: Pick<Supergraph, 'satisfies' | 'keysOf'>,
  ) {}

  /** @returns a representation, LACKING or UNKEYED; undefined for an entity of which nothing is asked for */
  write(entity: JsonObject): string | undefined {
    const type = entity['__typename'];
    if (typeof type !== 'string') return LACKING;
    let writer = this.#byType.get(type);
    if (!writer) {
      writer = this.#writerFor(type);
      this.#byType.set(type, writer);
    }
    try {
      return writer(entity);
    } catch (error) {
      // A value that nests too deep to be written is as good as none.
      if (error instanceof RangeError) return LACKING;
      throw error;
    }
  }

  #writerFor(type: string): WriteRepresentation {
    const { group, subgraph, supergraph } = this;
    const keys = supergraph.keysOf(subgraph, type);
    const isPlain = group.inputs.length === 0 && keys.every((key) => Object.values(key).every((part) => !part));
    const fields = isPlain ? flatFields(group.requires, type, supergraph.satisfies) : undefined;
    if (fields) return flatWriter(type, fields, keys);
    return (entity) => {
      const gaps: Gaps = { lacked: new Set(), isBare: false };
      const representation = required(group.requires, entity, supergraph.satisfies, gaps);
      const { lacked, isBare } = gaps;
      if (isBare && lacked.size === 0) return UNKEYED;
      if (!representation) return lacked.size > 0 ? LACKING : undefined;
      representation['__typename'] ??= type;
      for (const input of group.inputs) rewrite(representation, input, supergraph.satisfies);
      const known = supergraph.keysOf(subgraph, String(representation['__typename']));
      for (const name of lacked) if (!known.some((key) => name in key)) return LACKING;
      if (isIdentified(representation, known)) return JSON.stringify(representation);
      return lacked.size > 0 ? LACKING : UNKEYED;
    };
  }
}

/** A required field: its name in the entity, and its name in the representation where that is another. */
interface FlatField {
  name: string;
  key: string;
}

/** The fields side by side; undefined when something is selected below one. */
function flatFields(
  selections: readonly RequiresSelection[],
  type: string,
  satisfies: Satisfies,
  into = new Map<string, FlatField>(),
): FlatField[] | undefined {
  for (const selection of selections) {
    if (selection.kind === 'Field') {
      if (selection.selections && selection.selections.length > 0) return undefined;
      const key = selection.alias ?? selection.name;
      into.set(key, { name: selection.name, key });
    } else if (selection.kind === 'InlineFragment') {
      if (!satisfies(type, selection.typeCondition)) continue;
      if (!flatFields(selection.selections, type, satisfies, into)) return undefined;
    } else {
      return undefined;
    }
  }
  return [...into.values()];
}

function flatWriter(type: string, all: readonly FlatField[], keys: readonly KeyFields[]): WriteRepresentation {
  const fields = all.filter(({ key }) => key !== '__typename');
  if (all.length === 0) return () => undefined;
  const head = `{"__typename":${quoted(type)}`;
  const names = fields.map(({ key }) => `,${JSON.stringify(key)}:`);
  const keySets = keys.map((key) => Object.keys(key).map((name) => fields.findIndex((field) => field.key === name)));
  // A type without known keys is for the subgraph to judge; a key that is the type's name alone is always there.
  const isAnyones = keySets.length === 0 || keySets.some((places) => places.length === 0);
  const isOfKey = fields.map((_, at) => keySets.some((places) => places.includes(at)));
  const values: (Json | undefined)[] = [];
  return (entity) => {
    let text = head;
    let isLacking = false;
    for (let at = 0; at < fields.length; at++) {
      const { name, key } = fields[at] as FlatField;
      // One entity list may serve places where the field went under an alias and places where it did not.
      const value = name in entity ? entity[name] : entity[key];
      values[at] = value;
      if (value !== undefined) {
        text += names[at] + jsonOf(value);
      } else {
        // Of several keys one will do: a plan may name them all before all are known.
        if (!isOfKey[at]) return LACKING;
        isLacking = true;
      }
    }
    if (isAnyones || hasSome(keySets, values)) return `${text}}`;
    return isLacking ? LACKING : UNKEYED;
  };
}

function hasSome(keySets: readonly (readonly number[])[], values: readonly (Json | undefined)[]): boolean {
  for (const places of keySets) {
    let isWhole = true;
    for (const place of places) if (place < 0 || values[place] === null || values[place] === undefined) isWhole = false;
    if (isWhole) return true;
  }
  return false;
}

/** What is not there of what a subgraph needs. */
interface Gaps {
  lacked: Set<string>;
  /** Whether an object is there of whose type nothing is needed. */
  isBare: boolean;
}
const BARE = Symbol('bare');

/** What of an entity a subgraph needs; undefined when there is nothing. */
function required(
  selections: readonly RequiresSelection[],
  entity: JsonObject,
  satisfies: Satisfies,
  gaps: Gaps,
): JsonObject | undefined {
  const result: JsonObject = {};
  const collect = (each: readonly RequiresSelection[]): void => {
    for (const selection of each) {
      if (selection.kind === 'Field') {
        const key = selection.alias ?? selection.name;
        const value = selection.name in entity ? entity[selection.name] : entity[key];
        const part = partOf(value, selection.selections, satisfies);
        if (part === undefined) gaps.lacked.add(key);
        else if (part === BARE) gaps.isBare = true;
        else result[key] = part;
      } else if (selection.kind === 'InlineFragment') {
        const type = entity['__typename'];
        if (typeof type !== 'string' || satisfies(type, selection.typeCondition)) collect(selection.selections);
      }
    }
  };
  collect(selections);
  return Object.keys(result).length > 0 ? result : undefined;
}

function partOf(
  value: Json | undefined,
  selections: readonly RequiresSelection[] | undefined,
  satisfies: Satisfies,
): Json | undefined | typeof BARE {
  if (value === undefined || value === null || !selections || selections.length === 0) return value;
  if (isJsonObject(value)) {
    const gaps: Gaps = { lacked: new Set(), isBare: false };
    const part = required(selections, value, satisfies, gaps);
    if (gaps.lacked.size > 0) return undefined;
    return gaps.isBare ? BARE : (part ?? BARE);
  }
  if (!Array.isArray(value)) return undefined;
  const parts: Json[] = [];
  for (const item of value) {
    const part = partOf(item, selections, satisfies);
    if (part === undefined || part === BARE) return part;
    parts.push(part);
  }
  return parts;
}

/** Whether some key of the type is there, whole. */
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
