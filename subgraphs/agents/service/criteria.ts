import { labelsMatch } from '../../../lib/label-match.ts';
import { compileSearch } from '../../../lib/search/index.ts';
import type { AgentCriteria } from '../entity/criteria.ts';
import { AGENT_SEARCH } from '../entity/search.ts';

/**
 * The criteria as a predicate on snapshots in a change stream.
 * @throws BAD_INPUT for an expression that cannot be used
 */
export function matcherOf(criteria: AgentCriteria): (snapshot: Record<string, unknown>) => boolean {
  const any: [string, ReadonlySet<unknown>][] = (
    [
      ['uuid', criteria.uuids],
      ['name', criteria.names],
      ['kind', criteria.kinds],
      ['version', criteria.versions],
      ['state', criteria.states],
      ['presence', criteria.presences],
    ] as const
  ).flatMap(([field, values]) => (values ? [[field, new Set<unknown>(values)] as [string, Set<unknown>]] : []));
  const labels = labelsMatch(criteria.labels ?? []);
  const found = criteria.search ? compileSearch(criteria.search, AGENT_SEARCH) : () => true;
  const { maxHealth = 100, drifted } = criteria;
  return (snapshot) =>
    any.every(([field, values]) => values.has(snapshot[field])) &&
    Number(snapshot['healthScore']) <= maxHealth &&
    (drifted === undefined || (snapshot['driftToldAt'] != null) === drifted) &&
    labels(snapshot['labels'] as Record<string, string>) &&
    found(snapshot);
}
