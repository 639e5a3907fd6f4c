import type { SearchFields } from '../../../lib/search/index.ts';
import { AlertSeverity, AlertState } from './enums.ts';
import type { AlertSnapshot } from './snapshot.ts';

/** Where words and phrases of a search are looked for. */
export function wordsOfAlert({
  name,
  labels,
  annotations,
}: Pick<AlertSnapshot, 'name' | 'labels' | 'annotations'>): string {
  return [name, ...Object.values(labels), ...Object.values(annotations)].join('\n');
}

const lower = (names: readonly string[]) => names.map((name) => name.toLowerCase());

/** What a search may ask of alerts. */
export const ALERT_SEARCH: SearchFields<AlertSnapshot> = {
  words: wordsOfAlert,
  fields: {
    name: { type: 'keyword', read: ({ name }) => name },
    rule: { type: 'keyword', read: ({ ruleName }) => ruleName },
    agent: { type: 'keyword', read: ({ labels, agentId }) => [labels['agent'], agentId] },
    fingerprint: { type: 'keyword', read: ({ fingerprint }) => fingerprint },
    traceId: { type: 'keyword', read: ({ traceId }) => traceId },
    severity: { type: 'rank', ranks: lower(Object.values(AlertSeverity)), read: ({ severity }) => severity },
    state: { type: 'rank', ranks: lower(Object.values(AlertState)), read: ({ state }) => state },
    value: { type: 'number', read: ({ value }) => value },
    startedAt: { type: 'time', read: ({ startedAt }) => new Date(startedAt) },
    labels: { type: 'any', open: true, read: ({ labels }, path) => labels[path] },
  },
};
