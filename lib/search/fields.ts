import { badQuery } from './bad-query.ts';
import type { FieldNode, SearchNode } from './node.ts';

/** What a field holds, and so how it is compared: `rank` by its place in a list of names, `any` by number or as text. */
export type FieldType = 'keyword' | 'number' | 'time' | 'rank' | 'any';

export interface SearchField<T> {
  type: FieldType;
  /** What a live filter compares with; a list matches when any of it does. `path` is what follows an open field's name. */
  read(record: T, path: string): unknown;
  /** Whether it is written `name.path`, as in `attributes.user.id`. */
  open?: boolean;
  /** Names of a `rank`, lowest first, lower case. */
  ranks?: readonly string[];
}

/** What can be searched in one kind of record. */
export interface SearchFields<T> {
  /** Where words and phrases are looked for. */
  words(record: T): string;
  fields: Record<string, SearchField<T>>;
}

/** A field of the query with its meaning. */
export interface BoundField<T> {
  field: SearchField<T>;
  name: string;
  path: string;
  /** The value as a number: of `number`, of `time` (epoch milliseconds), of `rank` (its place), of `any` when it is one. */
  number: number | undefined;
}

/**
 * Finds the field a node speaks of and reads its value.
 * @throws BAD_QUERY for an unknown field, a value that is none of its kind, or a comparison that it does not have
 */
export function bindField<T>(node: FieldNode, { fields }: SearchFields<T>): BoundField<T> {
  const { name, path, field } = find(node, fields);
  const ordered = node.comparison !== '=';
  if (ordered && field.type === 'keyword') throw badQuery(node.column, `${name} has no order: expected ${name}:value`);
  if (node.regex) {
    if (ordered) throw badQuery(node.column, `an expression has no order: expected ${name}:/…/`);
    if (!['keyword', 'any'].includes(field.type)) {
      throw badQuery(node.valueColumn, `expected ${EXPECTED[field.type](field)} for ${node.name}, not an expression`);
    }
    return { field, name, path, number: undefined };
  }
  // `field:*` asks whether there is one.
  if (node.prefix && node.value === '') return { field, name, path, number: undefined };
  if (node.prefix && !['keyword', 'any'].includes(field.type)) {
    throw badQuery(node.valueColumn, `${name} has no prefixes: expected ${EXPECTED[field.type](field)}`);
  }
  const number = numberOf(node.value, field);
  if (number === undefined && field.type !== 'keyword' && (field.type !== 'any' || ordered)) {
    throw badQuery(node.valueColumn, `expected ${EXPECTED[field.type](field)} for ${node.name}`);
  }
  return { field, name, path, number };
}

/** Checks every field of a search, so that a mistake is told before anything runs. */
export function checkFields<T>(node: SearchNode, fields: SearchFields<T>): void {
  if (node.kind === 'not') checkFields(node.node, fields);
  else if (node.kind === 'field') bindField(node, fields);
  else if (node.kind !== 'words') for (const part of node.nodes) checkFields(part, fields);
}

function find<T>(node: FieldNode, fields: Record<string, SearchField<T>>) {
  const plain = Object.hasOwn(fields, node.name) ? fields[node.name] : undefined;
  if (plain && !plain.open) return { name: node.name, path: '', field: plain };
  const dot = node.name.indexOf('.');
  const name = dot < 0 ? node.name : node.name.slice(0, dot);
  const open = Object.hasOwn(fields, name) ? fields[name] : undefined;
  if (open?.open && dot > 0 && dot < node.name.length - 1) return { name, path: node.name.slice(dot + 1), field: open };
  const known = Object.entries(fields).map(([known, { open }]) => (open ? `${known}.name` : known));
  throw badQuery(node.column, `there is no field ${node.name}: expected one of ${known.join(', ')}`);
}

const EXPECTED: Record<FieldType, (field: { ranks?: readonly string[] }) => string> = {
  keyword: () => 'a value',
  any: () => 'a number',
  number: () => 'a number',
  time: () => 'a time such as 2026-01-31T10:00:00Z or 2026-01-31',
  rank: ({ ranks = [] }) => `one of ${ranks.join(', ')}`,
};

const TIME = /^\d{4}-\d\d-\d\d([Tt]\d\d:\d\d(:\d\d(\.\d+)?)?([Zz]|[+-]\d\d:\d\d))?$/;

function numberOf<T>(value: string, { type, ranks }: SearchField<T>): number | undefined {
  if (type === 'rank') {
    const at = ranks?.indexOf(value.toLowerCase()) ?? -1;
    return at < 0 ? undefined : at;
  }
  const number =
    type === 'time' ? (TIME.test(value) ? Date.parse(value) : Number.NaN) : value.trim() ? Number(value) : Number.NaN;
  return Number.isFinite(number) ? number : undefined;
}
