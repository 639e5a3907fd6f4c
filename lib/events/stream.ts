import type { CursorSealer } from '../cursor.ts';
import { FleetError, messageOf } from '../errors.ts';
import type { Log } from '../log.ts';
import { Worker } from '../worker.ts';
import type { Notifications } from './notifications.ts';
import { Place } from './place.ts';

/** One positioned change, as the table has it. */
export interface StreamedEvent {
  position: number;
  /** The order in which it was written. */
  seq: number;
  occurredAt: Date;
  type: string;
  entityId: string;
  kind: 'CREATED' | 'UPDATED' | 'DELETED';
  node: Record<string, unknown>;
  previous: Record<string, unknown> | null;
}

/** How far a stream has come. */
export interface StreamState {
  epoch: string;
  /** The last position given. */
  last: number;
  /** The first that is still kept (last + 1 when none is). */
  oldest: number;
}

/** Where a stream reads its events from: a table with positions. */
export interface EventSource {
  /** In one snapshot. */
  state(): Promise<StreamState>;
  /** Events behind `position`, in order, at most `limit`, and the state in the same snapshot. */
  readAfter(position: number, limit: number): Promise<StreamState & { events: StreamedEvent[] }>;
}

/** One payload for a subscriber. */
export interface StreamedChange {
  cursor: string;
  occurredAt: Date;
  kind: 'CREATED' | 'UPDATED' | 'LEFT' | 'DELETED';
  entityId: string;
  node: Record<string, unknown>;
  previous: Record<string, unknown> | null;
}

/** A running subscription; `bookmark` is the position read through, also where the filter was quiet. */
export interface ChangeSubscription extends AsyncIterableIterator<StreamedChange> {
  bookmark(): string;
}

export interface SubscribeOptions {
  /** The node type. */
  type: string;
  /** Resume behind this cursor; nothing means from now. */
  after?: string | null | undefined;
  /** The filter on the entity's own fields. */
  matches?: (node: Record<string, unknown>) => boolean;
}

const WINDOW = 10_000;
const PAGE = 1_000;
const POLL_MS = 1_000;

/**
 * Change streams of one house: every change that matches, once, in order, resumable by cursor (STREAMS.md 2 and 3).
 * The last 10,000 events are in memory; older ones are read from the table, and the switch is by position.
 */
export class EventStream {
  #window: StreamedEvent[] = [];
  #last = 0;
  #epoch = '';
  #waiting = new Set<() => void>();
  #stopped = false;
  #ready: Promise<void> | undefined;
  readonly #worker: Worker;

