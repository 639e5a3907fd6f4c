import type { Clock } from '../../../lib/clock.ts';
import type { Flags } from '../../../lib/flags/index.ts';
import { AgentPresence } from '../../../lib/graphql/agent-presence.ts';
import { nodeId } from '../../../lib/node-id.ts';
import { AgentState } from '../entity/enums.ts';
import { RecoveryAction, RecoveryMode, type RecoveryPolicy } from '../entity/recovery.ts';
import type { RecoveryStore } from '../store/recoveries.ts';
import { observedState } from './lifecycle.ts';
import { dependantsOf, type LiveAgent, type LiveFleet, presenceOf, unwellNeedOf } from './live.ts';
import type { Mailbox } from './mailbox.ts';
import { isOfNote } from './of-note.ts';
import type { RecoveryPolicies } from './policies.ts';
import { type RecoveryFacts, recoveryOf, troubleOf } from './recovery.ts';
import type { Remedies } from './remedies.ts';

/** How soon a step that had to wait for others is looked at again, milliseconds. */
const HELD_MS = 1_000;

/** What is remembered of an agent between two looks at it. */
interface Patient {
  jitter: number;
  forgivenMs: number;
  /** Not looked at before. */
  heldUntilMs: number;
  /** What was told last of why it waits. */
  told: string | undefined;
}

/** Has the policies decide for agents in trouble, and has done what they decide. */
export class Healer {
  readonly #patients = new Map<string, Patient>();

  constructor(
    private readonly policies: RecoveryPolicies,
    private readonly remedies: Remedies,
    private readonly recoveries: RecoveryStore,
    private readonly mailbox: Mailbox,
    private readonly fleet: LiveFleet,
    private readonly clock: Clock,
    private readonly flags: Flags,
  ) {}

  /** Whether a closer look is worth it. */
  mayNeed(live: LiveAgent): boolean {
    if (live.heardMs === undefined || live.desired !== AgentState.RUNNING) return false;
    if (!isOfNote(live)) return false;
    const nowMs = this.clock.nowMs();
    // One that has just been heard again is OFFLINE only until that is written.
    const isHeard = presenceOf(live, this.fleet.terms, nowMs) !== AgentPresence.OFFLINE;
    if (live.presence === AgentPresence.OFFLINE && isHeard) return false;
    const policy = this.policies.for(live);
    const state = observedState(live.desired, live.reported);
    if (policy.mode === RecoveryMode.OFF || !troubleOf({ ...live, state }, policy, nowMs)) return false;
    const patient = this.#patients.get(live.uuid);
    if (patient && patient.heldUntilMs > nowMs) return false;
    return this.flags.isOn('agents.auto-recovery', { id: nodeId('Agent', live.uuid) });
  }

  async heal(live: LiveAgent, state: AgentState): Promise<void> {
    const nowMs = this.clock.nowMs();
    const policy = this.policies.for(live);
    const patient = this.#patientOf(live, policy);
    const facts = await this.#factsOf(live, state, policy, patient.forgivenMs);
    const decision = recoveryOf(facts, policy, nowMs, patient.jitter);
    if (decision.outcome === 'leave') return;
    if (decision.outcome === 'wait') {
      return await this.#hold(live, patient, decision.reason, decision.about, policy);
    }
    const isWithOthers = decision.action === RecoveryAction.RESTART_DEPENDANTS;
    const dependants = isWithOthers ? dependantsOf(this.fleet, live).map(({ uuid }) => uuid) : [];
    const taken = await this.remedies.take(live.uuid, decision, policy, dependants);
    if (!taken) return;
    if ('held' in taken) return await this.#hold(live, patient, taken.held, 'blast radius', policy);
    this.#patients.set(live.uuid, { ...patient, jitter: this.clock.random(), told: undefined });
    Object.assign(live, { criticalBeats: 0, degradedBeats: 0, acuteBeats: 0 });
    for (const agent of taken.agents) {
      this.fleet.adopt(agent);
      this.mailbox.wake(agent.uuid);
    }
  }

  #patientOf(live: LiveAgent, { coolDownMs }: RecoveryPolicy): Patient {
    const known = this.#patients.get(live.uuid);
    const patient = known ?? { jitter: this.clock.random(), forgivenMs: 0, heldUntilMs: 0, told: undefined };
    const { sinceMs, untilMs } = live.well;
    if (untilMs - sinceMs >= coolDownMs) patient.forgivenMs = Math.max(patient.forgivenMs, untilMs);
    this.#patients.set(live.uuid, patient);
    return patient;
  }

  async #factsOf(
    live: LiveAgent,
    state: AgentState,
    policy: RecoveryPolicy,
    forgivenMs: number,
  ): Promise<RecoveryFacts> {
    const rollsBack = policy.steps.some(({ action }) => action === RecoveryAction.ROLLBACK_CONFIG);
    const proven = rollsBack ? await this.recoveries.provenConfig(live.uuid) : undefined;
    return {
      state,
      desired: live.desired,
      presence: live.presence,
      criticalBeats: live.criticalBeats,
      degradedBeats: live.degradedBeats,
      acuteBeats: live.acuteBeats,
      restartPending: (await this.mailbox.waiting(live)).some(({ name }) => name === 'restart'),
      attempts: live.attempts,
      restartsAtMs: live.restartsAtMs,
      forgivenMs,
      spentShare: live.spentShare,
      provenConfig: proven?.version,
      cause: live.cause?.name,
      unwellNeed: live.acuteBeats ? unwellNeedOf(this.fleet, live)?.name : undefined,
    };
  }

  /** Leaves an agent for a while, and tells its story why: the same thing once. */
  async #hold(
    live: LiveAgent,
    patient: Patient,
    reason: string,
    about: string | undefined,
    policy: RecoveryPolicy,
  ): Promise<void> {
    if (about === undefined) return;
    patient.heldUntilMs = this.clock.nowMs() + HELD_MS;
    if (patient.told === about) return;
    patient.told = about;
    await this.remedies.tellHeld(live.uuid, reason, policy);
  }
}
