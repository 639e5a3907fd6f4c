import type { HouseRuntime } from '../../../lib/house.ts';
import { AgentStore } from '../store/agents.ts';
import { CredentialStore } from '../store/credentials.ts';
import { HealthStore } from '../store/health.ts';
import { AgentList } from '../store/list.ts';
import { MailStore } from '../store/mail.ts';
import { PolicyStore } from '../store/policies.ts';
import { RecoveryStore } from '../store/recoveries.ts';
import { StoryStore } from '../store/story.ts';
import { Beats } from './beats.ts';
import { Catalogue } from './catalogue.ts';
import { Causes } from './causes.ts';
import { Credentials } from './credentials.ts';
import { Healer } from './healer.ts';
import { HealthHistory } from './health-history.ts';
import { HealthModels } from './health-models.ts';
import { Listening } from './lease.ts';
import { Lives } from './life.ts';
import { LiveFleet } from './live.ts';
import { Mailbox } from './mailbox.ts';
import { Observer } from './observer.ts';
import { Pager } from './pager.ts';
import { RecoveryPolicies } from './policies.ts';
import { Proofs } from './proofs.ts';
import { Registry } from './registry.ts';
import { Remedies } from './remedies.ts';
import { Rounds } from './rounds.ts';
import { Watch } from './watch.ts';

/** The house's services, made once. */
export interface AgentsServices {
  registry: Registry;
  lives: Lives;
  beats: Beats;
  mailbox: Mailbox;
  credentials: Credentials;
  catalogue: Catalogue;
  policies: RecoveryPolicies;
  healthModels: HealthModels;
}

/** The rooms of the house, furnished. */
export interface Assembly {
  agents: AgentStore;
  services: AgentsServices;
  rounds: Rounds;
}

export function assemble({
  database,
  settings,
  flags,
  clock,
  writes,
  cursors,
  events,
  moments,
  houses,
  log,
}: HouseRuntime): Assembly {
  const agents = new AgentStore(database);
  const mail = new MailStore(database);
  const story = new StoryStore(database);
  const keys = new CredentialStore(database);
  const terms = { beatEveryMs: settings.FLEET_BEAT_MS, leaseBeats: settings.FLEET_LEASE_BEATS };
  const fleet = new LiveFleet(agents, terms);
  const listening = new Listening(terms, clock.nowMs());
  const mailbox = new Mailbox(agents, mail, story, writes, fleet, cursors, clock);
  const observer = new Observer(agents, story, writes, fleet, clock);
  const recoveries = new RecoveryStore(database);
  const policies = new RecoveryPolicies(new PolicyStore(database), writes);
  const remedies = new Remedies(agents, recoveries, story, mailbox, writes, clock);
  const healer = new Healer(policies, remedies, recoveries, mailbox, fleet, clock, flags);
  const proofs = new Proofs(recoveries, fleet, clock);
  const healths = new HealthStore(database);
  const healthModels = new HealthModels(healths, fleet, writes, clock);
  const history = new HealthHistory(healths, fleet, clock);
  const causes = new Causes(fleet, clock);
  const pager = new Pager(recoveries, houses['alerts'], clock);
  const watch = new Watch(agents, fleet, observer, healer, listening, clock);
  const credentials = new Credentials(keys, writes, clock);
  const registry = new Registry(agents, mail, story, keys, writes, fleet, clock);
  const lives = new Lives(agents, mail, story, keys, registry, mailbox, writes, fleet, clock);
  return {
    agents,
    services: {
      registry,
      lives,
      beats: new Beats(fleet, observer, mailbox, listening, clock),
      mailbox,
      credentials,
      catalogue: new Catalogue(agents, new AgentList(database), story, cursors, events, moments),
      policies,
      healthModels,
    },
    rounds: new Rounds({
      watch,
      observer,
      mailbox,
      credentials,
      policies,
      healthModels,
      history,
      causes,
      proofs,
      pager,
      events,
      log,
    }),
  };
}
