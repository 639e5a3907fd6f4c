import type { HouseRuntime } from '../../../lib/house.ts';
import { AgentStore } from '../store/agents.ts';
import { CredentialStore } from '../store/credentials.ts';
import { AgentList } from '../store/list.ts';
import { MailStore } from '../store/mail.ts';
import { PeerStore } from '../store/peers.ts';
import { StoryStore } from '../store/story.ts';
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
  directory: Directory;
}

/** The rooms of the house, furnished. */
export interface Assembly {
  agents: AgentStore;
  fleet: LiveFleet;
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
  log,
}: HouseRuntime): Assembly {
  const agents = new AgentStore(database);
  const mail = new MailStore(database);
  const story = new StoryStore(database);
  const keys = new CredentialStore(database);
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
  const registry = new Registry(agents, mail, story, keys, writes, fleet, clock);
  const lives = new Lives(agents, mail, story, keys, registry, mailbox, writes, fleet, clock);
  const directory = new Directory(agents, moments, events, log, clock.nowMs());
  return {
    agents,
    fleet,
    services: {
      registry,
      lives,
      beats: new Beats(fleet, observer, mailbox, listening, clock),
      mailbox,
      credentials,
      catalogue: new Catalogue(agents, new AgentList(database), story, fleet, observer, cursors, events, moments),
      directory,
    },
    rounds: new Rounds({ watch, observer, mailbox, peers, credentials, events, log }),
  };
}
