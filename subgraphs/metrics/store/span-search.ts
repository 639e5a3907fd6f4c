import {
  bindField,
  type FieldNode,
  type SearchFields,
  type SearchNode,
  type WordsNode,
} from '../../../lib/search/index.ts';
import type { Condition } from './matchers.ts';

/** What can be searched in a span: the field's column. */
const COLUMNS: Record<string, string> = {
  name: 'name',
  service: 'service',
  kind: 'kind',
  agent: 'agent_id',
  traceId: 'trace_id',
  spanId: 'span_id',
  error: 'toString(error)',
  durationMs: '(toUnixTimestamp64Nano(finish) - toUnixTimestamp64Nano(start)) / 1e6',
  startedAt: 'toUnixTimestamp64Milli(start)',
};

const keyword = { type: 'keyword' as const, read: () => undefined };

/** The fields as the search language knows them. Nothing is compared here: the engine does it. */
export const SPAN_FIELDS: SearchFields<never> = {
  words: () => '',
  fields: {
    name: keyword,
    service: keyword,
    kind: keyword,
    agent: keyword,
    traceId: keyword,
    spanId: keyword,
    error: keyword,
    durationMs: { type: 'number', read: () => undefined },
    startedAt: { type: 'time', read: () => undefined },
    attributes: { type: 'any', open: true, read: () => undefined },
  },
};

const TEXT = `concat(name, ' ', service, ' ', arrayStringConcat(mapValues(attributes), ' '))`;
const OUTSIDE = '[^\\p{L}\\p{N}\\p{M}]';

/**
 * A search as a condition on rows of `span`.
 * @throws BAD_QUERY when it speaks of a field that spans do not have
 */
export function searching(node: SearchNode): Condition {
  const params: Record<string, unknown> = {};
  const bind = (value: string | number, type: string) => {
    const name = `search${Object.keys(params).length}`;
    params[name] = value;
    return `{${name}:${type}}`;
  };
  return { sql: conditionOf(node, bind), params };
}

type Bind = (value: string | number, type: string) => string;

function conditionOf(node: SearchNode, bind: Bind): string {
  if (node.kind === 'words') return wordsCondition(node, bind);
  if (node.kind === 'field') return fieldCondition(node, bind);
  if (node.kind === 'not') return `not (${conditionOf(node.node, bind)})`;
  return node.nodes.map((part) => `(${conditionOf(part, bind)})`).join(` ${node.kind} `);
}

function wordsCondition({ words, prefix, regex }: WordsNode, bind: Bind): string {
  if (regex) return `match(${TEXT}, ${bind(regex.re2, 'String')})`;
  // Words are letters and digits only, so nothing in them means anything to the pattern.
  const pattern = `(?:^|${OUTSIDE})${words.join(`${OUTSIDE}+`)}${prefix ? '' : `(?:$|${OUTSIDE})`}`;
  return `match(lowerUTF8(${TEXT}), ${bind(pattern, 'String')})`;
}

function fieldCondition(node: FieldNode, bind: Bind): string {
  const { name, path, number, field } = bindField(node, SPAN_FIELDS);
  const { comparison, prefix, value } = node;
  if (field.type === 'any') return attributeCondition(node, path, number, bind);
  const column = COLUMNS[name] as string;
  if (node.regex) return `match(${column}, ${bind(node.regex.re2, 'String')})`;
  if (prefix && value === '') return `${field.type === 'keyword' ? `${column} != ''` : 'true'}`;
  if (prefix) return `startsWith(${column}, ${bind(value, 'String')})`;
  if (field.type === 'keyword') return `${column} = ${bind(value, 'String')}`;
  return `${column} ${comparison} ${bind(number as number, 'Float64')}`;
}

function attributeCondition(node: FieldNode, path: string, number: number | undefined, bind: Bind): string {
  const { comparison, prefix, value } = node;
  const name = bind(path, 'String');
  const there = `mapContains(attributes, ${name})`;
  const text = `attributes[${name}]`;
  if (node.regex) return `${there} and match(${text}, ${bind(node.regex.re2, 'String')})`;
  if (prefix) return value === '' ? there : `startsWith(${text}, ${bind(value, 'String')})`;
  const compared = number === undefined ? 'false' : `toFloat64OrNull(${text}) ${comparison} ${bind(number, 'Float64')}`;
  const equal = comparison === '=' ? `${text} = ${bind(value, 'String')}` : 'false';
  return `${there} and (${equal} or ifNull(${compared}, false))`;
}
