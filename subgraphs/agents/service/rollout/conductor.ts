import type { Clock } from '../../../../lib/clock.ts';
import type { Transaction } from '../../../../lib/database.ts';
import { asFleetError } from '../../../../lib/errors.ts';
import type { EventDraft } from '../../../../lib/write/rows.ts';
import type { SystemEntry, Writes } from '../../../../lib/write/writes.ts';
import type { Agent } from '../../entity/agent.ts';
import { type Rollout, rolloutSnapshot, stagesOf } from '../../entity/rollout.ts';
import { RolloutPhase } from '../../entity/rollout-enums.ts';
import type { AgentStore } from '../../store/agents.ts';
import type { ReadingStore } from '../../store/readings.ts';
import type { MemberRow, RolloutStore } from '../../store/rollouts.ts';
import type { VersionStore } from '../../store/versions.ts';
import type { LiveFleet } from '../live.ts';
import type { Mailbox } from '../mailbox.ts';
import { SYSTEM } from '../record.ts';
import type { VersionedConfigs } from '../version/versioned-configs.ts';
import type { Alarms } from './alarms.ts';
import { type Look, lookAt } from './look.ts';
import type { Plan } from './plan.ts';
import { readingsOf, rowsOf, sightsOf } from './roll-call.ts';
import { type Effect, ENDED, type Life, type RolloutEvent, type Step, step } from './rules.ts';
import type { Upgrades } from './upgrades.ts';

export interface ConductorParts {
  rollouts: RolloutStore;
  readings: ReadingStore;
  agents: AgentStore;
  versions: VersionStore;
  configs: VersionedConfigs;
  upgrades: Upgrades;
  mailbox: Mailbox;
  alarms: Alarms;
  writes: Writes;
  fleet: LiveFleet;
  clock: Clock;
}

/** What a step wrote, to be told when it is durable. */
export interface Written {
  agents: Agent[];
  events: EventDraft[];
}

/**
 * Takes rollouts forward: each step is one transaction under the lock of the rollout's row, in which the rules decide, agents are
 * asked, and all of it is written; so a process that dies leaves a step done or not begun, and any other goes on.
 */
export class Conductor {
  constructor(private readonly parts: ConductorParts) {}

  /** One step of every rollout under way that no other process has in hand. */
  async round(): Promise<void> {
    for (const uuid of await this.parts.rollouts.active()) await this.#tick(uuid);
  }

