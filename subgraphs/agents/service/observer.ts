import type { Clock } from '../../../lib/clock.ts';
import { AgentPresence } from '../../../lib/graphql/agent-presence.ts';
import { recentCause } from '../../../lib/write/cause.ts';
import type { EventDraft } from '../../../lib/write/rows.ts';
import type { SystemEntry, Writes } from '../../../lib/write/writes.ts';
import { type Agent, snapshotOf } from '../entity/agent.ts';
import type { AgentEvent } from '../entity/agent-event.ts';
import type { AgentState } from '../entity/enums.ts';
import type { AgentStore, Observation } from '../store/agents.ts';
import type { StoryStore } from '../store/story.ts';
import { type Health, isNews } from './health.ts';
import { observedState } from './lifecycle.ts';
import { type LiveAgent, type LiveFleet, observationOf, presenceOf, type Seen, seenOf, WRITTEN_BEATS } from './live.ts';
import { healthNow } from './live-health.ts';
import { SYSTEM } from './record.ts';

interface Waiting {
  live: LiveAgent;
  seen: Seen;
  reason: string;
  /** What the agent itself tells. */
  told: readonly AgentEvent[];
  done: () => void;
  failed: (error: unknown) => void;
}

const BATCH = 200;
const FLUSH_BATCH = 2_000;
/** How far two rounds of writing mere beats are apart, milliseconds. */
export const FLUSH_MS = 1_000;

/**
 * Writes what was observed of agents: a change at once, with its event and its audit entry, in one transaction for all that
 * wait; mere beats now and then, many in one statement.
 */
export class Observer {
  #waiting: Waiting[] = [];
  /** Those of whom a beat is to be written down. */
  #due = new Set<LiveAgent>();
  #writing: Promise<void> | undefined;
  #caughtUpMs = Number.NEGATIVE_INFINITY;

  constructor(
    private readonly agents: AgentStore,
    private readonly story: StoryStore,
    private readonly writes: Writes,
    private readonly fleet: LiveFleet,
    private readonly clock: Clock,
  ) {}

  /** Whether this is more than a mere beat. */
  isChange(live: LiveAgent, seen: Seen, health: Health): boolean {
    const { headed } = live;
    return (
      headed.reported !== seen.reported ||
      headed.presence !== seen.presence ||
      headed.version !== seen.version ||
      headed.observedConfigVersion !== seen.observedConfigVersion ||
      isNews(live.told, health)
    );
  }

  /** Takes note that an agent has beaten. */
  beaten(live: LiveAgent): void {
    live.dirty = true;
    live.unwritten += 1;
    if (live.unwritten >= WRITTEN_BEATS) this.#due.add(live);
  }

  /** Writes a change, and what the agent tells of itself; resolves when it is durable. */
  change(live: LiveAgent, seen: Seen, reason: string, told: readonly AgentEvent[] = []): Promise<void> {
    live.headed = seen;
    return new Promise((done, failed) => {
      this.#waiting.push({ live, seen, reason, told, done, failed });
      this.#start();
    });
  }

