import type { HouseRuntime } from '../../../lib/house.ts';
import type { HouseContext } from '../../../lib/subgraph.ts';
import type { AgentLoaders } from '../loaders.ts';
import type { Beats } from '../service/beats.ts';
import type { Catalogue } from '../service/catalogue.ts';
import type { Credentials } from '../service/credentials.ts';
import type { Lives } from '../service/life.ts';
import type { Mailbox } from '../service/mailbox.ts';
import type { Registry } from '../service/registry.ts';

/** The house's services, made once. */
export interface AgentsServices {
  registry: Registry;
  lives: Lives;
  beats: Beats;
  mailbox: Mailbox;
  credentials: Credentials;
  catalogue: Catalogue;
}

/** What every resolver of this house may reach for. Made anew for each request. */
export interface AgentsContext extends HouseContext {
  runtime: HouseRuntime;
  services: AgentsServices;
  agents: AgentLoaders;
}
