import type { Principal } from '../../../lib/call/principal.ts';
import type { Clock } from '../../../lib/clock.ts';
import { asFleetError, FleetError } from '../../../lib/errors.ts';
import { AgentPresence } from '../../../lib/graphql/agent-presence.ts';
import { uuidOf } from '../../../lib/node-id.ts';
import type { AgentCommand } from '../entity/command.ts';
import { AgentState, HealthGrade } from '../entity/enums.ts';
import { assertSpeaksFor } from './access.ts';
import { acuteWindow, nextAcute } from './acute.ts';
import { nextGrading } from './grade.ts';
import { type FailedCheck, type Health, healthOf, WINDOW_BEATS } from './health.ts';
import { type Listening, leaseMs } from './lease.ts';
import type { LiveAgent, LiveFleet, Seen } from './live.ts';
import { factsOf, healthNow, isWell, mendableGrade } from './live-health.ts';
import { isNewest } from './mail-rules.ts';
import type { Mailbox } from './mailbox.ts';
import type { Observer } from './observer.ts';
import { calmUntilMs } from './of-note.ts';
import { overdueReason, type Patience, reportedOf, sayingOf } from './overdue.ts';
import type { Weights } from './penalty/weights.ts';
import type { Proofs } from './proofs.ts';
import type { Told } from './rollout/evidence.ts';
import type { Measuring } from './rollout/measuring.ts';
import { type Soon, soon } from './soon.ts';
import { learned, patienceOf } from './suspicion.ts';
import { assertTellable, rememberTold, storyTold, type ToldEvent } from './told.ts';
import { anomalyOf, nextVitals, spendOf } from './vitals.ts';

/** What an agent says of itself now and then. */
export interface Beat {
  agentId: string;
  /** Rises with every beat of one process; a repeat changes nothing. */
  sequence: number;
  state: AgentState;
  version?: string | null | undefined;
  configVersion?: number | null | undefined;
  checks?: readonly { name: string; ok: boolean; message?: string | null | undefined }[] | null | undefined;
  /** Counts since the beat before. */
  stats?: BeatStats | null | undefined;
  /** Lines for its story; the same one again changes nothing. */
  events?: readonly ToldEvent[] | null | undefined;
}

export interface BeatStats {
  requests?: number | null | undefined;
  errors?: number | null | undefined;
  latencyMs?: number | null | undefined;
  cpu?: number | null | undefined;
  memoryBytes?: number | null | undefined;
  queue?: number | null | undefined;
  /** What it used of models: tokens of prompts and answers, and what they cost, US dollars. */
  inputTokens?: number | null | undefined;
  outputTokens?: number | null | undefined;
  costUsd?: number | null | undefined;
}

/** What it is told back. */
export interface BeatAnswer {
  agentId: string;
  beatEveryMs: number;
  leaseMs: number;
  desiredState: AgentState;
  configVersion: number;
  commands: AgentCommand[];
  userErrors: { code: string; message: string; field: string[] | null }[];
}

const MAX_CHECKS = 32;
const NONE_FAILED: FailedCheck[] = [];
const MAX_BEATS = 1_000;

/** Hears agents. A beat renews a lease in memory; only what it changes is written at once. */
export class Beats {
  constructor(
    private readonly fleet: LiveFleet,
    private readonly observer: Observer,
    private readonly mailbox: Mailbox,
    private readonly listening: Listening,
    private readonly measuring: Measuring,
    private readonly proofs: Proofs,
    private readonly clock: Clock,
    private readonly patience: Patience,
  ) {}

