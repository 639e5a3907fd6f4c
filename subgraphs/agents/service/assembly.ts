import type { HouseRuntime } from '../../../lib/house.ts';
import { AgentStore } from '../store/agents.ts';
import { CredentialStore } from '../store/credentials.ts';
import { HealthStore } from '../store/health.ts';
import { JobStore } from '../store/jobs.ts';
import { AgentList } from '../store/list.ts';
import { MailStore } from '../store/mail.ts';
import { PastStore } from '../store/past.ts';
import { PeerStore } from '../store/peers.ts';
import { PolicyStore } from '../store/policies.ts';
import { ProfileStore } from '../store/profiles.ts';
import { RecoveryStore } from '../store/recoveries.ts';
import { RolloutStore } from '../store/rollouts.ts';
import { StoryStore } from '../store/story.ts';
import { VersionStore } from '../store/versions.ts';
import { Beats } from './beats.ts';
import { Catalogue } from './catalogue.ts';
import { Causes } from './causes.ts';
import { Connections } from './connections.ts';
import { Credentials } from './credentials.ts';
import { Directory } from './directory.ts';
import { Healer } from './healer.ts';
import { HealthHistory } from './health-history.ts';
import { HealthModels } from './health-models.ts';
import { Jobs } from './jobs/jobs.ts';
import { JobRunner } from './jobs/runner.ts';
import { Listening } from './lease.ts';
import { Lives } from './life.ts';
import { LiveFleet } from './live.ts';
import { Mailbox } from './mailbox.ts';
import { Observer } from './observer.ts';
import { Pager } from './pager.ts';
import { Past } from './past.ts';
import { Peers } from './peers.ts';
import { RecoveryPolicies } from './policies.ts';
import { Profiles } from './profiles.ts';
import { Proofs } from './proofs.ts';
import { Registry } from './registry.ts';
import { Remedies } from './remedies.ts';
import { assembleRollouts } from './rollout/assembly.ts';
import type { Rollouts } from './rollout/rollouts.ts';
import { Targets } from './rollout/targets.ts';
import { Rounds } from './rounds.ts';
import { Stories } from './stories.ts';
import { VersionedConfigs } from './version/versioned-configs.ts';
import { Versions } from './version/versions.ts';
import { Watch } from './watch.ts';

/** The house's services, made once. */
export interface AgentsServices {
  registry: Registry;
  lives: Lives;
  beats: Pick<Beats, 'take' | 'takeAll'>;
  mailbox: Mailbox;
  credentials: Credentials;
  catalogue: Catalogue;
  versions: Versions;
  rollouts: Rollouts;
  directory: Directory;
  jobs: Jobs;
  past: Past;
  policies: RecoveryPolicies;
  profiles: Profiles;
  healthModels: HealthModels;
}

/** The rooms of the house, furnished. */
export interface Assembly {
  agents: AgentStore;
  fleet: LiveFleet;
  services: AgentsServices;
  rounds: Rounds;
}

export function assemble(runtime: HouseRuntime): Assembly {
  const { database, settings, flags, clock, writes, cursors, events, moments, houses, log } = runtime;
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
  const recoveries = new RecoveryStore(database);
  const policies = new RecoveryPolicies(new PolicyStore(database), writes);
  const remedies = new Remedies(agents, recoveries, story, mailbox, writes, clock);
  const healer = new Healer(policies, remedies, recoveries, mailbox, fleet, clock, flags);
  const proofs = new Proofs(recoveries, clock);
  const healths = new HealthStore(database);
  const healthModels = new HealthModels(healths, fleet, writes, clock);
  const history = new HealthHistory(healths, fleet, clock);
  const causes = new Causes(fleet, clock);
  const pager = new Pager(recoveries, houses['alerts'], clock);
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
  const kept = { kept: settings.FLEET_PROFILES_KEPT, keptDays: settings.FLEET_PROFILE_DAYS };
  const profiles = new Profiles(new ProfileStore(database), agents, story, mailbox, writes, clock, kept);
  const past = new Past(new PastStore(database), clock, settings.FLEET_AGENT_HISTORY_DAYS);
  const lines = { keptDays: settings.FLEET_AGENT_STORY_DAYS, keptLines: settings.FLEET_AGENT_STORY_LINES };
  const stories = new Stories(story, clock, lines);
  return {
    agents,
    fleet,
    services: {
      registry,
      lives,
      beats: new Beats(fleet, observer, mailbox, listening, measuring, proofs, clock, patience),
      mailbox,
      credentials,
      versions,
      rollouts,
      catalogue: new Catalogue(agents, list, story, fleet, observer, cursors, events, moments),
      directory,
      jobs: new Jobs(jobStore, list, writes, cursors, events, clock, () => runner.wake()),
      past,
      policies,
      profiles,
      healthModels,
    },
    rounds: new Rounds({
      ...{ watch, observer, mailbox, peers, credentials, runner, past, measuring, conductor, drift, events, log },
      ...{ policies, healthModels, history, causes, proofs, pager, profiles, stories },
    }),
  };
}
