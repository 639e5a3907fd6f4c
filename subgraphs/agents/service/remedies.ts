import type { Clock } from '../../../lib/clock.ts';
import type { Transaction } from '../../../lib/database.ts';
import { AgentPresence } from '../../../lib/graphql/agent-presence.ts';
import type { EventDraft } from '../../../lib/write/rows.ts';
import type { SystemEntry, Writes } from '../../../lib/write/writes.ts';
import { type Agent, snapshotOf } from '../entity/agent.ts';
import { AgentState } from '../entity/enums.ts';
import { RecoveryAction, RecoveryMode, type RecoveryPolicy } from '../entity/recovery.ts';
import type { AgentStore } from '../store/agents.ts';
import type { RecoveryStore } from '../store/recoveries.ts';
import type { StoryStore } from '../store/story.ts';
import { commandOf, move, observedState } from './lifecycle.ts';
import type { Mailbox } from './mailbox.ts';
import { agentEvent, SYSTEM } from './record.ts';
import { type Decision, heldBy } from './recovery.ts';

/** A restart that a speaking agent has not done by then is given up; a silent one finds it when it is back. */
const PATIENCE_MS = 60_000;
const ATTEMPTS_KEPT = 20;
/** So many dependants are restarted with an agent at most. */
const MAX_DEPENDANTS = 50;

export type Step = Extract<Decision, { outcome: 'step' }>;

/** What became of a step: the agents it wrote, or why it must wait; undefined when somebody asked something else meanwhile. */
export type Taken = { agents: Agent[] } | { held: string } | undefined;

/** How actions are called in the trail (`agent.recovery.restart`) and in stories (`recovery.restart`). */
const NAMES: Record<RecoveryAction, string> = {
  RESTART: 'restart',
  RESTART_DEPENDANTS: 'restartDependants',
  ROLLBACK_CONFIG: 'rollbackConfig',
  PAUSE: 'pause',
  QUARANTINE: 'quarantine',
  PAGE: 'page',
};

/** What one transaction of a step is about. */
interface Work {
  tx: Transaction;
  agent: Agent;
  step: Step;
  policy: RecoveryPolicy;
  nowMs: number;
  /** uuid of its audit entry. */
  entryId: string;
}

/** Takes the steps that policies decide on, each in one transaction with its audit entry, its story and its events. */
export class Remedies {
  constructor(
    private readonly agents: AgentStore,
    private readonly recoveries: RecoveryStore,
    private readonly story: StoryStore,
    private readonly mailbox: Mailbox,
    private readonly writes: Writes,
    private readonly clock: Clock,
  ) {}

