import type { HouseRuntime } from '../../../lib/house.ts';
import type { HouseContext } from '../../../lib/subgraph.ts';
import type { AgentLoaders } from '../loaders.ts';
import type { AgentsServices } from '../service/assembly.ts';

/** What every resolver of this house may reach for. Made anew for each request. */
export interface AgentsContext extends HouseContext {
  runtime: HouseRuntime;
  services: AgentsServices;
  agents: AgentLoaders;
}
