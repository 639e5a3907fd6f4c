import { AgentPresence } from '../../../lib/graphql/agent-presence.ts';
import { Agent } from '../../../subgraphs/agents/entity/agent.ts';
import { AgentState, HealthGrade } from '../../../subgraphs/agents/entity/enums.ts';
import { RecoveryAction, type RecoveryPolicy } from '../../../subgraphs/agents/entity/recovery.ts';
import { judge, remember } from '../../../subgraphs/agents/service/beats.ts';
import { Causes } from '../../../subgraphs/agents/service/causes.ts';
import { CLOSING_WINDOW_MS, closingVerdict } from '../../../subgraphs/agents/service/closings.ts';
import { Healer } from '../../../subgraphs/agents/service/healer.ts';
import { Listening } from '../../../subgraphs/agents/service/lease.ts';
import { observedState } from '../../../subgraphs/agents/service/lifecycle.ts';
import { LiveFleet, presenceOf } from '../../../subgraphs/agents/service/live.ts';
import { healthNow, isWell } from '../../../subgraphs/agents/service/live-health.ts';
import { Proofs } from '../../../subgraphs/agents/service/proofs.ts';
import { blastRadius, heldBy } from '../../../subgraphs/agents/service/recovery.ts';
import type { Step } from '../../../subgraphs/agents/service/remedies.ts';
import type { Chance } from './chance.ts';
import { BEAT_MS, Program } from './program.ts';

const LOOK_MS = 200;
const SETTLE_MS = 60_000;

/** A step that was taken in the simulation. */
export interface TakenStep {
  atMs: number;
  program: Program;
  action: RecoveryAction;
  reason: string;
}

/** How many agents of each kind there are, and what they depend on. */
const ROSTER: readonly { kind: string; size: number; needs(at: number): string[] }[] = [
  { kind: 'database', size: 6, needs: () => [] },
  { kind: 'cache', size: 6, needs: () => [] },
  { kind: 'coder', size: 24, needs: (at) => [`database-${at % 6}`] },
  { kind: 'planner', size: 12, needs: (at) => [`coder-${at}`, `coder-${at + 12}`] },
  { kind: 'researcher', size: 24, needs: (at) => [`cache-${at % 6}`] },
  { kind: 'tester', size: 24, needs: () => [] },
  { kind: 'writer', size: 24, needs: () => [] },
];

/**
 * A fleet in virtual time, around the production code: leases, memory of beats, health, grades, root causes, policies and the healer
 * that has them decide. Only the database is not there: what its transactions do is done to memory.
 */
export class World {
  nowMs = 1_000_000_000;
  readonly programs: Program[] = [];
  readonly steps: TakenStep[] = [];
  /** How often more of a kind were taken from work than the policy lets. */
  radiusPassed = 0;
  readonly #byName = new Map<string, Program>();
  readonly #byUuid = new Map<string, Program>();
  readonly #fleet: LiveFleet;
  readonly #healer: Healer;
  readonly #causes: Causes;
  readonly #proofs: Proofs;
  readonly #listening: Listening;
  /** The last version of its configuration that each agent did well under. */
  readonly #proven = new Map<string, number>();
  readonly #closed = new Map<Program, number>();
  #looks = 0;

