import type { HouseRuntime } from '../../../../lib/house.ts';
import type { AgentStore } from '../../store/agents.ts';
import { DriftStore } from '../../store/drift.ts';
import type { MailStore } from '../../store/mail.ts';
import { ReadingStore } from '../../store/readings.ts';
import type { RolloutStore } from '../../store/rollouts.ts';
import type { StoryStore } from '../../store/story.ts';
import type { VersionStore } from '../../store/versions.ts';
import type { LiveFleet } from '../live.ts';
import type { Mailbox } from '../mailbox.ts';
import type { VersionedConfigs } from '../version/versioned-configs.ts';
import { Alarms } from './alarms.ts';
import { Conductor } from './conductor.ts';
import { Drift } from './drift.ts';
import { READING_FIELDS } from './evidence.ts';
import { Measuring } from './measuring.ts';
import { Rollouts } from './rollouts.ts';
import type { Targets } from './targets.ts';
import { Upgrades } from './upgrades.ts';

export interface RolloutParts {
  agents: AgentStore;
  mail: MailStore;
  story: StoryStore;
  rollouts: RolloutStore;
  versions: VersionStore;
  configs: VersionedConfigs;
  targets: Targets;
  mailbox: Mailbox;
  fleet: LiveFleet;
}

/** What takes versions into the fleet. */
export function assembleRollouts(runtime: HouseRuntime, parts: RolloutParts) {
  const { database, clock, settings, writes, cursors, events, houses } = runtime;
  const { agents, mail, story, rollouts, versions, configs, targets, mailbox, fleet } = parts;
  // Restarts are counted by the agents' rows.
  const readings = new ReadingStore(
    database,
    READING_FIELDS.filter((field) => field !== 'restarts'),
  );
  const upgrades = new Upgrades(agents, mail, story, mailbox, clock);
  const alarms = new Alarms(houses['alerts'], clock);
  const conductor = new Conductor({
    ...{ rollouts, readings, agents, versions, configs, upgrades, mailbox, alarms, writes, fleet, clock },
  });
  const drifts = new DriftStore(database);
  const drift = new Drift(
    { drifts, agents, story, upgrades, mailbox, writes, fleet, clock },
    { graceMs: settings.FLEET_DRIFT_GRACE_MS, repairs: settings.FLEET_DRIFT_REPAIR },
  );
  return {
    drift,
    conductor,
    measuring: new Measuring(readings),
    rollouts: new Rollouts(rollouts, versions, configs, targets, conductor, writes, cursors, events, clock),
  };
}
