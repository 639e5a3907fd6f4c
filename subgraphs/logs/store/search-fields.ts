import { nodeId } from '../../../lib/node-id.ts';
import type { SearchFields } from '../../../lib/search/index.ts';
import { type LogRow, millisOf, rankOf, SEVERITIES } from './row.ts';

const RANKS = SEVERITIES.map((severity) => severity.toLowerCase());

/** What a search of logs can speak of, and how a live filter reads it; search.ts says the same in SQL. */
export const LOG_FIELDS: SearchFields<LogRow> = {
  words: ({ body }) => body,
  fields: {
    severity: { type: 'rank', ranks: RANKS, read: ({ severity }) => RANKS[rankOf(severity)] },
    service: { type: 'keyword', read: ({ service }) => service },
    agent: {
      type: 'keyword',
      read: ({ agent, agent_name }) => (agent ? [agent, nodeId('Agent', agent), agent_name] : []),
    },
    traceId: { type: 'keyword', read: ({ trace }) => trace || undefined },
    spanId: { type: 'keyword', read: ({ span }) => span || undefined },
    time: { type: 'time', read: ({ time }) => millisOf(time) },
    observedAt: { type: 'time', read: ({ observed }) => millisOf(observed) },
    attributes: { type: 'any', open: true, read: attributeValues },
    resource: { type: 'any', open: true, read: ({ resource }, path) => valuesAt(topLevel(resource), path) },
  },
};

/** What a row has under a dotted name of its attributes. */
export function attributeValues({ attributes }: LogRow, path: string): unknown[] {
  return valuesAt(attributes, path);
}

/**
 * The ways to read a dotted name as keys inside each other: `a.b` is the key `a.b`, or `b` in what `a` holds. Beyond five parts
 * only the plainest ways.
 */
export function waysOf(path: string): string[][] {
  const parts = path.split('.');
  if (parts.length > 5) return [[path], parts];
  const ways: string[][] = [];
  for (let cuts = 0; cuts < 2 ** (parts.length - 1); cuts += 1) {
    const way = [parts[0] as string];
    for (const [at, part] of parts.slice(1).entries()) {
      if (cuts & (1 << at)) way.push(part);
      else way.push(`${way.pop()}.${part}`);
    }
    ways.push(way);
  }
  return ways;
}

/** Values found under a dotted name; `texts` has the top level as JSON texts. */
function valuesAt(texts: Record<string, string>, path: string): unknown[] {
  return waysOf(path).flatMap(([first, ...rest]) => {
    const text = Object.hasOwn(texts, first as string) ? texts[first as string] : undefined;
    let value: unknown = text === undefined ? undefined : JSON.parse(text);
    for (const key of rest) {
      const inside = value !== null && typeof value === 'object' && !Array.isArray(value) && Object.hasOwn(value, key);
      value = inside ? (value as Record<string, unknown>)[key] : undefined;
    }
    return value === undefined || value === null ? [] : [value];
  });
}

function topLevel(json: string): Record<string, string> {
  const entries = Object.entries(JSON.parse(json) as object);
  return Object.fromEntries(entries.map(([name, value]) => [name, JSON.stringify(value)]));
}
