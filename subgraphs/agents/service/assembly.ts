import type { HouseRuntime } from '../../../lib/house.ts';
import { AgentStore } from '../store/agents.ts';
import { CredentialStore } from '../store/credentials.ts';
import { AgentList } from '../store/list.ts';
import { MailStore } from '../store/mail.ts';
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
import { Listening } from './lease.ts';
import { Lives } from './life.ts';
import { LiveFleet } from './live.ts';
import { Mailbox } from './mailbox.ts';
import { Observer } from './observer.ts';
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
  const connections = new Connections(clock);
  const mailbox = new Mailbox(agents, mail, story, writes, fleet, connections, cursors, clock);
  const observer = new Observer(agents, story, writes, fleet, clock);
  const healer = new Healer(agents, story, mailbox, writes, fleet, clock, flags);
  const peers = new Peers(new PeerStore(database), clock);
  const watch = new Watch(agents, fleet, observer, healer, listening, connections, clock);
  const credentials = new Credentials(keys, writes, clock);
  const versions = new Versions(published, configs, writes, clock);
  const targets = new Targets(agents, rolled, published, configs);
  const registry = new Registry(agents, mail, story, keys, versions, targets, writes, fleet, clock);
  const lives = new Lives(agents, mail, story, keys, registry, mailbox, versions, writes, fleet, clock);
  const { measuring, conductor, drift, rollouts } = assembleRollouts(runtime, {
    ...{ agents, mail, story, rollouts: rolled, versions: published, configs, targets, mailbox, fleet },
  });
  const directory = new Directory(agents, moments, events, log, clock.nowMs());
  return {
    agents,
    fleet,
    services: {
      registry,
      lives,
      beats: new Beats(fleet, observer, mailbox, listening, measuring, clock),
      mailbox,
      credentials,
      versions,
      rollouts,
      catalogue: new Catalogue(agents, new AgentList(database), story, fleet, observer, cursors, events, moments),
      directory,
    },
    rounds: new Rounds({ watch, observer, mailbox, peers, credentials, measuring, conductor, drift, events, log }),
  };
}