  /**
   * Takes many beats; each has its own answer.
   * @throws BAD_INPUT for more than 1,000
   */
  async takeAll(principal: Principal, beats: readonly Beat[]): Promise<BeatAnswer[]> {
    if (beats.length > MAX_BEATS) {
      throw new FleetError('BAD_INPUT', `at most ${MAX_BEATS} beats at once`, { field: ['beats'] });
    }
    const answers = beats.map((beat) => this.#take(principal, beat));
    return answers.some((answer) => answer instanceof Promise) ? Promise.all(answers) : (answers as BeatAnswer[]);
  }

  /** Takes one beat; an expected failure is in `userErrors` (NOT_FOUND: it is gone and should stop). */
  async take(principal: Principal, beat: Beat): Promise<BeatAnswer> {
    return this.#take(principal, beat);
  }

  /** At once where memory has all there is to know: nearly always, and a promise for each of its steps costs more than the step. */
  #take(principal: Principal, beat: Beat): Soon<BeatAnswer> {
    const refused = (error: unknown) => this.#refusal(beat, error);
    try {
      const answer = soon(this.fleet.get(uuidOf('Agent', beat.agentId, ['agentId'])), (live) => {
        if (!live) throw new FleetError('NOT_FOUND', 'there is no such agent: register it', { field: ['agentId'] });
        assertSpeaksFor(principal, live);
        assertSane(beat);
        return soon(this.#hear(live, beat), () => this.#answer(live, principal));
      });
      return answer instanceof Promise ? answer.catch(refused) : answer;
    } catch (error) {
      return refused(error);
    }
  }

  /** @throws what is no expected failure */
  #refusal({ agentId }: Beat, error: unknown): BeatAnswer {
    const expected = asFleetError(error);
    if (!expected) throw error;
    const field = (expected.extensions['field'] as string[] | undefined) ?? null;
    return {
      ...this.#terms(agentId),
      desiredState: AgentState.RETIRED,
      configVersion: 0,
      commands: [],
      userErrors: [{ code: expected.code, message: expected.message, field }],
    };
  }

  #hear(live: LiveAgent, beat: Beat): Soon<void> {
    if (beat.sequence === live.sequence) return;
    if (beat.sequence < live.sequence) {
      throw new FleetError(
        'CONFLICT',
        `beats rise: ${live.sequence} was taken; a new process registers and starts anew`,
        { field: ['sequence'] },
      );
    }
    const nowMs = this.clock.nowMs();
    this.listening.heard(nowMs);
    this.#learn(live, nowMs);
    remember(live, beat, nowMs);
    const seen: Seen = {
      reported: reportedOf(live, nowMs, this.patience),
      presence: AgentPresence.ONLINE,
      version: beat.version ?? live.headed.version,
      observedConfigVersion: beat.configVersion ?? live.headed.observedConfigVersion,
    };
    const health = judge(live, seen, nowMs, this.fleet.weights);
    this.observer.beaten(live);
    this.proofs.heard(live);
    this.fleet.calm.note(live, calmUntilMs(live));
    this.measuring.hear(live.uuid, toldOf(beat, health.score), nowMs);
    const events = beat.events ?? [];
    const story = storyTold(live, events, nowMs);
    if (!story.length && !this.observer.isChange(live, seen, health)) return;
    const reason = overdueReason(live, nowMs, this.patience) ?? 'told by its beat';
    return this.observer.change(live, seen, reason, story).then(() => rememberTold(live, events));
  }

  /** What the beat says of the agent's rhythm, and that whatever was held against it is over. */
  #learn(live: LiveAgent, nowMs: number): void {
    const { terms } = this.fleet;
    if (live.heardMs !== undefined && live.presence !== AgentPresence.OFFLINE) {
      live.rhythm = learned(live.rhythm, nowMs - live.heardMs, live.everyMs, terms);
    }
    live.patience = patienceOf(live.rhythm, terms);
    live.everyMs = terms.beatEveryMs;
    live.closedMs = undefined;
    live.suspicion = undefined;
  }

  #answer(live: LiveAgent, { incarnation }: Principal): Soon<BeatAnswer> {
    // A process that another took over from is heard, for it may be the one whose answer was lost, but given no mail.
    const mail = isNewest(incarnation, live.incarnation) ? this.mailbox.waiting(live) : [];
    return soon(mail, (commands) => ({
      ...this.#terms(live.id),
      desiredState: live.desired,
      configVersion: live.configVersion,
      commands,
      userErrors: [],
    }));
  }

  #terms(agentId: string) {
    const { terms } = this.fleet;
    return { agentId, beatEveryMs: terms.beatEveryMs, leaseMs: leaseMs(terms) };
  }
}

/** A beat as evidence; one without statistics tells of nothing but health. */
function toldOf({ stats }: Beat, health: number): Told {
  const { requests, errors, latencyMs, memoryBytes } = stats ?? {};
  return {
    requests: requests ?? 0,
    errors: errors ?? 0,
    latencyMs: latencyMs ?? null,
    memoryBytes: memoryBytes ?? null,
    health,
  };
}

