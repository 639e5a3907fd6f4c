import DataLoader from 'dataloader';
import { AgentPresence } from '../../../lib/graphql/agent-presence.ts';
import type { Agent } from '../entity/agent.ts';
import type { Attempt } from '../entity/attempt.ts';
import type { AgentCommand } from '../entity/command.ts';
import { AgentState } from '../entity/enums.ts';
import type { AgentStore, Asked, Observation } from '../store/agents.ts';
import { CalmTable, type Kept } from './calm.ts';
import type { Grading } from './grade.ts';
import type { BeatSample, FailedCheck, Health, Suspicion } from './health.ts';
import type { LeaseTerms } from './lease.ts';
import type { Saying } from './overdue.ts';
import { STANDARD_WEIGHTS, type Weights } from './penalty/weights.ts';
import type { Soon } from './soon.ts';
import { NEW_RHYTHM, type Patience, patienceOf, presenceAt, type Rhythm } from './suspicion.ts';
import { budgetOf, NO_VITALS, type Vitals } from './vitals.ts';

/** What a beat or a silence makes of an agent. */
export interface Seen {
  reported: AgentState;
  presence: AgentPresence;
  version: string;
  observedConfigVersion: number | null;
}

/** Another agent that an agent's trouble comes from. */
export interface Cause {
  uuid: string;
  name: string;
}

/** An agent as its beats have it: what is between two writes to the database. */
export interface LiveAgent extends Seen, Saying, Kept {
  uuid: string;
  id: string;
  name: string;
  kind: string;
  labels: Record<string, string>;
  dependencies: string[];
  ownerId: string;
  incarnation: number;
  revision: number;
  desired: AgentState;
  configVersion: number;
  /** What was last handed over to be written; the fields of `Seen` are what is written. */
  headed: Seen;
  told: Pick<Health, 'score' | 'grade'>;
  sequence: number;
  /** When its lease was renewed last, epoch milliseconds; undefined while it was never heard. */
  heardMs: number | undefined;
  /** When its last beat came. */
  beatMs: number;
  /** How it beats, as learned, and how long it may therefore be silent. */
  rhythm: Rhythm;
  patience: Patience;
  /** How often it was last asked to beat, milliseconds. */
  everyMs: number;
  /** When the connection to its mailbox closed; undefined once it is open again or a beat came. */
  closedMs: number | undefined;
  /** Whether that was its own doing. */
  isSure: boolean;
  /** Why it is taken for silent. */
  suspicion: Suspicion | undefined;
  window: BeatSample[];
  failedChecks: FailedCheck[];
  queue: number;
  restartsAtMs: number[];
  /** Steps that recoveries took for it. */
  attempts: Attempt[];
  criticalBeats: number;
  degradedBeats: number;
  /** Beats in a row that were CRITICAL by themselves. */
  acuteBeats: number;
  /** The last stretch in which each beat was well, epoch milliseconds. */
  well: { isOn: boolean; sinceMs: number; untilMs: number };
  /** Beats in a row that were well, under one configuration; and the version that was last noted as proven so. */
  provingBeats: number;
  provenVersion: number | null;
  vitals: Vitals;
  /** What it may spend in an hour, US dollars; undefined: anything. */
  budgetUsd: number | undefined;
  /** What it spent within the hour, as a share of its budget. */
  spentShare: number;
  grading: Grading;
  /** Its work since its history was written last. */
  minute: { requests: number; errors: number; timed: number; tookMs: number };
  /** The agent that its trouble comes from, when that is another. */
  cause: Cause | undefined;
  health: Health;
  healthMs: number;
  /** Its mail that waits; undefined when it must be read. */
  mail: AgentCommand[] | undefined;
  /** Counts changes of its mail, so that what was read before one is not kept. */
  mailChanges: number;
  /** Whether the database has not been told of its last beat. */
  dirty: boolean;
  /** Ids of the last events that it told of itself, the oldest first; undefined when it told of none. */
  toldIds: Set<string> | undefined;
  /** Beats since the database was told of one. */
  unwritten: number;
}

/** Beats a second of a whole fleet, at most: a larger one is asked to beat more rarely. */
const MAX_BEATS_A_SECOND = 20_000;
/** Intervals grow in such steps, milliseconds. */
const STEP_MS = 100;
/** Of so many mere beats of an agent one is written. */
export const WRITTEN_BEATS = 64;
/** No work since. */
export const NO_WORK = { requests: 0, errors: 0, timed: 0, tookMs: 0 } as const;

/** Everyone who was heard, in memory. */
export class LiveFleet {
  /** How health is computed now. */
  weights: Weights = STANDARD_WEIGHTS;
  /** Who need not be looked at now. */
  readonly calm = new CalmTable<LiveAgent>();
  readonly #agents = new Map<string, LiveAgent>();
  readonly #found: DataLoader<string, Agent | undefined>;
  #terms: LeaseTerms;

