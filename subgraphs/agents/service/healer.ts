import type { Clock } from '../../../lib/clock.ts';
import type { Flags } from '../../../lib/flags/index.ts';
import { AgentPresence } from '../../../lib/graphql/agent-presence.ts';
import { nodeId } from '../../../lib/node-id.ts';
import type { EventDraft } from '../../../lib/write/rows.ts';
import type { Writes } from '../../../lib/write/writes.ts';
import { type Agent, snapshotOf } from '../entity/agent.ts';
import { AgentState } from '../entity/enums.ts';
import type { AgentStore } from '../store/agents.ts';
import type { StoryStore } from '../store/story.ts';
import { commandOf, move, observedState } from './lifecycle.ts';
import { isCritical, type LiveAgent, type LiveFleet, presenceOf } from './live.ts';
import type { Mailbox } from './mailbox.ts';
import { agentEvent, SYSTEM } from './record.ts';
import { RECOVERY, type Recovery, recoveryOf } from './recovery.ts';

/** A restart that a speaking agent has not done by then is given up; a silent one finds it when it is back. */
const PATIENCE_MS = 60_000;
const ATTEMPTS_KEPT = 20;

/** Does what the recovery policy says, and writes down why. */
export class Healer {
  readonly #jitter = new Map<string, number>();

  constructor(
    private readonly agents: AgentStore,
    private readonly story: StoryStore,
    private readonly mailbox: Mailbox,
    private readonly writes: Writes,
    private readonly fleet: LiveFleet,
    private readonly clock: Clock,
    private readonly flags: Flags,
  ) {}

  /** Whether a closer look is worth it. */
  mayNeed(live: LiveAgent): boolean {
    if (live.heardMs === undefined) return false;
    const isIll =
      live.desired === AgentState.RUNNING &&
      (live.presence === AgentPresence.OFFLINE ||
        live.reported === AgentState.FAILED ||
        live.criticalBeats >= RECOVERY.criticalBeats);
    if (!isIll) return false;
    // One that has just been heard again is OFFLINE only until that is written.
    const isHeard = presenceOf(live, this.fleet.terms, this.clock.nowMs()) !== AgentPresence.OFFLINE;
    if (live.presence === AgentPresence.OFFLINE && isHeard) return false;
    return this.flags.isOn('agents.auto-recovery', { id: nodeId('Agent', live.uuid) });
  }

  async heal(live: LiveAgent, state: AgentState): Promise<void> {
    const nowMs = this.clock.nowMs();
    const restartPending = (await this.mailbox.waiting(live)).some(({ name }) => name === 'restart');
    const jitter = this.#jitter.get(live.uuid) ?? this.clock.random();
    this.#jitter.set(live.uuid, jitter);
    const recovery = recoveryOf(
      {
        state,
        desired: live.desired,
        presence: live.presence,
        grade: live.health.grade,
        criticalBeats: isCritical(live.health) ? live.criticalBeats : 0,
        restartPending,
        attemptsAtMs: live.attemptsAtMs,
      },
      nowMs,
      jitter,
    );
    if (!recovery) return;
    this.#jitter.delete(live.uuid);
    const agent = await this.#step(live, recovery, nowMs);
    if (!agent) return;
    live.criticalBeats = 0;
    this.fleet.adopt(agent);
    this.mailbox.wake(agent.uuid);
  }

  /** @returns the agent as it was written; undefined when somebody asked something else of it meanwhile */
  #step(live: LiveAgent, recovery: Recovery, nowMs: number): Promise<Agent | undefined> {
    return this.writes.transaction(async (tx) => {
      const agent = await this.agents.lock(tx, live.uuid);
      if (!agent || agent.deregisteredAt || agent.desiredState !== AgentState.RUNNING) return undefined;
      const previous = snapshotOf(agent);
      const before = { state: agent.state, desiredState: agent.desiredState };
      const life = { desired: agent.desiredState, reported: agent.reportedState, held: agent.heldState };
      const next = move(agent.name, life, recovery.step);
      agent.desiredState = next.desired;
      agent.heldState = next.held;
      agent.state = observedState(next.desired, next.reported);
      const events: EventDraft[] = [];
      const isRestart = recovery.step === 'restart';
      if (isRestart) agent.recoveredAtMs = [...agent.recoveredAtMs, nowMs].slice(-ATTEMPTS_KEPT);
      else events.push(agentEvent(agent, previous));
      const speaks = agent.presence !== AgentPresence.OFFLINE;
      const { event } = await this.mailbox.post(tx, agent, SYSTEM, {
        name: commandOf(recovery.step, agent.desiredState),
        arguments: { desiredState: agent.desiredState, reason: recovery.reason },
        expiresAt: isRestart && speaks ? new Date(nowMs + PATIENCE_MS) : null,
      });
      await this.agents.save(tx, agent);
      const action = `agent.recovery.${recovery.step}`;
      await this.story.add(tx, [
        {
          id: this.clock.uuid(),
          agentUuid: agent.uuid,
          occurredAt: new Date(nowMs),
          name: `recovery.${recovery.step}`,
          detail: { reason: recovery.reason },
          actor: SYSTEM,
        },
      ]);
      const after = { state: agent.state, desiredState: agent.desiredState };
      const target = { type: 'Agent', id: agent.id };
      await this.writes.system(
        tx,
        'agents',
        [{ action, target, reason: recovery.reason, before, after, causedBy: agent.movedBy ?? undefined }],
        [...events, event],
      );
      return agent;
    });
  }
}
