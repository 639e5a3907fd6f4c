import type { HouseRuntime } from '../../../lib/house.ts';
import { AgentStore } from '../store/agents.ts';
import { CredentialStore } from '../store/credentials.ts';
import { JobStore } from '../store/jobs.ts';
import { AgentList } from '../store/list.ts';
import { MailStore } from '../store/mail.ts';
import { PastStore } from '../store/past.ts';
import { StoryStore } from '../store/story.ts';
import { Beats } from './beats.ts';
import { Catalogue } from './catalogue.ts';
import { Credentials } from './credentials.ts';
import { Healer } from './healer.ts';
import { Jobs } from './jobs/jobs.ts';
import { JobRunner } from './jobs/runner.ts';
import { Listening } from './lease.ts';
import { Lives } from './life.ts';
import { LiveFleet } from './live.ts';
import { Mailbox } from './mailbox.ts';
import { Observer } from './observer.ts';
import { Past } from './past.ts';
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
  jobs: Jobs;
  past: Past;
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
  const patience = { STARTING: settings.FLEET_STARTING_MS, STOPPING: settings.FLEET_STOPPING_MS };
  const mailbox = new Mailbox(agents, mail, story, writes, fleet, cursors, clock);
  const observer = new Observer(agents, story, writes, fleet, clock);
  const healer = new Healer(agents, story, mailbox, writes, fleet, clock, flags);
  const watch = new Watch(agents, fleet, observer, healer, listening, clock, patience);
  const credentials = new Credentials(keys, writes, clock);
  const registry = new Registry(agents, mail, story, keys, writes, fleet, clock);
  const lives = new Lives(agents, mail, story, keys, registry, mailbox, writes, fleet, clock);
  const jobStore = new JobStore(database);
  const list = new AgentList(database);
  const runner = new JobRunner(jobStore, agents, mail, story, mailbox, writes, fleet, clock, log);
  const past = new Past(new PastStore(database), clock, settings.FLEET_AGENT_HISTORY_DAYS);
  return {
    agents,
    services: {
      registry,
      lives,
      beats: new Beats(fleet, observer, mailbox, listening, clock, patience),
      mailbox,
      credentials,
      catalogue: new Catalogue(agents, list, story, cursors, events, moments),
      jobs: new Jobs(jobStore, list, writes, cursors, events, clock, () => runner.wake()),
      past,
    },
    rounds: new Rounds({ watch, observer, mailbox, credentials, runner, past, events, log }),
  };
}
