import type { HouseRuntime } from '../../lib/house.ts';
import type { AgentsServices } from './resolver/context.ts';
import { Beats } from './service/beats.ts';
import { Catalogue } from './service/catalogue.ts';
import { Credentials } from './service/credentials.ts';
import { Healer } from './service/healer.ts';
import { Listening } from './service/lease.ts';
import { Lives } from './service/life.ts';
import { LiveFleet } from './service/live.ts';
import { Mailbox } from './service/mailbox.ts';
import { Observer } from './service/observer.ts';
import { Registry } from './service/registry.ts';
import { Rounds } from './service/rounds.ts';
import { Watch } from './service/watch.ts';
import { AgentStore } from './store/agents.ts';
import { CredentialStore } from './store/credentials.ts';
import { AgentList } from './store/list.ts';
import { MailStore } from './store/mail.ts';
import { StoryStore } from './store/story.ts';

/** The rooms of the house, furnished. */
export interface Assembly {
  agents: AgentStore;
  services: AgentsServices;
  rounds: Rounds;
}

export function assemble({ database, settings, clock, writes, cursors, events, log }: HouseRuntime): Assembly {
  const agents = new AgentStore(database);
  const mail = new MailStore(database);
  const story = new StoryStore(database);
  const keys = new CredentialStore(database);
  const terms = { beatEveryMs: settings.FLEET_BEAT_MS, leaseBeats: settings.FLEET_LEASE_BEATS };
  const fleet = new LiveFleet(agents, terms);
  const listening = new Listening(terms, clock.nowMs());
  const mailbox = new Mailbox(agents, mail, story, writes, fleet, cursors, clock);
  const observer = new Observer(agents, story, writes, fleet, clock);
  const healer = new Healer(agents, story, mailbox, writes, fleet, clock);
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
      catalogue: new Catalogue(agents, new AgentList(database), story, cursors, events),
    },
    rounds: new Rounds({ watch, observer, mailbox, credentials, events, log }),
  };
}