  constructor(
    private readonly policy: RecoveryPolicy,
    chance: Chance,
  ) {
    const terms = { beatEveryMs: BEAT_MS, leaseBeats: 3 };
    this.#fleet = new LiveFleet({} as never, terms);
    const clock = { nowMs: () => this.nowMs, uuid: () => '', random: () => chance.next() };
    this.#listening = new Listening(() => terms, this.nowMs);
    for (const { kind, size, needs } of ROSTER)
      for (let at = 0; at < size; at += 1) this.#add(`${kind}-${at}`, kind, needs(at), chance);
    const policies = { for: () => policy };
    const recoveries = {
      provenConfig: async (uuid: string) => this.#provenBefore(uuid),
      prove: async (all: readonly { uuid: string; version: number }[]) => {
        for (const { uuid, version } of all) this.#proven.set(uuid, version);
      },
    };
    const mailbox = {
      waiting: async ({ uuid }: { uuid: string }) => (this.#byUuid.get(uuid) as Program).orders,
      wake: () => undefined,
    };
    const remedies = {
      take: async (uuid: string, step: Step) => this.#take(uuid, step),
      tellHeld: async () => undefined,
    };
    this.#healer = new Healer(
      policies as never,
      remedies as never,
      recoveries as never,
      mailbox as never,
      this.#fleet,
      clock,
      { isOn: () => true },
    );
    this.#causes = new Causes(this.#fleet, clock);
    this.#proofs = new Proofs(recoveries as never, clock);
  }

