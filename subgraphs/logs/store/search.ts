import { readNodeId } from '../../../lib/node-id.ts';
import { type BoundField, bindField, type FieldNode, type SearchNode } from '../../../lib/search/index.ts';
import type { Parameters } from './parameters.ts';
import { type LogRow, nanosOf } from './row.ts';
import { LOG_FIELDS, waysOf } from './search-fields.ts';
import { nameToken, pairToken, TOKENS_OF_ATTRIBUTES } from './tables.ts';
import type { WordCounts } from './word-counts.ts';
import { wordsCondition } from './words.ts';

/** The agent's global id, as lib/node-id.ts makes it: 42 bytes, so nothing is padded. */
const AGENT_ID = `base64URLEncode(concat('Agent:', agent))`;

/** What the indexes said beforehand; without it a search finds the same, only slower. */
export interface Known {
  /** Names that no entry has among its attributes: what may be inside them is not looked for. */
  absent: ReadonlySet<string>;
  counts?: WordCounts;
}

/** A search as a condition on the table `log`; every value of it is bound. */
export function searchCondition(node: SearchNode, parameters: Parameters, known: Known): string {
  switch (node.kind) {
    case 'and':
    case 'or':
      return `(${node.nodes.map((part) => searchCondition(part, parameters, known)).join(` ${node.kind} `)})`;
    case 'not':
      return `(not ${searchCondition(node.node, parameters, known)})`;
    case 'words':
      return wordsCondition(node, parameters, known.counts);
    case 'field':
      return fieldCondition(node, bindField(node, LOG_FIELDS), parameters, known.absent);
  }
}

function fieldCondition(
  node: FieldNode,
  bound: BoundField<LogRow>,
  parameters: Parameters,
  absent: ReadonlySet<string>,
): string {
  const { name, path, number } = bound;
  const comparison = node.comparison;
  const text = (column: string) => textCondition(column, node, parameters);
  switch (name) {
    case 'severity':
      return `(intDiv(toInt16(severity) - 1, 4) ${comparison} ${parameters.bind('Int16', number)})`;
    case 'time':
    case 'observedAt': {
      const nanos = parameters.bind('UInt64', nanosOf(Math.max(0, number ?? 0)));
      const column = name === 'time' ? 'time' : 'observed';
      // A time before 1970 is below every entry, and none is at it.
      return (number ?? 0) < 0 ? `(${/[>]/.test(comparison)})` : `(${column} ${comparison} ${nanos})`;
    }
    case 'service':
      return text('service');
    case 'traceId':
      return `(trace != '' and ${text('trace')})`;
    case 'spanId':
      return `(span != '' and ${text('span')})`;
    case 'agent':
      return agentCondition(node, parameters);
    case 'attributes': {
      const ways = waysOf(path).filter(([first, ...rest]) => !rest.length || !absent.has(first as string));
      return `(${ways.map((way) => attributeCondition(way, node, number, parameters)).join(' or ')})`;
    }
    default: {
      const parts = waysOf(path).map((way) => anyCondition(rawValue(name, way, parameters), node, number, parameters));
      return `(${parts.join(' or ')})`;
    }
  }
}

function attributeCondition(
  way: string[],
  node: FieldNode,
  number: number | undefined,
  parameters: Parameters,
): string {
  if (way.length === 1 && node.comparison === '=' && !node.prefix && !node.regex) {
    return hasValue(way[0] as string, [node.value], number, parameters);
  }
  return `(${hasName(way[0] as string, parameters)} and ${anyCondition(rawValue('attributes', way, parameters), node, number, parameters)})`;
}

/** Whether an entry has an attribute of this name, as the index of attributes says. */
export function hasName(name: string, parameters: Parameters): string {
  return `hasAnyTokens(${TOKENS_OF_ATTRIBUTES}, [${nameToken(parameters.bind('String', name))}])`;
}

/**
 * Whether an attribute is one of these texts, or this number, as the index of attributes says: no map is read. It is enough,
 * because each value is kept in one way: a text in quotes and of anything else its JSON, as JSON.stringify writes them.
 */
