import type { HouseRuntime } from '../../../lib/house.ts';
import { AgentStore } from '../store/agents.ts';
import { CredentialStore } from '../store/credentials.ts';
import { JobStore } from '../store/jobs.ts';
import { AgentList } from '../store/list.ts';
import { MailStore } from '../store/mail.ts';
import { PastStore } from '../store/past.ts';
import { PeerStore } from '../store/peers.ts';
import { RolloutStore } from '../store/rollouts.ts';
import { StoryStore } from '../store/story.ts';
import { VersionStore } from '../store/versions.ts';
import { Beats } from './beats.ts';
import { Catalogue } from './catalogue.ts';
import { Connections } from './connections.ts';
import { Credentials } from './credentials.ts';
import { Directory } from './directory.ts';
import { Healer } from './healer.ts';
import { Jobs } from './jobs/jobs.ts';
import { JobRunner } from './jobs/runner.ts';
import { Listening } from './lease.ts';
import { Lives } from './life.ts';
import { LiveFleet } from './live.ts';
import { Mailbox } from './mailbox.ts';
import { Observer } from './observer.ts';
import { Past } from './past.ts';
import { Peers } from './peers.ts';
import { Registry } from './registry.ts';
import { assembleRollouts } from './rollout/assembly.ts';
import type { Rollouts } from './rollout/rollouts.ts';
import { Targets } from './rollout/targets.ts';
import { Rounds } from './rounds.ts';
import { VersionedConfigs } from './version/versioned-configs.ts';
import { Versions } from './version/versions.ts';
import { Watch } from './watch.ts';

/** The house's services, made once. */
export interface AgentsServices {
  registry: Registry;
  lives: Lives;
  beats: Beats;
  mailbox: Mailbox;
  credentials: Credentials;
  catalogue: Catalogue;
  versions: Versions;
  rollouts: Rollouts;
  directory: Directory;
  jobs: Jobs;
  past: Past;
}

/** The rooms of the house, furnished. */
export interface Assembly {
  agents: AgentStore;
  fleet: LiveFleet;
  services: AgentsServices;
  rounds: Rounds;
}

export function assemble(runtime: HouseRuntime): Assembly {
  const { database, settings, flags, clock, writes, cursors, events, moments, log } = runtime;
  const agents = new AgentStore(database);
  const mail = new MailStore(database);
  const story = new StoryStore(database);
  const keys = new CredentialStore(database);
  const published = new VersionStore(database);
  const rolled = new RolloutStore(database);
  const configs = new VersionedConfigs();
  const terms = { beatEveryMs: settings.FLEET_BEAT_MS, leaseBeats: settings.FLEET_LEASE_BEATS };
  const fleet = new LiveFleet(agents, terms);
  const listening = new Listening(() => fleet.terms, clock.nowMs());
  const patience = { STARTING: settings.FLEET_STARTING_MS, STOPPING: settings.FLEET_STOPPING_MS };
  const connections = new Connections(clock);
  const mailbox = new Mailbox(agents, mail, story, writes, fleet, connections, cursors, clock);
  const observer = new Observer(agents, story, writes, fleet, clock);
  const healer = new Healer(agents, story, mailbox, writes, fleet, clock, flags);
  const peers = new Peers(new PeerStore(database), clock);
  const watch = new Watch(agents, fleet, observer, healer, listening, connections, clock, patience);
  const credentials = new Credentials(keys, writes, clock);
  const versions = new Versions(published, configs, writes, clock);
  const targets = new Targets(agents, rolled, published, configs);
  const registry = new Registry(agents, mail, story, keys, versions, targets, writes, fleet, clock);
  const lives = new Lives(agents, mail, story, keys, registry, mailbox, versions, writes, fleet, clock);
  const { measuring, conductor, drift, rollouts } = assembleRollouts(runtime, {
    ...{ agents, mail, story, rollouts: rolled, versions: published, configs, targets, mailbox, fleet },
  });
  const directory = new Directory(agents, moments, events, log, clock.nowMs());
  const jobStore = new JobStore(database);
  const list = new AgentList(database);
  const runner = new JobRunner(jobStore, agents, mail, story, mailbox, writes, fleet, clock, log);
  const past = new Past(new PastStore(database), clock, settings.FLEET_AGENT_HISTORY_DAYS);
  return {
    agents,
    fleet,
    services: {
      registry,
      lives,
      beats: new Beats(fleet, observer, mailbox, listening, measuring, clock, patience),
      mailbox,
      credentials,
      versions,
      rollouts,
      catalogue: new Catalogue(agents, list, story, fleet, observer, cursors, events, moments),
      directory,
      jobs: new Jobs(jobStore, list, writes, cursors, events, clock, () => runner.wake()),
      past,
    },
    rounds: new Rounds({
      ...{ watch, observer, mailbox, peers, credentials, runner, past, measuring, conductor, drift, events, log },
    }),
  };
}