  /** One look of the platform later. @param jumpMs by how much its clock jumps meanwhile */
  async look(jumpMs = 0): Promise<void> {
    this.nowMs += LOOK_MS;
    for (const program of this.programs) {
      program.pass(this.nowMs);
      if (this.nowMs >= program.nextBeatMs) this.#beat(program);
    }
    if (jumpMs) this.#jump(jumpMs);
    this.#closings();
    this.#leases();
    this.#looks += 1;
    if (this.#looks % 5 === 0) this.#causes.find();
    if (this.#looks % 10 === 0) await this.#proofs.write();
    for (const live of this.#fleet.all())
      if (this.#healer.mayNeed(live)) await this.#healer.heal(live, observedState(live.desired, live.reported));
  }

  /** Whether something that it depends on is down, or starved itself. */
  isStarved({ live }: Program): boolean {
    return live.dependencies.some((name) => {
      const needed = this.#byName.get(name);
      return needed !== undefined && (needed.isDown || this.isStarved(needed));
    });
  }

  /** Whether the platform sees it at work and well. */
  isWell({ live }: Program): boolean {
    return live.presence === AgentPresence.ONLINE && isWell(live.health, live);
  }

  #beat(program: Program): void {
    const { live } = program;
    const beat = program.beat(this.nowMs, this.isStarved(program));
    if (!beat) return;
    this.#listening.heard(this.nowMs);
    const { state, work } = beat;
    const checks = ['tools', 'model', 'disk', 'backlog'].map((name) => ({
      name,
      ok: !work.failedChecks.includes(name),
    }));
    const { sequence, configVersion } = program;
    remember(live, { sequence, state, checks, stats: work, configVersion }, this.nowMs);
    live.closedMs = undefined;
    const seen = {
      reported: live.desired === AgentState.PAUSED ? AgentState.PAUSED : state,
      presence: AgentPresence.ONLINE,
      version: live.version,
      observedConfigVersion: configVersion,
    };
    judge(live, seen, this.nowMs, this.#fleet.weights);
    Object.assign(live, seen, { headed: seen, configVersion });
    this.#proofs.heard(live);
  }

  #jump(jumpMs: number): void {
    this.nowMs += jumpMs;
    // The agents' own clocks do not jump.
    for (const program of this.programs) {
      program.nextBeatMs += jumpMs;
      program.mendedMs += jumpMs;
      program.starvedMs += jumpMs;
      for (const order of program.orders) order.doneMs += jumpMs;
      if (program.fault) program.fault = { ...program.fault, untilMs: program.fault.untilMs + jumpMs };
    }
  }

  /** Connections that closed since the last look, judged as the platform judges them. */
  #closings(): void {
    for (const program of this.programs) {
      if (program.isConnected) this.#closed.delete(program);
      else if (!this.#closed.has(program)) this.#close(program);
    }
  }

  #close(program: Program): void {
    this.#closed.set(program, this.nowMs);
    const recent = [...this.#closed.values()].filter((atMs) => Math.abs(this.nowMs - atMs) < CLOSING_WINDOW_MS).length;
    const verdict = closingVerdict(recent, this.programs.length - this.#closed.size);
    if (verdict === 'ours') return;
    program.live.closedMs = this.nowMs;
    program.live.isSure = verdict === 'theirs';
  }

  #leases(): void {
    const shiftMs = this.#listening.look(this.nowMs, LOOK_MS);
    for (const live of this.#fleet.all()) {
      if (live.presence === AgentPresence.OFFLINE) continue;
      live.heardMs = (live.heardMs as number) + shiftMs;
      if (live.closedMs !== undefined) live.closedMs += shiftMs;
      const presence = presenceOf(live, this.#fleet.terms, this.nowMs);
      if (presence === live.presence || presence === AgentPresence.ONLINE) continue;
      live.presence = presence;
      live.health = healthNow(live, live, this.nowMs, this.#fleet.weights);
      live.grading = { grade: live.health.grade, risingMs: undefined };
    }
  }

  #provenBefore(uuid: string) {
    const { configVersion } = this.#byUuid.get(uuid) as Program;
    const version = this.#proven.get(uuid);
    return version !== undefined && version < configVersion ? { version, config: {} } : undefined;
  }

  #take(uuid: string, step: Step) {
    const program = this.#byUuid.get(uuid) as Program;
    const { live } = program;
    const kin = this.programs.filter((other) => other.live.kind === live.kind);
    const disturbed = kin.filter((other) => other !== program && this.#isDisturbed(other)).length;
    const held = step.isDisruptive && heldBy(this.policy, live.kind, kin.length, disturbed);
    if (held) return { held };
    const { nowMs } = this;
    live.attempts = [
      ...live.attempts,
      { step: step.action, atMs: nowMs, ...(step.isDisruptive ? { isDisruptive: true } : {}) },
    ].slice(-20);
    if (step.action === RecoveryAction.QUARANTINE) live.desired = AgentState.QUARANTINED;
    if (step.action === RecoveryAction.PAUSE) live.desired = AgentState.PAUSED;
    if (step.action === RecoveryAction.RESTART) program.order('restart', nowMs);
    if (step.action === RecoveryAction.ROLLBACK_CONFIG) program.order('config', nowMs);
    this.steps.push({ atMs: nowMs, program, action: step.action, reason: step.reason });
    const now = kin.filter((other) => this.#isDisturbed(other)).length;
    if (step.isDisruptive && now > blastRadius(this.policy, kin.length)) this.radiusPassed += 1;
    return { agents: [] };
  }

  #isDisturbed({ live }: Program): boolean {
    if (live.desired === AgentState.QUARANTINED) return true;
    const last = live.attempts.at(-1);
    return (
      last?.isDisruptive === true && this.nowMs - last.atMs < SETTLE_MS && live.health.grade !== HealthGrade.HEALTHY
    );
  }

  #add(name: string, kind: string, dependencies: string[], chance: Chance): void {
    const nothing = { configVersion: 1, observedConfigVersion: 1, incarnation: 1, revision: 1, beatSequence: -1 };
    const lists = { healthPenalties: [], restartedAtMs: [], recoveries: [], endpoints: [], capabilities: [] };
    const agent = Object.assign(new Agent(), nothing, lists, {
      uuid: name,
      name,
      kind,
      dependencies,
      version: '1.0.0',
      ownerId: 'simulation',
      labels: { budgetUsdPerHour: '2' },
      config: {},
      desiredState: AgentState.RUNNING,
      reportedState: AgentState.RUNNING,
      saidState: AgentState.RUNNING,
      saidSince: new Date(this.nowMs),
      presence: AgentPresence.ONLINE,
      healthScore: 100,
      healthGrade: HealthGrade.HEALTHY,
      healthAt: new Date(this.nowMs),
      lastSeenAt: new Date(this.nowMs),
    });
    const program = new Program(this.#fleet.add(agent, this.nowMs), chance);
    program.nextBeatMs += this.nowMs;
    this.programs.push(program);
    this.#byName.set(name, program);
    this.#byUuid.set(agent.uuid, program);
  }
}
