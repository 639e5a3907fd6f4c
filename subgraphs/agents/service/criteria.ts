import type { AgentPresence } from '../../../lib/graphql/agent-presence.ts';
import type { LabelMatcher } from '../../../lib/graphql/shared.ts';
import { labelsMatch } from '../../../lib/label-match.ts';
import { compileSearch, type SearchNode } from '../../../lib/search/index.ts';
import type { AgentState } from '../entity/enums.ts';
import { AGENT_SEARCH } from './search.ts';

/** Which agents: lists mean any of, and all parts must hold. */
export interface AgentCriteria {
  uuids?: readonly string[];
  names?: readonly string[];
  kinds?: readonly string[];
  versions?: readonly string[];
  states?: readonly AgentState[];
  presences?: readonly AgentPresence[];
  labels?: readonly LabelMatcher[];
  maxHealth?: number;
  /** A parsed search. */
  search?: SearchNode;
}

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
  const { maxHealth = 100 } = criteria;
  return (snapshot) =>
    any.every(([field, values]) => values.has(snapshot[field])) &&
    Number(snapshot['healthScore']) <= maxHealth &&
    labels(snapshot['labels'] as Record<string, string>) &&
    found(snapshot);
}
