import { setTimeout as pause } from 'node:timers/promises';
import type { Clock } from '../../../lib/clock.ts';
import { messageOf } from '../../../lib/errors.ts';
import type { ChangeSubscription, EventStream } from '../../../lib/events/stream.ts';
import type { Log } from '../../../lib/log.ts';
import { uuidOf } from '../../../lib/node-id.ts';
import { Worker } from '../../../lib/worker.ts';
import type { EventDraft } from '../../../lib/write/rows.ts';
import type { Writes } from '../../../lib/write/writes.ts';
import type { ErrorGroupFilter, ErrorGroupState } from '../entity/index.ts';
import type { ErrorGroupStore, ErrorResolutionStore, ErrorWatchStore } from '../store/index.ts';
import { ERROR_STREAM, type ErrorGroups } from './error-groups.ts';
import { uuidOfFingerprint } from './error-id.ts';
import { type ErrorSnapshot, groupMatcher, snapshotOf } from './error-snapshot.ts';
import type { Watermark } from './tail.ts';

/** What happens to a group within this time is one change, milliseconds. */
const TOGETHER_MS = 1_000;
/** How often it is looked for groups that the log has no more, and how many are looked at together. */
const FORGET_MS = 3_600_000;
const FORGOTTEN = 500;

export interface ErrorWatchRooms {
  store: ErrorGroupStore;
  groups: ErrorGroups;
  resolutions: ErrorResolutionStore;
  watched: ErrorWatchStore;
  writes: Writes;
  events: EventStream;
  mark: Watermark;
  clock: Clock;
  log: Log;
}

/**
 * Live groups of errors: reads from the log which groups failed since it looked last, and writes what they are now as change events, at
 * most one for each group and second. How far it looked is in the same transaction as the events: whoever is killed in
 * between looks again and finds the same. A count is never added up, but read.
 */
export class ErrorWatch {
  readonly #worker: Worker;
  readonly #forgetter: Worker;
  #toldMs = Number.NEGATIVE_INFINITY;

  constructor(private readonly rooms: ErrorWatchRooms) {
    this.#worker = new Worker(
      () => this.#turn(),
      TOGETHER_MS,
      (error) => rooms.log.warn('errors.watch.waits', { error: messageOf(error) }),
    );
    this.#forgetter = new Worker(
      async () => (await this.forget()) === FORGOTTEN,
      FORGET_MS,
      (error) => rooms.log.warn('errors.forget.waits', { error: messageOf(error) }),
    );
  }

  start(): void {
    this.#worker.start();
    this.#forgetter.start();
  }

  async stop(): Promise<void> {
    await this.#forgetter.stop();
    await this.#worker.stop();
  }

  /** Rows became durable. */
  wake(): void {
    this.#worker.wake();
  }

  /** Changes that match, each once and in order. @throws BAD_CURSOR, RESUME_GAP */
  follow(
    filter: ErrorGroupFilter,
    states: readonly ErrorGroupState[] | null | undefined,
    after: string | null | undefined,
  ): Promise<ChangeSubscription> {
    const matches = groupMatcher(filter, states);
    return this.rooms.events.subscribe({
      type: ERROR_STREAM,
      after,
      matches: (node) => matches(node as unknown as ErrorSnapshot),
    });
  }

  /** Tells what failed since. @returns whether there is more */
  async look(): Promise<boolean> {
    const { store, watched, writes, mark } = this.rooms;
    const { watermark } = mark;
    const behind = await watched.stamp(watermark);
    if (watermark <= behind) return false;
    const { fingerprints, upTo } = await store.failedBetween(behind, watermark);
    const uuids = fingerprints.map(uuidOfFingerprint);
    await writes.transaction(async (tx) => {
      if (!(await watched.advance(tx, behind, upTo)) || !uuids.length) return;
      // What people say of a group meanwhile comes before or after, in the order of their locks.
      await this.rooms.resolutions.lockAll(tx, uuids);
      const told = await watched.told(tx, uuids);
      const groups = (await this.rooms.groups.find(uuids, upTo)).flatMap((group) => (group ? [snapshotOf(group)] : []));
      const events = groups.map((group) => eventOf(group, told.get(uuidOf(ERROR_STREAM, group.id))));
      await watched.tell(tx, new Map(events.map(({ entityId, node }) => [entityId, node])));
      await writes.system(tx, 'logs', [], events);
    });
    return upTo < watermark;
  }

  /**
   * Forgets what groups were told to be that retention took out of the log: such a group is new when it fails again. Those that
   * failed longest ago are looked at, as the oldest entries go first.
   * @returns how many went
   */
  async forget(): Promise<number> {
    const { watched, groups, resolutions, writes } = this.rooms;
    const uuids = await watched.longestSilent(FORGOTTEN);
    if (!uuids.length) return 0;
    return await writes.transaction(async (tx) => {
      // Nobody tells of them meanwhile.
      await resolutions.lockAll(tx, uuids);
      const found = await groups.find(uuids);
      const gone = uuids.filter((_, at) => found[at] === null);
      await watched.forget(tx, gone);
      return gone.length;
    });
  }

  /** The first change is told at once, those that follow within a second together. */
  async #turn(): Promise<boolean> {
    const restMs = this.#toldMs + TOGETHER_MS - this.rooms.clock.nowMs();
    if (restMs > 0) await pause(Math.min(restMs, TOGETHER_MS));
    const before = this.rooms.clock.nowMs();
    const hasMore = await this.look();
    this.#toldMs = before;
    return hasMore;
  }
}

function eventOf(node: ErrorSnapshot, previous: object | undefined): EventDraft {
  return {
    type: ERROR_STREAM,
    entityId: uuidOf(ERROR_STREAM, node.id),
    kind: previous ? 'UPDATED' : 'CREATED',
    node,
    previous: previous ?? null,
  };
}
