import type { Clock } from '../../../../lib/clock.ts';
import type { Transaction } from '../../../../lib/database.ts';
import type { EventDraft } from '../../../../lib/write/rows.ts';
import type { Writes } from '../../../../lib/write/writes.ts';
import { type Agent, snapshotOf } from '../../entity/agent.ts';
import type { AgentStore } from '../../store/agents.ts';
import type { DriftStore } from '../../store/drift.ts';
import type { StoryStore } from '../../store/story.ts';
import type { LiveFleet } from '../live.ts';
import type { Mailbox } from '../mailbox.ts';
import { agentEvent, SYSTEM } from '../record.ts';
import { compareVersions } from '../version/semver.ts';
import type { Upgrades } from './upgrades.ts';

export interface DriftTerms {
  /** How long an agent may run something else before it is told of, milliseconds. */
  graceMs: number;
  /** Whether what it should run is sent again. */
  repairs: boolean;
}

export interface DriftParts {
  drifts: DriftStore;
  agents: AgentStore;
  story: StoryStore;
  upgrades: Upgrades;
  mailbox: Mailbox;
  writes: Writes;
  fleet: LiveFleet;
  clock: Clock;
}

/** After so many graces an agent that still drifts is asked again. */
const AGAIN = 10;

/** Finds agents that run something else than they should, tells it, and sends them again what they should run. */
export class Drift {
  constructor(
    private readonly parts: DriftParts,
    private readonly terms: DriftTerms,
  ) {}

  async round(): Promise<void> {
    const { drifts, clock } = this.parts;
    const nowMs = clock.nowMs();
    await drifts.note(new Date(nowMs));
    for (const uuid of await drifts.over()) await this.#change(uuid, (tx, agent) => this.#end(tx, agent));
    const since = new Date(nowMs - this.terms.graceMs);
    const told = new Date(nowMs - this.terms.graceMs * AGAIN);
    for (const uuid of await drifts.due(since, told))
      await this.#change(uuid, (tx, agent) => this.#find(tx, agent, nowMs));
  }

  async #change(uuid: string, work: (tx: Transaction, agent: Agent) => Promise<EventDraft[]>): Promise<void> {
    const { agents, writes, fleet, mailbox } = this.parts;
    const written = await writes.transaction(async (tx) => {
      const agent = await agents.lock(tx, uuid);
      if (!agent || agent.deregisteredAt) return undefined;
      const events = await work(tx, agent);
      await writes.system(tx, 'agents', [], events);
      return agent;
    });
    if (!written) return;
    fleet.adopt(written);
    mailbox.wake(written.uuid);
  }

  async #find(tx: Transaction, agent: Agent, nowMs: number): Promise<EventDraft[]> {
    const since = agent.driftingAt ?? new Date(nowMs);
    const found = differenceOf(agent);
    if (!found) return [];
    const { events, outcome } = await this.#repair(tx, agent);
    const previous = snapshotOf(agent);
    agent.driftingAt = since;
    agent.driftToldAt = new Date(nowMs);
    const reason = `${found}; ${outcome}`;
    await this.#tell(tx, agent, 'drift.found', { reason });
    await this.parts.agents.save(tx, agent);
    const [action, target] = ['agent.drift.found', { type: 'Agent', id: agent.id }];
    const after = { version: agent.version, desiredVersion: agent.desiredVersion, configVersion: agent.configVersion };
    await this.parts.writes.system(tx, 'agents', [{ action, target, reason, after }]);
    return [...events, agentEvent(agent, previous)];
  }

  /** Sends again what the agent should run. One that runs a newer version was given it on purpose: it is told of only. */
  async #repair(tx: Transaction, agent: Agent): Promise<{ events: EventDraft[]; outcome: string }> {
    const { upgrades, mailbox, agents } = this.parts;
    const { desiredVersion } = agent;
    if (!this.terms.repairs) return { events: [], outcome: 'nothing is sent, as set' };
    if (desiredVersion === null || desiredVersion === agent.version) {
      const letter = { name: 'config', arguments: { configVersion: agent.configVersion } };
      const { event } = await mailbox.post(tx, agent, SYSTEM, letter);
      await agents.save(tx, agent);
      return { events: [event], outcome: 'it is asked again to take it over' };
    }
    if (compareVersions(agent.version, desiredVersion) > 0 && agent.nextConfig === null) {
      return { events: [], outcome: 'its version is newer: nothing is sent' };
    }
    // Unless another one waits for it, its configuration is that of the version it should run.
    const config = agent.nextConfig ?? agent.config;
    const wanted = { version: desiredVersion, config, reason: `it runs ${agent.version}` };
    const events = await upgrades.ask(tx, agent, SYSTEM, wanted);
    return { events, outcome: `it is asked for ${desiredVersion} again` };
  }

  async #end(tx: Transaction, agent: Agent): Promise<EventDraft[]> {
    const previous = snapshotOf(agent);
    const events = await this.parts.upgrades.settle(tx, agent, SYSTEM);
    agent.driftingAt = null;
    agent.driftToldAt = null;
    await this.#tell(tx, agent, 'drift.ended', { version: agent.version });
    await this.parts.agents.save(tx, agent);
    return events.length ? events : [agentEvent(agent, previous)];
  }

  #tell(tx: Transaction, agent: Agent, name: string, detail: Record<string, unknown>): Promise<void> {
    const { story, clock } = this.parts;
    const occurredAt = new Date(clock.nowMs());
    return story.add(tx, [{ id: clock.uuid(), agentUuid: agent.uuid, occurredAt, name, detail, actor: SYSTEM }]);
  }
}

/** What an agent runs and should not, in words; undefined when there is nothing. */
export function differenceOf(agent: Agent): string | undefined {
  const { version, desiredVersion, configVersion, observedConfigVersion } = agent;
  if (desiredVersion !== null && version !== desiredVersion) return `it runs ${version}, not ${desiredVersion}`;
  if (observedConfigVersion !== null && observedConfigVersion < configVersion) {
    return `it works by configuration ${observedConfigVersion}, not ${configVersion}`;
  }
  return undefined;
}
