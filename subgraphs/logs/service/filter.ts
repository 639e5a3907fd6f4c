import { FleetError } from '../../../lib/errors.ts';
import type { LogFilter } from '../../../lib/graphql/log-filter.ts';
import { durationMs } from '../../../lib/graphql/scalars.ts';
import type { TimeRange } from '../../../lib/graphql/shared.ts';
import { uuidOf } from '../../../lib/node-id.ts';
import { parseSearch } from '../../../lib/search/index.ts';
import { LOG_FIELDS, type LogCriteria, nanosOf, SEVERITIES } from '../store/index.ts';

const MAX_LISTED = 1_000;

/**
 * Checks a filter and says it in the store's terms.
 * @throws BAD_QUERY with the column; BAD_INPUT for an id that is no agent's, a bad trace id or range, or too long a list
 */
export function criteriaOf(filter: LogFilter | null | undefined, nowMs: number): LogCriteria {
  if (!filter) return {};
  const { query, severities, minSeverity, services, agentIds, traceId, range, attributes } = filter;
  for (const [name, list] of Object.entries({ severities, services, agentIds, attributes })) {
    if (list && list.length > MAX_LISTED) bad(`at most ${MAX_LISTED} ${name}`, name);
  }
  return {
    ...(query ? { search: parseSearch(query, LOG_FIELDS) } : {}),
    ...(severities ? { ranks: severities.map((severity) => SEVERITIES.indexOf(severity)) } : {}),
    ...(minSeverity ? { minRank: SEVERITIES.indexOf(minSeverity) } : {}),
    ...(services ? { services } : {}),
    ...(agentIds ? { agents: agentIds.map((id) => uuidOf('Agent', id, ['filter', 'agentIds'])) } : {}),
    ...(traceId ? { trace: traceOf(traceId) } : {}),
    ...rangeOf(range, nowMs),
    ...(attributes ? { attributes } : {}),
  };
}

/** Both must hold: for lists that belong to an agent, a trace or an alert. */
export function narrowed(
  criteria: LogCriteria,
  by: Pick<LogCriteria, 'agents' | 'trace' | 'from' | 'to'>,
): LogCriteria {
  const { agents, ...rest } = by;
  if (!agents) return { ...criteria, ...rest };
  return {
    ...criteria,
    ...rest,
    agents: criteria.agents ? criteria.agents.filter((uuid) => agents.includes(uuid)) : agents,
  };
}

function rangeOf(range: TimeRange | null | undefined, nowMs: number): Pick<LogCriteria, 'from' | 'to'> {
  const { from, to, last } = range ?? {};
  if (last && (from || to)) bad('give `last`, or `from` and `to`, not both', 'range');
  const until = last ? nowMs : to?.getTime();
  const since = last ? nowMs - (durationMs(last) ?? 0) : from?.getTime();
  return {
    ...(since === undefined ? {} : { from: nanosOf(Math.max(0, since)) }),
    ...(until === undefined ? {} : { to: nanosOf(Math.max(0, until)) }),
  };
}

function traceOf(traceId: string): string {
  if (!/^[0-9a-f]{32}$/i.test(traceId)) bad('a trace id has 32 hexadecimal digits', 'traceId');
  return traceId.toLowerCase();
}

function bad(sentence: string, field: string): never {
  throw new FleetError('BAD_INPUT', sentence, { field: ['filter', field] });
}