  constructor(
    private readonly source: EventSource,
    private readonly cursors: CursorSealer,
    private readonly notifications: Notifications,
    private readonly wake: string,
    log: Log,
  ) {
    this.#worker = new Worker(
      () => this.#read(),
      POLL_MS,
      (error) => log.debug('stream.waits', { error: messageOf(error) }),
    );
  }

  start(): void {
    this.notifications.on(this.wake, () => this.#worker.wake());
    this.#worker.start();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#wakeAll();
    await this.#worker.stop();
  }

  /**
   * Starts a subscription; the place where it starts is settled when this resolves.
   * @throws BAD_CURSOR for a forged one, RESUME_GAP when events behind it are gone (with the oldest cursor); the running
   * subscription throws RESUME_GAP when that comes to pass meanwhile
   */
  async subscribe(options: SubscribeOptions): Promise<ChangeSubscription> {
    await this.#open();
    const from =
      options.after == null ? new Place(this.#epoch, this.#last) : await this.#resume(options.type, options.after);
    return this.#iterate(from, options);
  }

  async #resume(type: string, cursor: string): Promise<Place> {
    const place = Place.open(this.cursors, type, cursor);
    this.#require(place, type, await this.source.state());
    return place;
  }

  /** @throws RESUME_GAP with the oldest cursor, unless all that is behind this place is still there */
  #require({ epoch, position }: Place, type: string, state: StreamState): void {
    if (epoch === state.epoch && position <= state.last && position + 1 >= state.oldest) return;
    throw new FleetError(
      'RESUME_GAP',
      'events behind this cursor are gone: query anew, then subscribe after its changeCursor',
      { cursor: new Place(state.epoch, state.oldest - 1).seal(this.cursors, type) },
    );
  }

  #iterate(at: Place, { type, matches = () => true }: SubscribeOptions): ChangeSubscription {
    let batch: StreamedEvent[] = [];
    let done = false;
    let wakeUp: (() => void) | undefined;
    const next = async (): Promise<IteratorResult<StreamedChange>> => {
      while (!done && !this.#stopped) {
        const event = batch.shift();
        if (!event) {
          batch = await this.#after(at, type);
          if (batch.length) continue;
          await new Promise<void>((resolve) => {
            wakeUp = resolve;
            this.#waiting.add(resolve);
            // What came between the read and this line must not be slept through.
            if (this.#last > at.position || at.epoch !== this.#epoch || done || this.#stopped) resolve();
          });
          if (wakeUp) this.#waiting.delete(wakeUp);
          continue;
        }
        if (at.pass(event) || event.type !== type) continue;
        const change = changeOf(event, matches, at.seal(this.cursors, type));
        if (change) return { value: change, done: false };
      }
      return { value: undefined, done: true };
    };
    const end = (): Promise<IteratorResult<StreamedChange>> => {
      done = true;
      wakeUp?.();
      return Promise.resolve({ value: undefined, done: true });
    };
    return {
      next,
      return: end,
      throw: end,
      bookmark: () => at.seal(this.cursors, type),
      [Symbol.asyncIterator]() {
        return this;
      },
    };
  }

  /** Events behind a place: from memory when the window reaches back that far, else from the table. @throws RESUME_GAP */
  async #after(place: Place, type: string): Promise<StreamedEvent[]> {
    const { epoch, position } = place;
    if (epoch === this.#epoch && position <= this.#last) {
      if (position === this.#last) return [];
      const first = this.#window[0]?.position ?? Number.POSITIVE_INFINITY;
      if (position + 1 >= first) return this.#window.slice(position + 1 - first, position + 1 - first + PAGE);
    }
    const { events, ...state } = await this.source.readAfter(position, PAGE);
    this.#require(place, type, state);
    return events;
  }

  #open(): Promise<void> {
    this.#ready ??= this.source
      .state()
      .then(({ epoch, last }) => {
        this.#epoch = epoch;
        this.#last = last;
      })
      .catch((error: unknown) => {
        this.#ready = undefined;
        throw error;
      });
    return this.#ready;
  }

  async #read(): Promise<boolean> {
    await this.#open();
    const { epoch, last, oldest, events } = await this.source.readAfter(this.#last, PAGE);
    if (epoch !== this.#epoch || last < this.#last || oldest > this.#last + 1) {
      await this.#begin();
      return true;
    }
    this.#window.push(...events);
    if (this.#window.length > WINDOW) this.#window = this.#window.slice(-WINDOW);
    this.#last = events.at(-1)?.position ?? this.#last;
    if (events.length) this.#wakeAll();
    return events.length > 0;
  }

  /** Begins anew where the table is now: it was set back, or is far ahead. Whoever cannot go on is told so when he is woken. */
  async #begin(): Promise<void> {
    this.#ready = undefined;
    this.#window = [];
    await this.#open();
    this.#wakeAll();
  }

  #wakeAll(): void {
    const waiting = this.#waiting;
    this.#waiting = new Set();
    for (const resolve of waiting) resolve();
  }
}

/** What a subscriber with this filter is told of an event: nothing, the change, or that the node left (STREAMS.md 3.3). */
export function changeOf(
  event: StreamedEvent,
  matches: (node: Record<string, unknown>) => boolean,
  cursor: string,
): StreamedChange | undefined {
  const { occurredAt, node, previous, entityId } = event;
  const change = { cursor, occurredAt, node, previous, entityId };
  const is = matches(node);
  const was = previous !== null && event.kind !== 'CREATED' && matches(previous);
  if (is) return { ...change, kind: event.kind };
  return was ? { ...change, kind: event.kind === 'DELETED' ? 'DELETED' : 'LEFT' } : undefined;
}