  constructor(
    store: AgentStore,
    private readonly asked: LeaseTerms,
  ) {
    this.#terms = asked;
    this.#found = new DataLoader(
      async (uuids) => {
        const rows = new Map((await store.findMany(uuids)).map((agent) => [agent.uuid, agent]));
        return uuids.map((uuid) => rows.get(uuid));
      },
      { cache: false },
    );
  }

  /** How often agents are to beat now: as set, and more rarely in a fleet that is larger than we can hear so often. */
  get terms(): LeaseTerms {
    return this.#terms;
  }

  get size(): number {
    return this.#agents.size;
  }

  all(): IterableIterator<LiveAgent> {
    return this.#agents.values();
  }

  known(uuid: string): LiveAgent | undefined {
    return this.#agents.get(uuid);
  }

  /** The agent, read once; undefined when there is none or it is deregistered. */
  get(uuid: string): Soon<LiveAgent | undefined> {
    return this.#agents.get(uuid) ?? this.#read(uuid);
  }

  async #read(uuid: string): Promise<LiveAgent | undefined> {
    const agent = await this.#found.load(uuid);
    if (!agent || agent.deregisteredAt) return undefined;
    return this.#agents.get(uuid) ?? this.add(agent, undefined);
  }

  /** @param heardMs from when its lease runs; undefined: it has none */
  add(agent: Agent, heardMs: number | undefined): LiveAgent {
    const live: LiveAgent = {
      uuid: agent.uuid,
      id: agent.id,
      sequence: agent.beatSequence,
      heardMs,
      beatMs: agent.lastSeenAt?.getTime() ?? 0,
      window: [],
      failedChecks: [],
      queue: 0,
      criticalBeats: 0,
      degradedBeats: 0,
      acuteBeats: 0,
      well: { isOn: false, sinceMs: 0, untilMs: 0 },
      provingBeats: 0,
      provenVersion: null,
      vitals: NO_VITALS,
      grading: { grade: agent.healthGrade, risingMs: undefined },
      minute: { ...NO_WORK },
      spentShare: 0,
      cause: undefined,
      dirty: false,
      // Not all at once: where an agent begins is in its id.
      unwritten: Number.parseInt(agent.uuid.slice(-4), 16) % WRITTEN_BEATS,
      rhythm: NEW_RHYTHM,
      patience: patienceOf(NEW_RHYTHM, this.#terms),
      everyMs: this.#terms.beatEveryMs,
      closedMs: undefined,
      isSure: false,
      suspicion: undefined,
      mail: undefined,
      mailChanges: 0,
      toldIds: undefined,
      slot: -1,
      ...asked(agent),
    };
    this.#agents.set(agent.uuid, live);
    this.calm.add(live);
    this.#resized();
    return live;
  }

  /** An agent as it was read, with what its beats have moved since it was written. */
  shown<Row extends Agent | null | undefined>(agent: Row): Row {
    const live = agent && this.#agents.get(agent.uuid);
    if (!live || live.heardMs === undefined || live.incarnation !== agent.incarnation) return agent;
    if (live.beatMs <= (agent.lastSeenAt?.getTime() ?? 0)) return agent;
    agent.lastSeenAt = new Date(live.beatMs);
    agent.leaseExpiresAt = new Date(live.heardMs + live.patience.endMs);
    if (live.healthMs <= agent.healthAt.getTime() || live.presence !== agent.presence) return agent;
    const { score, grade, penalties } = live.health;
    return Object.assign(agent, {
      healthScore: score,
      healthGrade: grade,
      healthPenalties: penalties,
      healthAt: new Date(live.healthMs),
    });
  }

  /** Takes what a write of this process made of an agent. */
  adopt(agent: Agent): void {
    const live = this.#agents.get(agent.uuid);
    if (!live) return;
    this.calm.note(live, 0);
    const isNewProcess = agent.incarnation !== live.incarnation;
    grantAnew(live, agent.desiredState);
    const isRestarted = isNewProcess || agent.restartedAtMs.at(-1) !== live.restartsAtMs.at(-1);
    Object.assign(live, asked(agent));
    this.mailChanged(agent.uuid);
    if (isNewProcess) live.sequence = agent.beatSequence;
    // What it did before its restart is not held against it twice.
    if (!isRestarted) return;
    const vitals = { ...live.vitals, cpu: undefined, memory: NO_VITALS.memory };
    const counts = { criticalBeats: 0, degradedBeats: 0, acuteBeats: 0 };
    Object.assign(live, { window: [], failedChecks: [], queue: 0, vitals, ...counts });
  }

  /** Takes what another process may have asked of agents. */
  heed(all: readonly Asked[]): void {
    for (const { uuid, revision, desired, configVersion } of all) {
      const live = this.#agents.get(uuid);
      if (!live || revision <= live.revision) continue;
      this.calm.note(live, 0);
      grantAnew(live, desired);
      Object.assign(live, { revision, desired, configVersion });
      this.mailChanged(uuid);
    }
  }

  forget(uuid: string): void {
    const live = this.#agents.get(uuid);
    if (live) this.calm.remove(live);
    this.#agents.delete(uuid);
    this.#resized();
  }

  /** New mail came, or some was done: it must be read again. */
  mailChanged(uuid: string): void {
    const live = this.#agents.get(uuid);
    if (!live) return;
    live.mail = undefined;
    live.mailChanges += 1;
  }

  #resized(): void {
    const neededMs = (this.#agents.size * 1_000) / MAX_BEATS_A_SECOND;
    const beatEveryMs = Math.max(this.asked.beatEveryMs, Math.ceil(neededMs / STEP_MS) * STEP_MS);
    if (beatEveryMs !== this.#terms.beatEveryMs) this.#terms = { ...this.asked, beatEveryMs };
  }
}

/** Whether an agent is there, by its beats and its connection. @param mayEnd whether silence alone may end a lease now */
export function presenceOf(live: LiveAgent, terms: LeaseTerms, nowMs: number, mayEnd = true): AgentPresence {
  const { heardMs } = live;
  if (heardMs === undefined) return AgentPresence.OFFLINE;
  return presenceAt({ heardMs, closedMs: live.closedMs, isSure: live.isSure }, live.patience, terms, nowMs, mayEnd);
}

/** Whoever lets an agent go on that was paused for what it spent grants it another hour's budget. */
function grantAnew(live: LiveAgent, desired: AgentState): void {
  if (live.desired === AgentState.RUNNING || desired !== AgentState.RUNNING) return;
  live.vitals = { ...live.vitals, spent: [], slot: 0 };
  live.spentShare = 0;
}

function asked(agent: Agent) {
  const seen: Seen = {
    reported: agent.reportedState,
    presence: agent.presence,
    version: agent.version,
    observedConfigVersion: agent.observedConfigVersion,
  };
  return {
    name: agent.name,
    kind: agent.kind,
    labels: agent.labels,
    dependencies: agent.dependencies,
    budgetUsd: budgetOf(agent.labels, agent.config),
    ownerId: agent.ownerId,
    incarnation: agent.incarnation,
    revision: agent.revision,
    desired: agent.desiredState,
    configVersion: agent.configVersion,
    said: agent.saidState,
    saidSinceMs: agent.saidSince.getTime(),
    ...seen,
    headed: seen,
    told: { score: agent.healthScore, grade: agent.healthGrade },
    health: { score: agent.healthScore, grade: agent.healthGrade, penalties: agent.healthPenalties },
    healthMs: agent.healthAt.getTime(),
    restartsAtMs: agent.restartedAtMs,
    attempts: agent.recoveries,
  };
}

/** What is written of a live agent. */
export function seenOf({ reported, presence, version, observedConfigVersion }: Seen): Seen {
  return { reported, presence, version, observedConfigVersion };
}

/** A live agent's beats, to be written. */
export function observationOf(live: LiveAgent): Observation {
  return {
    uuid: live.uuid,
    incarnation: live.incarnation,
    reported: live.reported,
    said: live.said,
    saidSinceMs: live.saidSinceMs,
    presence: live.presence,
    version: live.version,
    observedConfigVersion: live.observedConfigVersion,
    sequence: live.sequence,
    lastSeenMs: live.beatMs,
    leaseEndMs: (live.heardMs ?? 0) + live.patience.endMs,
    health: live.health,
    healthMs: live.healthMs,
  };
}

/** The agents at work that say they cannot work without this one, by its name or its kind. */
export function dependantsOf(fleet: LiveFleet, { uuid, name, kind }: LiveAgent): LiveAgent[] {
  return [...fleet.all()].filter(
    (other) => other.uuid !== uuid && (other.dependencies.includes(name) || other.dependencies.includes(kind)),
  );
}

/** An agent that this one says it depends on by name, and that is missing, or unwell at its last beat. */
export function unwellNeedOf(fleet: LiveFleet, { dependencies }: LiveAgent): LiveAgent | undefined {
  if (!dependencies.length) return undefined;
  for (const other of fleet.all()) {
    const isUnwell = other.presence !== AgentPresence.ONLINE || other.acuteBeats > 0 || other.degradedBeats > 0;
    if (isUnwell && dependencies.includes(other.name)) return other;
  }
  return undefined;
}