export function hasValue(
  name: string,
  values: readonly string[],
  number: number | undefined,
  parameters: Parameters,
): string {
  const numbers = number !== undefined && Number.isFinite(number) ? [JSON.stringify(number)] : [];
  const texts = new Set([...values.flatMap((value) => [value, JSON.stringify(value)]), ...numbers]);
  // An attribute that is null is none.
  texts.delete('null');
  const bound = parameters.bind('String', name);
  const tokens = [...texts].map((text) => pairToken(bound, parameters.bind('String', text)));
  return `hasAnyTokens(${TOKENS_OF_ATTRIBUTES}, [${tokens.join(', ')}])`;
}

function textCondition(column: string, { value, prefix, regex }: FieldNode, parameters: Parameters): string {
  if (regex) return `match(${column}, ${parameters.bind('String', regex.re2)})`;
  const bound = parameters.bind('String', value);
  return prefix ? `startsWith(${column}, ${bound})` : `(${column} = ${bound})`;
}

function agentCondition(node: FieldNode, parameters: Parameters): string {
  const read = node.regex ? undefined : readNodeId(node.value);
  if (read && !node.prefix) return `(agent = ${parameters.bind('String', read.type === 'Agent' ? read.uuid : '-')})`;
  const names = ['agent', 'agent_name', ...(node.regex || node.prefix ? [AGENT_ID] : [])];
  return `(agent != '' and (${names.map((column) => textCondition(column, node, parameters)).join(' or ')}))`;
}

/** JSON text of the value that these keys lead to; empty when there is none. */
export function rawValue(column: string, [first, ...rest]: string[], parameters: Parameters): string {
  const key = parameters.bind('String', first);
  const keys = rest.map((part) => `, ${parameters.bind('String', part)}`).join('');
  if (column === 'resource') return `JSONExtractRaw(resource, ${key}${keys})`;
  // Few entries have any one name: where it is absent nothing is unpacked.
  return rest.length
    ? `if(attributes[${key}] = '', '', JSONExtractRaw(attributes[${key}]${keys}))`
    : `attributes[${key}]`;
}

/** A JSON text as it is compared: a string without its quotes. */
export function plainText(raw: string): string {
  return `if(startsWith(${raw}, '"'), JSONExtractString(${raw}), ${raw})`;
}

function anyCondition(raw: string, node: FieldNode, number: number | undefined, parameters: Parameters): string {
  const present = `${raw} not in ('', 'null')`;
  if (node.prefix && node.value === '') return `(${present})`;
  if (node.comparison !== '=') {
    return `(${present} and ifNull(toFloat64OrNull(${plainText(raw)}) ${node.comparison} ${parameters.bind('Float64', String(number))}, 0))`;
  }
  const text = equalText(raw, node, parameters);
  if (number === undefined || node.prefix) return `(${present} and ${text})`;
  return `(${present} and (${text} or ${equalNumber(raw, number, parameters)}))`;
}

/** Whether a JSON text is this number. Most are written as JavaScript does; only one that may be written otherwise is read. */
function equalNumber(raw: string, number: number, parameters: Parameters): string {
  const read = `ifNull(toFloat64OrNull(${raw}) = ${parameters.bind('Float64', String(number))}, 0)`;
  // Beyond this several texts are one number; zero has a sign.
  if (number === 0 || !Number.isSafeInteger(Math.trunc(number))) return read;
  return `(${raw} = ${parameters.bind('String', String(number))} or (multiSearchAny(${raw}, ['.', 'e', 'E']) and ${read}))`;
}

/** Whether a JSON text says this text. One without escapes is compared as it stands: unpacking each is most of the work. */
function equalText(raw: string, node: FieldNode, parameters: Parameters): string {
  const quoted = JSON.stringify(node.value);
  if (node.prefix || node.regex || quoted.includes('\\')) return textCondition(plainText(raw), node, parameters);
  const [bare, json] = [parameters.bind('String', node.value), parameters.bind('String', quoted)];
  return `(${raw} in (${bare}, ${json}) or (position(${raw}, '\\\\') > 0 and ${plainText(raw)} = ${bare}))`;
}