function assertSane({ sequence, checks, version, stats, events }: Beat): void {
  const refuse = (sentence: string, field: string) => {
    throw new FleetError('BAD_INPUT', sentence, { field: [field] });
  };
  if (sequence < 0) refuse('a sequence is 0 or more', 'sequence');
  if (version != null && (!version || version.length > 64)) refuse('a version has 1 to 64 characters', 'version');
  if ((checks?.length ?? 0) > MAX_CHECKS) refuse(`at most ${MAX_CHECKS} checks`, 'checks');
  if (Object.values(stats ?? {}).some((value) => typeof value === 'number' && value < 0)) {
    refuse('stats are 0 or more', 'stats');
  }
  assertTellable(events ?? []);
}

/** Takes what a beat says into memory. */
export function remember(live: LiveAgent, beat: Omit<Beat, 'agentId'>, nowMs: number): void {
  // What it did under another configuration says nothing of this one.
  const { observedConfigVersion } = live.headed;
  if (beat.configVersion != null && observedConfigVersion !== null && beat.configVersion !== observedConfigVersion)
    live.window = [];
  live.sequence = beat.sequence;
  Object.assign(live, sayingOf(live, beat.state, nowMs));
  live.heardMs = nowMs;
  live.beatMs = nowMs;
  if (beat.stats) {
    const { requests, errors, latencyMs, queue } = beat.stats;
    // The oldest makes room, and is used again: what is made anew at each beat lives as long as what the collector finds dear.
    const oldest = live.window.length < WINDOW_BEATS ? undefined : live.window.shift();
    const sample = { requests: requests ?? 0, errors: errors ?? 0, latencyMs: latencyMs ?? null };
    live.window.push(oldest ? Object.assign(oldest, sample) : sample);
    live.queue = queue ?? 0;
    live.vitals = nextVitals(live.vitals, beat.stats, nowMs);
    countWork(live, beat.stats);
  }
  const spend = spendOf(live.vitals, live.budgetUsd, nowMs);
  live.spentShare = spend ? spend.usd / spend.budgetUsd : 0;
  if (beat.checks)
    live.failedChecks = beat.checks.every(({ ok }) => ok) ? NONE_FAILED : beat.checks.flatMap(failedCheck);
}

/** Judges an agent that was just heard, and remembers what recoveries and grades ask of its past. */
export function judge(live: LiveAgent, seen: Seen, nowMs: number, weights: Weights): Health {
  const health = healthNow(live, seen, nowMs, weights);
  live.grading = nextGrading(live.grading, health.score, nowMs);
  const grade = mendableGrade(health);
  live.acuteBeats = nextAcute(live.acuteBeats, isAcute(live, seen, health, nowMs, weights));
  live.criticalBeats = grade === HealthGrade.CRITICAL ? live.criticalBeats + 1 : 0;
  live.degradedBeats = grade === HealthGrade.HEALTHY ? 0 : live.degradedBeats + 1;
  rememberWell(live, seen, health, nowMs);
  live.health = health;
  live.healthMs = nowMs;
  return health;
}

/** Whether the newest beats alone are CRITICAL by what a restart may mend; undefined when they do not tell. */
function isAcute(live: LiveAgent, seen: Seen, health: Health, nowMs: number, weights: Weights): boolean | undefined {
  if (!health.penalties.length) return false;
  const window = acuteWindow(live.window);
  if (!window) return undefined;
  const facts = { ...factsOf(live, seen, nowMs), window, anomaly: anomalyOf(live.vitals, window) };
  return mendableGrade(healthOf(facts, nowMs, weights)) === HealthGrade.CRITICAL;
}

function countWork({ minute }: LiveAgent, { requests, errors, latencyMs }: BeatStats): void {
  minute.requests += requests ?? 0;
  minute.errors += errors ?? 0;
  if (!requests || latencyMs == null) return;
  minute.timed += requests;
  minute.tookMs += latencyMs * requests;
}

/** How long it has been well, and under which configuration. */
function rememberWell(live: LiveAgent, seen: Seen, health: Health, nowMs: number): void {
  const wasHeard = live.presence !== AgentPresence.OFFLINE;
  const { well } = live;
  const goesOn = well.isOn && wasHeard;
  const isOn = isWell(health, seen);
  well.isOn = isOn;
  if (isOn) Object.assign(well, { sinceMs: goesOn ? well.sinceMs : nowMs, untilMs: nowMs });
  const isSameConfig = seen.observedConfigVersion === live.observedConfigVersion;
  live.provingBeats = isOn && goesOn && isSameConfig ? live.provingBeats + 1 : 0;
}

function failedCheck({ name, ok, message }: NonNullable<Beat['checks']>[number]): FailedCheck[] {
  return ok ? [] : [{ name: name.slice(0, 64), message: message?.slice(0, 500) ?? null }];
}
