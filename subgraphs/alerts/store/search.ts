import {
  type BoundField,
  bindField,
  type FieldNode,
  type SearchNode,
  type WordsNode,
} from '../../../lib/search/index.ts';
import { ALERT_SEARCH } from '../entity/search.ts';
import type { AlertSnapshot } from '../entity/snapshot.ts';
import type { Binder } from './filter.ts';

/** Columns of fields that are one; all are words of ours. */
const COLUMNS: Record<string, string> = {
  name: 'name',
  rule: 'rule_name',
  fingerprint: 'fingerprint',
  traceId: 'trace_id',
  severity: 'severity',
  state: 'state',
  value: 'value',
  startedAt: 'started_at',
};

/** What `wordsOfAlert` makes of an alert, as it was written. */
const TEXT = `concat_ws(E'\\n', name, ${['labels', 'annotations']
  .map((column) => `(select string_agg(value, E'\\n') from jsonb_each_text(${column}))`)
  .join(', ')})`;

/** A parsed search as a condition on the table `alert`: it finds what a live filter of the same search finds. */
export function searchSql(node: SearchNode, binder: Binder): string {
  if (node.kind === 'and' || node.kind === 'or') {
    return `(${node.nodes.map((part) => searchSql(part, binder)).join(` ${node.kind} `)})`;
  }
  // What is absent is not found, so that its negation is.
  if (node.kind === 'not') return `not coalesce(${searchSql(node.node, binder)}, false)`;
  if (node.kind === 'words') {
    return node.regex ? `${TEXT} ~ ${binder.bind(node.regex.are)}` : `words ~ ${binder.bind(wordsPattern(node))}`;
  }
  const field = node as FieldNode;
  return fieldSql(field, bindField(field, ALERT_SEARCH), binder);
}

function wordsPattern({ words, prefix }: WordsNode): string {
  return `(^|[^[:alnum:]])${words.join('[^[:alnum:]]+')}${prefix ? '' : '($|[^[:alnum:]])'}`;
}

function fieldSql(node: FieldNode, bound: BoundField<AlertSnapshot>, binder: Binder): string {
  if (bound.name === 'agent') {
    const parts = [`labels ->> 'agent'`, 'agent_id'].map((column) => keywordSql(node, column, binder));
    return `(${parts.join(' or ')})`;
  }
  const column = COLUMNS[bound.name] ?? `labels ->> ${binder.bind(bound.path)}`;
  const { type } = bound.field;
  if (node.prefix || node.regex || type === 'keyword') return keywordSql(node, column, binder);
  if (type === 'any')
    return node.comparison === '=' ? keywordSql(node, column, binder) : labelSql(node, column, bound.number, binder);
  if (type === 'time')
    return `${column} ${node.comparison} to_timestamp(${binder.bind((bound.number ?? 0) / 1_000)}::double precision)`;
  if (type === 'rank') {
    const ranks = binder.bind(bound.field.ranks);
    return `array_position(${ranks}::text[], lower(${column})) - 1 ${node.comparison} ${binder.bind(bound.number)}::int`;
  }
  return `${column} ${node.comparison} ${binder.bind(bound.number)}::double precision`;
}

function keywordSql({ value, prefix, regex }: FieldNode, column: string, binder: Binder): string {
  if (regex) return `${column} ~ ${binder.bind(regex.are)}`;
  if (prefix && value === '') return `${column} is not null`;
  return prefix ? `starts_with(${column}, ${binder.bind(value)})` : `${column} = ${binder.bind(value)}`;
}

/** Labels are text: only those that are numbers have an order. */
function labelSql({ comparison }: FieldNode, column: string, number: number | undefined, binder: Binder): string {
  const isNumber = `${column} ~ '^\\s*[+-]?(\\d+\\.?\\d*|\\.\\d+)([eE][+-]?\\d+)?\\s*$'`;
  return `(case when ${isNumber} then (${column})::double precision ${comparison} ${binder.bind(number)}::double precision else false end)`;
}