  /** @param dependants uuids of the agents that depend on it */
  take(uuid: string, step: Step, policy: RecoveryPolicy, dependants: readonly string[]): Promise<Taken> {
    const nowMs = this.clock.nowMs();
    const isFor = step.action === RecoveryAction.RESTART_DEPENDANTS ? dependants.slice(0, MAX_DEPENDANTS) : [];
    return this.writes.transaction(async (tx) => {
      const rows = await this.agents.lockMany(tx, [uuid, ...isFor]);
      const agent = rows.find((row) => row.uuid === uuid);
      if (!agent || !isAsked(agent)) return undefined;
      const held = await this.#held(tx, agent, step, policy, nowMs);
      if (held) return { held };
      const work: Work = { tx, agent, step, policy, nowMs, entryId: this.clock.uuid() };
      if (policy.mode === RecoveryMode.OBSERVE) return { agents: [await this.#observe(work)] };
      const others = rows.filter((row) => row !== agent && isAsked(row) && row.presence !== AgentPresence.OFFLINE);
      const written = [await this.#take(work)];
      for (const other of others) {
        const restarted = await this.#restartDependant(work, other);
        if (restarted) written.push(restarted);
      }
      return { agents: written };
    });
  }

  /** Tells an agent's story why nothing is done for it now. */
  tellHeld(uuid: string, reason: string, { name, version }: RecoveryPolicy): Promise<void> {
    const detail = { reason, policy: name, policyVersion: version };
    return this.writes.transaction((tx) => this.#tell(tx, uuid, 'held', detail, this.clock.nowMs()));
  }

  async #held(tx: Transaction, agent: Agent, step: Step, policy: RecoveryPolicy, nowMs: number) {
    if (!step.isDisruptive) return undefined;
    const { size, disturbed } = await this.recoveries.countKind(tx, agent.kind, agent.uuid, nowMs);
    return heldBy(policy, agent.kind, size, disturbed);
  }

  async #take(work: Work): Promise<Agent> {
    const { agent, step } = work;
    const previous = snapshotOf(agent);
    const before = auditedOf(agent);
    const mail = await this.#act(work);
    const events = mail.isVisible ? [agentEvent(agent, previous), ...mail.events] : mail.events;
    await this.#write(work, NAMES[step.action], before, events);
    return agent;
  }

  /** Does the action to the row, and tells the agent by its mailbox. */
  async #act(work: Work): Promise<{ events: EventDraft[]; isVisible: boolean }> {
    const { agent, step } = work;
    switch (step.action) {
      case RecoveryAction.PAGE:
        await this.recoveries.addPage(
          work.tx,
          { id: this.clock.uuid(), agentUuid: agent.uuid, reason: step.reason },
          new Date(work.nowMs),
        );
        return { events: [], isVisible: false };
      case RecoveryAction.ROLLBACK_CONFIG:
        return { events: await this.#rollBack(work), isVisible: true };
      case RecoveryAction.PAUSE:
        return { events: await this.#move(work, 'pause'), isVisible: true };
      case RecoveryAction.QUARANTINE:
        return { events: await this.#move(work, 'quarantine'), isVisible: true };
      default:
        return { events: await this.#move(work, 'restart'), isVisible: false };
    }
  }

  async #move({ tx, agent, step, nowMs }: Work, action: 'restart' | 'pause' | 'quarantine'): Promise<EventDraft[]> {
    const life = { desired: agent.desiredState, reported: agent.reportedState, held: agent.heldState };
    const next = move(agent.name, life, action);
    agent.desiredState = next.desired;
    agent.heldState = next.held;
    agent.state = observedState(next.desired, next.reported);
    const speaks = agent.presence !== AgentPresence.OFFLINE;
    const { event } = await this.mailbox.post(tx, agent, SYSTEM, {
      name: commandOf(action, agent.desiredState),
      arguments: { desiredState: agent.desiredState, reason: step.reason },
      expiresAt: action === 'restart' && speaks ? new Date(nowMs + PATIENCE_MS) : null,
    });
    return [event];
  }

  /** Back to what the agent did well under; a process that is gone or failed starts anew with it. */
  async #rollBack(work: Work): Promise<EventDraft[]> {
    const { tx, agent } = work;
    const proven = await this.recoveries.provenConfig(agent.uuid, tx);
    if (proven) {
      agent.config = proven.config;
      agent.configVersion += 1;
    }
    const { event } = await this.mailbox.post(tx, agent, SYSTEM, {
      name: 'config',
      arguments: { configVersion: agent.configVersion },
    });
    const isDown = agent.presence === AgentPresence.OFFLINE || agent.reportedState === AgentState.FAILED;
    return isDown ? [event, ...(await this.#move(work, 'restart'))] : [event];
  }

  async #restartDependant(work: Work, other: Agent): Promise<Agent | undefined> {
    const step: Step = {
      ...work.step,
      reason: `${work.agent.name}, which it depends on, starts anew`,
      isDisruptive: true,
    };
    if (await this.#held(work.tx, other, step, work.policy, work.nowMs)) return undefined;
    const own: Work = { ...work, agent: other, step, entryId: this.clock.uuid() };
    const before = auditedOf(other);
    const events = await this.#move(own, 'restart');
    await this.#write(own, NAMES.RESTART, before, events, work.entryId);
    return other;
  }

  async #observe(work: Work): Promise<Agent> {
    await this.#write(work, 'observed', auditedOf(work.agent), []);
    return work.agent;
  }

  async #write(
    work: Work,
    name: string,
    before: object,
    events: readonly EventDraft[],
    causedBy?: string,
  ): Promise<void> {
    const { tx, agent, step, policy, nowMs, entryId } = work;
    const isObserved = policy.mode === RecoveryMode.OBSERVE;
    const attempt = {
      step: step.action,
      atMs: nowMs,
      ...(isObserved ? { observed: true } : {}),
      ...(step.isDisruptive ? { isDisruptive: true } : {}),
    };
    agent.recoveries = [...agent.recoveries, attempt].slice(-ATTEMPTS_KEPT);
    await this.agents.save(tx, agent);
    const detail = {
      reason: step.reason,
      trouble: step.trouble,
      action: step.action,
      policy: policy.name,
      policyVersion: policy.version,
    };
    await this.#tell(tx, agent.uuid, name, detail, nowMs);
    const entry: SystemEntry = {
      id: entryId,
      action: `agent.recovery.${name}`,
      target: { type: 'Agent', id: agent.id },
      reason: isObserved ? `would ${NAMES[step.action]}: ${step.reason}` : step.reason,
      before,
      after: auditedOf(agent),
      causedBy: causedBy ?? agent.movedBy ?? undefined,
    };
    await this.writes.system(tx, 'agents', [entry], events);
  }

  #tell(
    tx: Transaction,
    agentUuid: string,
    name: string,
    detail: Record<string, unknown>,
    nowMs: number,
  ): Promise<void> {
    const id = this.clock.uuid();
    const occurredAt = new Date(nowMs);
    return this.story.add(tx, [{ id, agentUuid, occurredAt, name: `recovery.${name}`, detail, actor: SYSTEM }]);
  }
}

const isAsked = (agent: Agent): boolean => !agent.deregisteredAt && agent.desiredState === AgentState.RUNNING;

/** What a step may change of an agent, for the trail. */
function auditedOf({ state, desiredState, configVersion }: Agent): object {
  return { state, desiredState, configVersion };
}
