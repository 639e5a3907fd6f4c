import DataLoader from 'dataloader';
import type { Agent } from './entity/agent.ts';
import type { AgentProfile } from './entity/profile.ts';
import type { LiveFleet } from './service/live.ts';
import type { Profiles } from './service/profiles.ts';
import type { AgentStore } from './store/agents.ts';

/** Agents of one request, by bare uuid and by name; one statement for all that are asked for at once. */
export interface AgentLoaders {
  byUuid: DataLoader<string, Agent | null>;
  byName: DataLoader<string, Agent | null>;
  /** An agent's profiles, by its bare uuid. */
  profiles: DataLoader<string, AgentProfile[]>;
}

export function agentLoaders(store: AgentStore, fleet: LiveFleet, profiles: Profiles): AgentLoaders {
  return {
    byUuid: new DataLoader(async (uuids) => {
      const rows = new Map((await store.findMany(uuids)).map((agent) => [agent.uuid, fleet.shown(agent)]));
      return uuids.map((uuid) => rows.get(uuid) ?? null);
    }),
    byName: new DataLoader(async (names) => {
      const rows = new Map((await store.findNamed(names)).map((agent) => [agent.name, fleet.shown(agent)]));
      return names.map((name) => rows.get(name) ?? null);
    }),
    profiles: new DataLoader((uuids) => profiles.ofAgents(uuids)),
  };
}
