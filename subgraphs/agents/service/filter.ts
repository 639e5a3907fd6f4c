import { uuidOf } from '../../../lib/node-id.ts';
import { parseSearch } from '../../../lib/search/index.ts';
import type { AgentCriteria } from '../entity/criteria.ts';
import { AGENT_SEARCH } from '../entity/search.ts';

/** A filter as callers write it. */
export type AgentFilterArgs = {
  [Part in keyof Omit<AgentCriteria, 'uuids' | 'search'>]?: AgentCriteria[Part] | null | undefined;
} & { ids?: readonly string[] | null | undefined; query?: string | null | undefined };

/** @throws BAD_INPUT for an id that is none, BAD_QUERY for a search that cannot be read */
export function criteriaOf({ ids, query, ...filter }: AgentFilterArgs): AgentCriteria {
  const search = query == null ? null : parseSearch(query, AGENT_SEARCH);
  const given = Object.entries(filter).filter(([, value]) => value != null);
  return {
    ...(Object.fromEntries(given) as AgentCriteria),
    ...(search ? { search } : {}),
    ...(ids ? { uuids: ids.map((id) => uuidOf('Agent', id, ['filter', 'ids'])) } : {}),
  };
}
