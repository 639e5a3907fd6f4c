import type { HouseRuntime } from '../../../lib/house.ts';
import { AgentStore } from '../store/agents.ts';
import { CredentialStore } from '../store/credentials.ts';
import { AgentList } from '../store/list.ts';
import { MailStore } from '../store/mail.ts';
import { StoryStore } from '../store/story.ts';
import { VersionStore } from '../store/versions.ts';
import { Beats } from './beats.ts';
import { Catalogue } from './catalogue.ts';
import { Credentials } from './credentials.ts';
import { Healer } from './healer.ts';
import { Listening } from './lease.ts';
import { Lives } from './life.ts';
import { LiveFleet } from './live.ts';
import { Mailbox } from './mailbox.ts';
import { Observer } from './observer.ts';
import { Registry } from './registry.ts';
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
  const healer = new Healer(agents, story, mailbox, writes, fleet, clock, flags);
  const watch = new Watch(agents, fleet, observer, healer, listening, clock);
  const credentials = new Credentials(keys, writes, clock);
  const versions = new Versions(new VersionStore(database), new VersionedConfigs(), writes, clock);
  const registry = new Registry(agents, mail, story, keys, versions, writes, fleet, clock);
  const lives = new Lives(agents, mail, story, keys, registry, mailbox, versions, writes, fleet, clock);
  return {
    agents,
    services: {
      registry,
      lives,
      beats: new Beats(fleet, observer, mailbox, listening, clock),
      mailbox,
      credentials,
      catalogue: new Catalogue(agents, new AgentList(database), story, cursors, events, moments),
      versions,
    },
    rounds: new Rounds({ watch, observer, mailbox, credentials, events, log }),
  };
}
