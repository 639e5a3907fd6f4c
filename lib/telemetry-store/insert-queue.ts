import type { Clock } from '../clock.ts';
import { asFleetError, FleetError, messageOf } from '../errors.ts';
import { batchNumber, RepeatGuard } from './repeat-guard.ts';
import { ReturnTimes } from './return-times.ts';
import { StampClock } from './stamp-clock.ts';

/** Requests of one durable insert, in the order they were given. */
export interface StoredGroup<B> {
  /** Microseconds since 1970; above that of every earlier group. */
  stamp: number;
  batches: readonly B[];
}

export interface InsertQueueOptions {
  clock: Clock;
  /** Rows after which a group goes at once. */
  maxRows?: number;
  /** How long the first row of a group waits for company, milliseconds. */
  lingerMs?: number;
  /** Rows waiting and under way, bytes as they are inserted, beyond which the next request is refused. */
  maxPendingBytes?: number;
  /** @throws when the store takes nothing now */
  checkStore?(): void;
  /** Whether requests share inserts now; each has its own while not. */
  isGrouping?(): boolean;
}

/** A request's rows and the number they are remembered by, decimal; 0 without a token. */
export interface Numbered<P> {
  prepared: P;
  batch: string;
}

/** How the rows of requests become an insert. `B` is what a request brings, `P` what of it can be made before its turn. */
export interface InsertForm<B, P> {
  rowsOf(batch: B): number;
  /** Everything that does not depend on the group; called only when there is room. */
  prepare(batch: B): { prepared: P; bytes: number };
  /** One durable insert; the same token again is the same insert again. */
  insert(group: readonly Numbered<P>[], stamp: number, firstSeq: number, token: string): Promise<void>;
  /** Told of each durable group, before its requests are answered. */
  onGroup?(group: StoredGroup<B>): void;
}

interface Pending<B, P> extends Numbered<P> {
  rows: B;
  count: number;
  bytes: number;
  resolve(): void;
  reject(error: unknown): void;
}

const RETRY_AFTER_MS = 1_000;
const ATTEMPTS = 4;
const REPEAT_WINDOW_MS = 10 * 60_000;

/**
 * Makes one durable insert of all requests of some 50 milliseconds. A request's rows are never split: after a crash all of
 * them are there or none. One insert is under way at a time, so groups become durable in the order of their stamps.
 */
export class InsertQueue<B, P> {
  readonly #options: Required<InsertQueueOptions>;
  readonly #guard = new RepeatGuard();
  readonly #stamps: StampClock;
  readonly #returns: ReturnTimes;
  #waiting: Pending<B, P>[] = [];
  #waitingRows = 0;
  #pendingBytes = 0;
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> | undefined;
  #watermark = 0;
  #closed = false;

