import { MatchOp } from '../../../lib/graphql/shared.ts';
import { bindField, compileSearch, hasExpression, type SearchNode } from '../../../lib/search/index.ts';
import { Parameters } from './parameters.ts';
import { type LogRow, rankOf } from './row.ts';
import { hasName, hasValue, type Known, plainText, rawValue, searchCondition } from './search.ts';
import { attributeValues, LOG_FIELDS, waysOf } from './search-fields.ts';

/** Which entries, checked and in the store's own terms; every part must hold. */
export interface LogCriteria {
  search?: SearchNode | null;
  /** Places among the six severities. */
  ranks?: number[];
  minRank?: number;
  services?: string[];
  /** Bare uuids. */
  agents?: string[];
  trace?: string;
  /** Nanoseconds since 1970, decimal; from inclusive, to exclusive. */
  from?: string;
  to?: string;
  attributes?: AttributeMatch[];
}

/** What only the store can tell of an entry: a tail does not filter by it. */
export interface StoredCriteria extends LogCriteria {
  maxRank?: number;
  /** Conditions on attributes of the resource. */
  resource?: AttributeMatch[];
}

interface AttributeMatch {
  name: string;
  op: MatchOp;
  value: string;
}

/** A condition and what it binds. */
export interface Condition {
  where: string;
  parameters: Parameters;
}

/**
 * The criteria in SQL.
 * @param parameters of the statement, where it has more than this condition
 * @param known what is known of it beforehand (knowledge.ts)
 */
export function conditionOf(
  criteria: StoredCriteria,
  parameters = new Parameters(),
  known: Known = { absent: new Set() },
): Condition {
  const { search, ranks, minRank, maxRank, services, agents, trace, from, to } = criteria;
  const parts: string[] = [];
  const rank = 'intDiv(toInt16(severity) - 1, 4)';
  if (from !== undefined) parts.push(`time >= ${parameters.bind('UInt64', from)}`);
  if (to !== undefined) parts.push(`time < ${parameters.bind('UInt64', to)}`);
  if (ranks) parts.push(`${rank} in ${parameters.bind('Array(Int16)', ranks)}`);
  if (minRank !== undefined) parts.push(`${rank} >= ${parameters.bind('Int16', minRank)}`);
  if (maxRank !== undefined) parts.push(`${rank} <= ${parameters.bind('Int16', maxRank)}`);
  if (services) parts.push(`service in ${parameters.bind('Array(String)', services)}`);
  if (agents) parts.push(`agent in ${parameters.bind('Array(String)', agents)}`);
  if (trace !== undefined) parts.push(`trace = ${parameters.bind('String', trace)}`);
  for (const matcher of criteria.attributes ?? []) parts.push(attributeCondition(matcher, parameters, known.absent));
  for (const matcher of criteria.resource ?? []) parts.push(resourceCondition(matcher, parameters));
  if (search) parts.push(searchCondition(search, parameters, known));
  return { where: parts.join(' and ') || 'true', parameters };
}

function attributeCondition(match: AttributeMatch, parameters: Parameters, absent: ReadonlySet<string>): string {
  const { test, regular, wrapped } = matching(match, parameters);
  const there = waysOf(match.name).filter(([first, ...rest]) => !rest.length || !absent.has(first as string));
  return wrapped(
    there.map((way) => {
      if (way.length === 1 && !regular) return hasValue(match.name, [match.value], undefined, parameters);
      return `(${hasName(way[0] as string, parameters)} and ${test(rawValue('attributes', way, parameters))})`;
    }),
  );
}

function resourceCondition(match: AttributeMatch, parameters: Parameters): string {
  const { test, wrapped } = matching(match, parameters);
  return wrapped(waysOf(match.name).map((way) => test(rawValue('resource', way, parameters))));
}

/** How a matcher tests a JSON text, and how its ways are joined. */
function matching({ op, value }: AttributeMatch, parameters: Parameters) {
  const negated = op === MatchOp.NE || op === MatchOp.NRE;
  const regular = op === MatchOp.RE || op === MatchOp.NRE;
  const bound = parameters.bind('String', regular ? `^(?:${value})$` : value);
  const test = (raw: string) => {
    const text = plainText(raw);
    return `(${raw} not in ('', 'null') and ${regular ? `match(${text}, ${bound})` : `${text} = ${bound}`})`;
  };
  // Folded while the statement is read: a bad expression is told even where no entry is compared with it.
  const readable = regular ? ` and match('', ${bound}) >= 0` : '';
  const wrapped = (ways: string[]) => `${negated ? 'not ' : ''}(${ways.join(' or ')})${readable}`;
  return { test, regular, wrapped };
}

/** Names of attributes that may hold others which the criteria, or these paths, ask of: `user` of `user.id`. */
export function nestingNames({ search, attributes = [] }: LogCriteria, more: readonly string[]): string[] {
  const paths = [...attributes.map(({ name }) => name), ...(search ? pathsIn(search) : []), ...more];
  const nested = paths.flatMap((path) => waysOf(path).filter((way) => way.length > 1));
  return [...new Set(nested.map(([first]) => first as string))];
}

function pathsIn(node: SearchNode): string[] {
  if (node.kind === 'words') return [];
  if (node.kind === 'not') return pathsIn(node.node);
  if (node.kind !== 'field') return node.nodes.flatMap(pathsIn);
  const { name, path } = bindField(node, LOG_FIELDS);
  return name === 'attributes' ? [path] : [];
}

/**
 * The criteria as a test of one row, for entries that are not read from the store; undefined when the store is to tell: here a
 * regular expression takes up to 13 s on a body of 1 MiB (measured), though linear, and holds up everybody else meanwhile.
 */
export function matcherOf(criteria: LogCriteria): ((row: LogRow) => boolean) | undefined {
  const { search, ranks, minRank, services, agents, trace, from, to, attributes = [] } = criteria;
  if (attributes.some(({ op }) => op === MatchOp.RE || op === MatchOp.NRE)) return undefined;
  if (search && hasExpression(search)) return undefined;
  const searched = search ? compileSearch(search, LOG_FIELDS) : () => true;
  const [fromNs, toNs] = [BigInt(from ?? 0), to === undefined ? undefined : BigInt(to)];
  return (row) =>
    (ranks?.includes(rankOf(row.severity)) ?? true) &&
    (minRank === undefined || rankOf(row.severity) >= minRank) &&
    (services?.includes(row.service) ?? true) &&
    (agents?.includes(row.agent) ?? true) &&
    (trace === undefined || row.trace === trace) &&
    BigInt(row.time) >= fromNs &&
    (toNs === undefined || BigInt(row.time) < toNs) &&
    attributes.every(({ name, op, value }) => {
      const found = attributeValues(row, name).some((item) => textOf(item) === value);
      return op === MatchOp.EQ ? found : !found;
    }) &&
    searched(row);
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
