import { AgentPresence } from '../../../lib/graphql/agent-presence.ts';
import type { SearchField, SearchFields } from '../../../lib/search/index.ts';
import { AgentState } from './enums.ts';

/** An agent as a change stream has it. */
export type AgentSnapshot = Readonly<Record<string, unknown>>;

/** Names that stand for themselves whatever their case. */
const lower = (names: Record<string, string>) => Object.values(names).map((name) => name.toLowerCase());
const own = (name: string, rest: Partial<SearchField<AgentSnapshot>> = {}): SearchField<AgentSnapshot> => ({
  type: 'keyword',
  read: (agent) => agent[name],
  ...rest,
});

/** What can be searched in an agent: words of its name and kind, and these fields. */
export const AGENT_SEARCH: SearchFields<AgentSnapshot> = {
  words: ({ name, kind }) => `${name} ${kind}`,
  fields: {
    name: own('name'),
    kind: own('kind'),
    version: own('version'),
    state: own('state', { type: 'rank', ranks: lower(AgentState) }),
    presence: own('presence', { type: 'rank', ranks: lower(AgentPresence) }),
    health: own('healthScore', { type: 'number' }),
    labels: own('labels', {
      type: 'any',
      open: true,
      read: ({ labels }, path) => {
        const given = labels as Record<string, string>;
        return Object.hasOwn(given, path) ? given[path] : undefined;
      },
    }),
  },
};