  constructor(
    options: InsertQueueOptions,
    private readonly form: InsertForm<B, P>,
  ) {
    this.#options = {
      maxRows: 50_000,
      lingerMs: 50,
      maxPendingBytes: 64 * 1024 * 1024,
      isGrouping: () => true,
      checkStore: () => undefined,
      ...options,
    };
    this.#stamps = new StampClock(options.clock);
    this.#returns = new ReturnTimes(this.#options.maxPendingBytes);
  }

  /** Every row stamped up to here is durable; none will come below it. */
  get watermark(): number {
    return this.#watermark;
  }

  /** Bytes waiting and under way. */
  get pendingBytes(): number {
    return this.#pendingBytes;
  }

  /** Goes on above what an earlier process stamped, and knows the batches that it stored. */
  resume(stamp: number, batches: readonly { batch: string; atMs: number }[] = []): void {
    this.#stamps.startAbove(stamp);
    this.#watermark = Math.max(this.#watermark, stamp);
    for (const { batch, atMs } of batches) this.#guard.note(batch, atMs);
  }

  /**
   * Stores rows; resolves once they are durable.
   * @param token the same token within `windowMs` (10 minutes) is stored once: then the answer is `repeated`
   * @throws OVERLOADED (`retryAfterMs`) when too much waits or the disk is full, SUBGRAPH_UNAVAILABLE once closed or when the engine is away
   */
  async add(rows: B, token?: string, windowMs = REPEAT_WINDOW_MS): Promise<'stored' | 'repeated'> {
    if (!this.form.rowsOf(rows)) return 'stored';
    if (this.#closed) throw new FleetError('SUBGRAPH_UNAVAILABLE', 'this process is stopping: send it again');
    const batch = token === undefined ? '0' : batchNumber(token);
    const nowMs = this.#options.clock.nowMs();
    const before = token === undefined ? undefined : this.#guard.find(batch, nowMs, windowMs);
    if (before) {
      await before;
      return 'repeated';
    }
    const done = this.#enqueue(rows, batch);
    if (token !== undefined) this.#guard.note(batch, nowMs, done);
    await done;
    return 'stored';
  }

  /**
   * Asked before the work that would be in vain.
   * @param bytes what the request takes, about
   * @throws OVERLOADED when nothing more is taken now
   */
  checkRoom(bytes = 0): void {
    this.#options.checkStore();
    if (this.#pendingBytes >= this.#options.maxPendingBytes) throw this.#overloaded(bytes);
  }

  /** Stores what waits, then refuses more. */
  async close(): Promise<void> {
    this.#closed = true;
    while (this.#waiting.length || this.#running) {
      this.#kick();
      await this.#running;
    }
  }

  #enqueue(rows: B, batch: string): Promise<void> {
    const { maxPendingBytes, maxRows, lingerMs, isGrouping } = this.#options;
    // Before the work of writing them out: an overload must not cost what it refuses.
    this.checkRoom();
    const { prepared, bytes } = this.form.prepare(rows);
    if (this.#pendingBytes > 0 && this.#pendingBytes + bytes > maxPendingBytes) throw this.#overloaded(bytes);
    const count = this.form.rowsOf(rows);
    return new Promise((resolve, reject) => {
      this.#waiting.push({ rows, count, prepared, batch, bytes, resolve, reject });
      this.#pendingBytes += bytes;
      this.#waitingRows += count;
      if (this.#running) return;
      if (this.#waitingRows >= maxRows || !isGrouping()) this.#kick();
      else this.#timer ??= setTimeout(() => this.#kick(), lingerMs);
    });
  }

  #overloaded(bytes: number): FleetError {
    const retryAfterMs = this.#returns.next(bytes, this.#options.clock.nowMs());
    return new FleetError('OVERLOADED', 'too much waits to be stored: send it again later', { retryAfterMs });
  }

  #kick(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#waiting.length) this.#running ??= this.#drain();
  }

  async #drain(): Promise<void> {
    try {
      while (this.#waiting.length) await this.#storeGroup(this.#take());
    } finally {
      // In the same turn as the last look at what waits: whoever comes after sets a timer of its own.
      this.#running = undefined;
    }
  }

  #take(): Pending<B, P>[] {
    let rows = 0;
    let count = 0;
    const most = this.#options.isGrouping() ? this.#waiting.length : 1;
    while (count < most && (count === 0 || rows < this.#options.maxRows)) {
      rows += (this.#waiting[count] as Pending<B, P>).count;
      count += 1;
    }
    this.#waitingRows -= rows;
    return this.#waiting.splice(0, count);
  }

  async #storeGroup(group: Pending<B, P>[]): Promise<void> {
    const stamp = this.#stamps.next();
    const { clock } = this.#options;
    const begunMs = clock.nowMs();
    const stored = await this.#insert(group, stamp);
    this.#watermark = stamp;
    const bytes = group.reduce((sum, request) => sum + request.bytes, 0);
    this.#pendingBytes -= bytes;
    this.#returns.stored(bytes, clock.nowMs() - begunMs);
    if (stored.length) this.form.onGroup?.({ stamp, batches: stored.map(({ rows }) => rows) });
    for (const request of stored) request.resolve();
  }

  /** @returns the requests that are stored; the others are told why not */
  async #insert(group: Pending<B, P>[], stamp: number): Promise<Pending<B, P>[]> {
    try {
      await this.#write(group, stamp, 0);
      return group;
    } catch (error) {
      if (group.length > 1 && !asFleetError(error)) return await this.#insertAlone(group, stamp);
      for (const request of group) request.reject(error);
      return [];
    }
  }

  /** One request that the engine refuses must not take the others with it. */
  async #insertAlone(group: Pending<B, P>[], stamp: number): Promise<Pending<B, P>[]> {
    const stored: Pending<B, P>[] = [];
    let seq = 0;
    for (const request of group) {
      try {
        await this.#write([request], stamp, seq);
        stored.push(request);
        seq += request.count;
      } catch (error) {
        request.reject(error);
      }
    }
    return stored;
  }

  async #write(group: Pending<B, P>[], stamp: number, firstSeq: number): Promise<void> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.form.insert(group, stamp, firstSeq, `${stamp}-${firstSeq}`);
      } catch (error) {
        if (!isAway(error)) throw error;
        if (attempt === ATTEMPTS) throw unavailable();
        // Whether it was stored is not known: the same token makes the next attempt harmless.
        await new Promise((resolve) => setTimeout(resolve, 100 * 2 ** attempt));
      }
    }
  }
}

function unavailable(): FleetError {
  return new FleetError('SUBGRAPH_UNAVAILABLE', 'the telemetry store is away: send it again', {
    retryAfterMs: RETRY_AFTER_MS,
  });
}

function isAway(error: unknown): boolean {
  const code = String((error as { code?: unknown }).code ?? '');
  return /^E[A-Z]+$/.test(code) || /socket hang up|timeout error|ECONN/i.test(messageOf(error));
}
