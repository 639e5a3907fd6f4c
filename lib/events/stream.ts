import type { CursorSealer } from '../cursor.ts';
import { FleetError, messageOf } from '../errors.ts';
import type { Log } from '../log.ts';
import { Worker } from '../worker.ts';
import type { Notifications } from './notifications.ts';

/** One positioned change, as the table has it. */
export interface StreamedEvent {
  position: number;
  occurredAt: Date;
  type: string;
  entityId: string;
  kind: 'CREATED' | 'UPDATED' | 'DELETED';
  node: Record<string, unknown>;
  previous: Record<string, unknown> | null;
}

/** Where a stream reads its events from: a table with positions. */
export interface EventSource {
  /** The epoch and the last position given, in one snapshot; `oldest` is the first still kept (last + 1 when none). */
  state(): Promise<{ epoch: string; last: number; oldest: number }>;
  /** Events behind `position`, in order, at most `limit`. */
  readAfter(position: number, limit: number): Promise<StreamedEvent[]>;
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

  /** The cursor of now: what is read in a snapshot taken after this call holds everything up to it. */
  async changeCursor(type: string): Promise<string> {
    const { epoch, last } = await this.source.state();
    return this.cursors.seal(`change:${type}`, [epoch, last]);
  }

  /**
   * Starts a subscription; the place where it starts is settled when this resolves.
   * @throws BAD_CURSOR for a forged one, RESUME_GAP when events behind it are gone (with the oldest cursor)
   */
  async subscribe(options: SubscribeOptions): Promise<ChangeSubscription> {
    await this.#open();
    const from = options.after == null ? this.#last : await this.#resume(options.type, options.after);
    return this.#iterate(from, options);
  }

  async #resume(type: string, cursor: string): Promise<number> {
    const [epoch, position] = this.cursors.open(`change:${type}`, cursor) as [string, number];
    const state = await this.source.state();
    if (epoch !== state.epoch || position > state.last || position + 1 < state.oldest) {
      throw new FleetError(
        'RESUME_GAP',
        'events behind this cursor are gone: query anew, then subscribe after its changeCursor',
        {
          cursor: this.cursors.seal(`change:${type}`, [state.epoch, state.oldest - 1]),
        },
      );
    }
    return position;
  }

  #iterate(from: number, { type, matches = () => true }: SubscribeOptions): ChangeSubscription {
    const list = `change:${type}`;
    const seal = (position: number) => this.cursors.seal(list, [this.#epoch, position]);
    let at = from;
    let batch: StreamedEvent[] = [];
    let done = false;
    let wakeUp: (() => void) | undefined;
    const next = async (): Promise<IteratorResult<StreamedChange>> => {
      while (!done && !this.#stopped) {
        const event = batch.shift();
        if (!event) {
          batch = await this.#after(at);
          if (batch.length) continue;
          await new Promise<void>((resolve) => {
            wakeUp = resolve;
            this.#waiting.add(resolve);
            // What came between the read and this line must not be slept through.
            if (this.#last > at || done || this.#stopped) resolve();
          });
          if (wakeUp) this.#waiting.delete(wakeUp);
          continue;
        }
        at = event.position;
        const change = event.type === type ? changeOf(event, matches, seal(event.position)) : undefined;
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
      bookmark: () => seal(at),
      [Symbol.asyncIterator]() {
        return this;
      },
    };
  }

  /** Events behind a position: from memory when the window reaches back that far, else from the table. */
  async #after(position: number): Promise<StreamedEvent[]> {
    if (position >= this.#last) return [];
    const first = this.#window[0]?.position ?? Number.POSITIVE_INFINITY;
    if (position + 1 >= first) return this.#window.slice(position + 1 - first, position + 1 - first + PAGE);
    return await this.source.readAfter(position, PAGE);
  }

  #open(): Promise<void> {
    this.#ready ??= this.source
      .state()
      .then(({ epoch, last }) => {
        this.#epoch = epoch;
        this.#last = Math.max(this.#last, last);
      })
      .catch((error: unknown) => {
        this.#ready = undefined;
        throw error;
      });
    return this.#ready;
  }

  async #read(): Promise<boolean> {
    await this.#open();
    const events = await this.source.readAfter(this.#last, PAGE);
    this.#window.push(...events);
    if (this.#window.length > WINDOW) this.#window = this.#window.slice(-WINDOW);
    this.#last = events.at(-1)?.position ?? this.#last;
    if (events.length) this.#wakeAll();
    return events.length > 0;
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