  async #tick(uuid: string): Promise<void> {
    const { rollouts, writes, clock, readings, fleet, alarms } = this.parts;
    const alerting = await alarms.firing();
    const written = await writes.transaction(async (tx) => {
      const rollout = await rollouts.lock(tx, uuid, false);
      if (!rollout || rollout.endedAt) return undefined;
      const rows = await rollouts.members(tx, uuid);
      const [plan, life] = [rollout.plan as unknown as Plan, rollout.life as unknown as Life];
      const read = readingsOf(rows, await readings.of(tx, uuid), life, alerting);
      const look = lookAt(plan, life, rows, read, fleet.terms.beatEveryMs);
      const event: RolloutEvent = { kind: 'tick', sights: sightsOf(rows), look };
      return this.#write(
        tx,
        rollout,
        rows,
        step(plan, rollout.version, { life, members: rows }, event, clock.nowMs()),
        look,
      );
    });
    if (written) this.told(written);
  }

  /** Writes what a person asked of a rollout, in the transaction of the mutation. */
  async ask(tx: Transaction, rollout: Rollout, event: RolloutEvent): Promise<Written> {
    const rows = await this.parts.rollouts.members(tx, rollout.uuid);
    const [plan, life] = [rollout.plan as unknown as Plan, rollout.life as unknown as Life];
    const next = step(plan, rollout.version, { life, members: rows }, event, this.parts.clock.nowMs());
    return this.#apply(tx, rollout, rows, next, null);
  }

  /** Tells memory and mailboxes, once a step is durable. */
  told({ agents }: Written): void {
    for (const agent of agents) {
      this.parts.fleet.adopt(agent);
      this.parts.mailbox.wake(agent.uuid);
    }
  }

  async #write(tx: Transaction, rollout: Rollout, rows: MemberRow[], next: Step, look: Look | null): Promise<Written> {
    const before = rollout.life as unknown as Life;
    const written = await this.#apply(tx, rollout, rows, next, look);
    const { life } = next;
    const isMove = life.state !== before.state || life.stage !== before.stage;
    const target = { type: 'Rollout', id: rollout.id };
    const entry: SystemEntry = {
      action: `agent.rollout.${life.state.toLowerCase()}`,
      target,
      reason: life.reason,
      before: { state: before.state, stage: before.stage },
      after: { state: life.state, stage: life.stage, findings: rollout.findings },
      causedBy: rollout.changedBy,
    };
    await this.parts.writes.system(tx, 'agents', isMove ? [entry] : [], written.events);
    return written;
  }

  async #apply(tx: Transaction, rollout: Rollout, rows: MemberRow[], next: Step, look: Look | null): Promise<Written> {
    const { rollouts, clock } = this.parts;
    const previous = rolloutSnapshot(rollout);
    const { life, members, effects } = next;
    const changed = new Map(rowsOf(rows, members).map((row) => [row.agent, row]));
    const { agents, events, refused } = await this.#carryOut(tx, rollout, rows, effects, life.reason);
    for (const [agent, problem] of refused) {
      const row = changed.get(agent) ?? (rows.find((each) => each.agent === agent) as MemberRow);
      changed.set(agent, { ...row, phase: RolloutPhase.GONE, problem });
    }
    await rollouts.saveMembers(tx, rollout.uuid, [...changed.values()]);
    const isDifferent = JSON.stringify(life) !== JSON.stringify(rollout.life);
    if (!changed.size && !look && !isDifferent) return { agents, events };
    const now = rows.map((row) => changed.get(row.agent) ?? row);
    rollout.life = life as never;
    rollout.state = life.state;
    rollout.stages = stagesOf(now, (rollout.plan as unknown as Plan).sizes.length);
    if (look) rollout.findings = look.verdict.findings;
    if (ENDED.includes(life.state)) rollout.endedAt = new Date(clock.nowMs());
    await rollouts.save(tx, rollout);
    const node = rolloutSnapshot(rollout);
    return {
      agents,
      events: [...events, { type: 'Rollout', entityId: rollout.uuid, kind: 'UPDATED', node, previous }],
    };
  }

  /** Asks the agents that the step names, and settles those that came; rows are locked in one order. */
  async #carryOut(
    tx: Transaction,
    rollout: Rollout,
    rows: readonly MemberRow[],
    effects: readonly Effect[],
    reason: string,
  ) {
    const { agents, versions, configs, upgrades } = this.parts;
    const asked = new Map(effects.map(({ agent, kind }) => [agent, kind]));
    const toSettle = rows.filter(({ isToSettle, agent }) => isToSettle && !asked.has(agent)).map(({ agent }) => agent);
    const done: Agent[] = [];
    const events: EventDraft[] = [];
    const refused = new Map<string, string>();
    if (!asked.size && !toSettle.length) return { agents: done, events, refused };
    const all = await versions.ofKind(rollout.kind, tx);
    const known = new Map(rows.map((row) => [row.agent, row]));
    for (const agent of await agents.lockMany(tx, [...asked.keys(), ...toSettle])) {
      if (agent.deregisteredAt) continue;
      const kind = asked.get(agent.uuid);
      const { fromVersion, fromConfig } = known.get(agent.uuid) as MemberRow;
      try {
        if (!kind) events.push(...(await upgrades.settle(tx, agent, SYSTEM)));
        else {
          const version = kind === 'upgrade' ? rollout.version : fromVersion;
          const config =
            kind === 'upgrade' ? configs.carry(agent.config, all, agent.version, rollout.version) : fromConfig;
          events.push(...(await upgrades.ask(tx, agent, SYSTEM, { version, config, reason })));
        }
        done.push(agent);
      } catch (error) {
        const expected = asFleetError(error);
        if (!expected) throw error;
        refused.set(agent.uuid, expected.message);
      }
    }
    return { agents: done, events, refused };
  }
}