  /**
   * Writes down beats.
   * @param all the last of every agent; else of those only that have beaten so often since that one of theirs is due
   */
  async flush(all: boolean): Promise<void> {
    const beaten = [...(all ? this.fleet.all() : this.#due)].filter(({ dirty }) => dirty);
    this.#due = new Set();
    for (let at = 0; at < beaten.length; at += FLUSH_BATCH) {
      const some = beaten.slice(at, at + FLUSH_BATCH);
      // Before it is written: a beat that comes meanwhile is another flush's.
      for (const live of some) Object.assign(live, { dirty: false, unwritten: 0 });
      try {
        this.fleet.heed(await this.agents.beaten(some.map(observationOf)));
      } catch (error) {
        for (const live of some) Object.assign(live, { dirty: true, unwritten: WRITTEN_BEATS });
        for (const live of beaten.slice(at)) this.#due.add(live);
        throw error;
      }
    }
  }

  /** Writes down all beats, unless that was done a moment ago: before what they move is searched or sorted by. */
  async catchUp(): Promise<void> {
    const nowMs = this.clock.nowMs();
    if (Math.abs(nowMs - this.#caughtUpMs) < FLUSH_MS) return;
    this.#caughtUpMs = nowMs;
    await this.flush(true);
  }

  #start(): void {
    this.#writing ??= this.#drain().finally(() => {
      this.#writing = undefined;
      if (this.#waiting.length) this.#start();
    });
  }

  async #drain(): Promise<void> {
    // Everything of this turn of the loop goes into one transaction.
    await Promise.resolve();
    while (this.#waiting.length) {
      // An agent once in a batch: its second change sees the first.
      const batch = new Map<string, Waiting>();
      const again: Waiting[] = [];
      let taken = 0;
      for (; taken < this.#waiting.length && batch.size < BATCH; taken += 1) {
        const one = this.#waiting[taken] as Waiting;
        if (batch.has(one.live.uuid)) again.push(one);
        else batch.set(one.live.uuid, one);
      }
      this.#waiting.splice(0, taken, ...again);
      const all = [...batch.values()];
      try {
        await this.#write(all);
        for (const { done } of all) done();
      } catch (error) {
        for (const { live, seen, failed } of all) {
          if (live.headed === seen) live.headed = seenOf(live);
          failed(error);
        }
      }
    }
  }

  async #write(batch: readonly Waiting[]): Promise<void> {
    const nowMs = this.clock.nowMs();
    const written = await this.writes.transaction(async (tx) => {
      const rows = new Map(
        (
          await this.agents.lockMany(
            tx,
            batch.map(({ live }) => live.uuid),
          )
        ).map((row) => [row.uuid, row]),
      );
      const changes: Change[] = batch.flatMap((waiting) => {
        const row = rows.get(waiting.live.uuid);
        if (!row || row.deregisteredAt || row.incarnation !== waiting.live.incarnation) return [];
        if (this.#isHeard(waiting, nowMs) || heardElsewhere(row, waiting, nowMs)) return [];
        return [this.#changeOf(row, waiting, nowMs)];
      });
      await this.agents.observe(
        tx,
        changes.map(({ observation }) => observation),
      );
      await this.story.add(
        tx,
        changes.flatMap(({ story }) => story),
      );
      await this.writes.system(
        tx,
        'agents',
        changes.flatMap(({ entry }) => entry ?? []),
        changes.flatMap(({ event }) => event ?? []),
      );
      return changes;
    });
    for (const { waiting, observation } of written) {
      const { reported, presence, version, observedConfigVersion, health } = observation;
      Object.assign(waiting.live, { reported, presence, version, observedConfigVersion, health, told: health });
      if (waiting.live.grading.grade !== health.grade)
        waiting.live.grading = { grade: health.grade, risingMs: undefined };
    }
    // What was not written after all (it was heard elsewhere, it is gone) may be seen again.
    for (const { live, seen } of batch) if (live.headed === seen) live.headed = seenOf(live);
  }

  /** Whether an agent that was taken for silent has beaten while that waited to be written. */
  #isHeard({ live, seen }: Waiting, nowMs: number): boolean {
    if (seen.presence === AgentPresence.ONLINE || live.heardMs === undefined) return false;
    return presenceOf(live, this.fleet.terms, nowMs) === AgentPresence.ONLINE;
  }

  #changeOf(row: Agent, waiting: Waiting, nowMs: number): Change {
    const { live, seen, reason, told: lines } = waiting;
    const before = snapshotOf(row);
    const health = healthNow({ ...live, desired: row.desiredState }, seen, nowMs, this.fleet.weights);
    const told = isNews({ score: row.healthScore, grade: row.healthGrade }, health);
    const was = { state: row.state, presence: row.presence };
    const is = { state: observedState(row.desiredState, seen.reported), presence: seen.presence };
    const other = row.version !== seen.version || row.observedConfigVersion !== seen.observedConfigVersion;
    const moved = was.state !== is.state || was.presence !== is.presence;
    const movedBy = moved ? this.clock.uuid() : undefined;
    const observation = { ...observationOf(live), ...seen, health, healthMs: nowMs, movedBy };
    apply(row, observation);
    const after = snapshotOf(row);
    const target = { type: 'Agent', id: row.id };
    const common = { uuid: () => this.clock.uuid(), agentUuid: row.uuid, occurredAt: new Date(nowMs) };
    return {
      waiting,
      observation,
      story: [...lines, ...storyOf(common, was, is, reason)],
      ...(moved
        ? {
            entry: {
              id: movedBy,
              action: 'agent.state.changed',
              target,
              reason,
              before: was,
              after: is,
              causedBy: recentCause(row.changedBy, nowMs),
            },
          }
        : {}),
      ...(moved || told || other || lines.length
        ? { event: { type: 'Agent', entityId: row.uuid, kind: 'UPDATED', node: after, previous: before } }
        : {}),
    };
  }
}

interface Change {
  waiting: Waiting;
  observation: Observation;
  story: AgentEvent[];
  entry?: SystemEntry;
  event?: EventDraft;
}

/** Whether another process of this house has heard an agent that this one takes for silent. */
function heardElsewhere(row: Agent, { live, seen }: Waiting, nowMs: number): boolean {
  const heardMs = row.lastSeenAt?.getTime() ?? 0;
  if (seen.presence === AgentPresence.ONLINE || heardMs <= live.beatMs || heardMs > nowMs) return false;
  live.beatMs = heardMs;
  // The other process may have heard it since it last wrote its beats down.
  live.heardMs = Math.min(nowMs, heardMs + FLUSH_MS);
  return true;
}

function apply(row: Agent, observation: Observation): void {
  const { reported, health } = observation;
  row.reportedState = reported;
  row.saidState = observation.said;
  row.saidSince = new Date(observation.saidSinceMs);
  row.state = observedState(row.desiredState, reported);
  row.presence = observation.presence;
  row.version = observation.version;
  row.observedConfigVersion = observation.observedConfigVersion;
  row.lastSeenAt = new Date(observation.lastSeenMs);
  row.leaseExpiresAt = new Date(observation.leaseEndMs);
  row.healthScore = health.score;
  row.healthGrade = health.grade;
  row.healthPenalties = health.penalties;
  row.healthAt = new Date(observation.healthMs);
}

interface Life {
  state: AgentState;
  presence: AgentPresence;
}

function storyOf(
  { uuid, ...common }: { uuid: () => string; agentUuid: string; occurredAt: Date },
  was: Life,
  is: Life,
  reason: string,
): AgentEvent[] {
  const fields = (['state', 'presence'] as const).filter((field) => was[field] !== is[field]);
  return fields.map((field) => ({
    ...common,
    id: uuid(),
    name: `${field}.changed`,
    detail: { from: was[field], to: is[field], reason },
    actor: SYSTEM,
  }));
}
