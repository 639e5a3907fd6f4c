import { Backoff } from '../wire/backoff.ts';
import type { FleetFailure } from '../wire/failure.ts';
import type { Surroundings } from '../wire/surroundings.ts';
import { exportBody, type Signal } from './otlp.ts';

/** What an outbox holds at most, and how it groups. */
export interface OutboxLimits {
  /** Records that wait, over all signals. */
  maxRecords: number;
  /** Bytes that wait, over all signals. */
  maxBytes: number;
  /** A request's body is closed at this size, bytes. */
  batchBytes: number;
  /** A request's body is closed after so long, milliseconds. */
  flushEveryMs: number;
}

export const OUTBOX_LIMITS: OutboxLimits = {
  maxRecords: 20_000,
  maxBytes: 8 << 20,
  batchBytes: 512 << 10,
  flushEveryMs: 500,
};

interface Batch {
  body: string;
  records: number;
  bytes: number;
}

interface Lane {
  open: Map<string, string[]>;
  openRecords: number;
  openBytes: number;
  sealed: Batch[];
  running: boolean;
}

/** What became of the records given to an outbox. */
export interface OutboxCounts {
  /** Answered by the platform and not refused. */
  sent: number;
  /** Not taken because the outbox was full. */
  dropped: number;
  /** Refused by the platform for good. */
  rejected: number;
  /** Still to be sent. */
  waiting: number;
}

/**
 * Telemetry on its way to the platform: bounded, in order for each signal, the same body until it is answered.
 * A body is closed before its first attempt and never changes, so the platform can tell a repeat; what comes while the outbox is full is dropped
 * and counted, so what was said first stays.
 */
export class Outbox {
  readonly #lanes: Record<Signal, Lane> = { logs: lane(), traces: lane(), metrics: lane() };
  readonly #stopped = new AbortController();
  #counts = { sent: 0, dropped: 0, rejected: 0 };
  #records = 0;
  #bytes = 0;
  #sealing = false;

  /** @param post sends one body; the failure it throws says whether to try again */
  constructor(
    private readonly post: (signal: Signal, body: string) => Promise<{ rejected: number }>,
    private readonly surroundings: Surroundings,
    private readonly limits: OutboxLimits = OUTBOX_LIMITS,
  ) {}

  get counts(): OutboxCounts {
    return { ...this.#counts, waiting: this.#records };
  }

  /** Takes one record. @param resource, record in OTLP/JSON */
  add(signal: Signal, resource: string, record: string): void {
    const bytes = record.length + 1;
    if (
      this.#records >= this.limits.maxRecords ||
      this.#bytes + bytes > this.limits.maxBytes ||
      this.#stopped.signal.aborted
    ) {
      this.#counts.dropped++;
      return;
    }
    const lane = this.#lanes[signal];
    const group = lane.open.get(resource);
    if (group) group.push(record);
    else lane.open.set(resource, [record]);
    lane.openRecords++;
    lane.openBytes += bytes;
    this.#records++;
    this.#bytes += bytes;
    if (lane.openBytes >= this.limits.batchBytes) this.#seal(signal);
    else this.#sealSoon();
  }

  /** Sends what waits; resolves when all is answered or after `limitMs`. @returns whether all was answered */
  async flush(limitMs: number): Promise<boolean> {
    const until = this.surroundings.nowMs() + limitMs;
    this.#sealAll();
    while (this.#records > 0 && this.surroundings.nowMs() < until) await this.surroundings.sleep(10);
    return this.#records === 0;
  }

  /** Gives up what is still waiting and counts it as dropped. */
  stop(): void {
    this.#stopped.abort();
    this.#counts.dropped += this.#records;
    this.#records = 0;
  }

  #sealSoon(): void {
    if (this.#sealing) return;
    this.#sealing = true;
    void this.surroundings.sleep(this.limits.flushEveryMs, this.#stopped.signal).then(() => {
      this.#sealing = false;
      this.#sealAll();
    });
  }

  #sealAll(): void {
    for (const signal of Object.keys(this.#lanes) as Signal[]) if (this.#lanes[signal].openRecords) this.#seal(signal);
  }

  #seal(signal: Signal): void {
    const lane = this.#lanes[signal];
    lane.sealed.push({ body: exportBody(signal, lane.open), records: lane.openRecords, bytes: lane.openBytes });
    lane.open = new Map();
    lane.openRecords = 0;
    lane.openBytes = 0;
    if (!lane.running) void this.#drain(signal, lane);
  }

  async #drain(signal: Signal, lane: Lane): Promise<void> {
    lane.running = true;
    const backoff = new Backoff(this.surroundings.random);
    for (let batch = lane.sealed[0]; batch && !this.#stopped.signal.aborted; batch = lane.sealed[0]) {
      try {
        const { rejected } = await this.post(signal, batch.body);
        this.#settle(lane, batch, rejected);
        backoff.reset();
      } catch (error) {
        const failure = error as FleetFailure;
        if (failure.retryable) await this.surroundings.sleep(backoff.next(failure.retryAfterMs), this.#stopped.signal);
        else this.#settle(lane, batch, batch.records);
      }
    }
    lane.running = false;
  }

  #settle(lane: Lane, batch: Batch, rejected: number): void {
    if (this.#stopped.signal.aborted) return;
    lane.sealed.shift();
    this.#records -= batch.records;
    this.#bytes -= batch.bytes;
    this.#counts.rejected += rejected;
    this.#counts.sent += batch.records - rejected;
  }
}

function lane(): Lane {
  return { open: new Map(), openRecords: 0, openBytes: 0, sealed: [], running: false };
}
