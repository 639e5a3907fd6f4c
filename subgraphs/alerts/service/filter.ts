import type { Clock } from '../../../lib/clock.ts';
import { durationMs } from '../../../lib/graphql/scalars.ts';
import { labelsMatch } from '../../../lib/label-match.ts';
import { compileSearch, parseSearch } from '../../../lib/search/index.ts';
import type { AlertFilter } from '../entity/inputs.ts';
import { ALERT_SEARCH } from '../entity/search.ts';
import type { AlertSnapshot } from '../entity/snapshot.ts';

/**
 * The filter as a function over what events carry.
 * @throws BAD_INPUT for an expression that cannot be used, BAD_QUERY for a `query` that is none
 */
export function matcherOf(filter: AlertFilter, clock: Clock): (alert: AlertSnapshot) => boolean {
  const anyOf = (list: readonly string[] | null | undefined, value: string | null) =>
    !list || (value !== null && list.includes(value));
  const labels = labelsMatch(filter.labels ?? []);
  const search = filter.query == null ? null : parseSearch(filter.query, ALERT_SEARCH);
  const found = search ? compileSearch(search, ALERT_SEARCH) : () => true;
  return (alert) =>
    anyOf(filter.states, alert.state) &&
    anyOf(filter.severities, alert.severity) &&
    anyOf(filter.names, alert.name) &&
    anyOf(filter.agentIds, alert.agentId) &&
    anyOf(filter.rules, alert.ruleName) &&
    (filter.acknowledged == null || (alert.acknowledgement !== null) === filter.acknowledged) &&
    inRange(filter, Date.parse(alert.startedAt), clock) &&
    labels(alert.labels) &&
    found(alert);
}

function inRange({ range }: AlertFilter, startedAtMs: number, clock: Clock): boolean {
  if (range?.last != null) return startedAtMs >= clock.nowMs() - (durationMs(range.last) ?? 0);
  return (!range?.from || startedAtMs >= range.from.getTime()) && (!range?.to || startedAtMs < range.to.getTime());
}
