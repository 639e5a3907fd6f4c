import { FleetError } from '../errors.ts';
import { Worker } from '../worker.ts';

/** Room of the disk that telemetry is kept on, bytes. */
export interface DiskSpace {
  freeBytes: number;
  totalBytes: number;
}

export interface DiskWatchOptions {
  measure(): Promise<DiskSpace>;
  /** Below so much nothing more is taken, bytes; 0: whatever there is. A twentieth of the disk unless given, at most 1 GiB. */
  minFreeBytes?: number | undefined;
  /** How often it is measured, milliseconds. */
  pollMs?: number;
  /** Told when it becomes too full, and when there is room again. */
  onChange?(isFull: boolean, space: DiskSpace): void;
  /** Told of each request that is refused. */
  onRefused?(): void;
  /** Told when it cannot be measured: what was known last holds on. */
  onError?(error: unknown): void;
}

const MOST_FREE_BYTES = 1024 ** 3;
const FREE_SHARE = 0.05;
/** Taking begins again with so much more room than it stops at, or it would stop and begin by turns. */
const MARGIN = 1.25;
const RETRY_AFTER_MS = 5_000;

/** Sees that telemetry stops being taken before its disk is full, and is taken again once there is room. */
export class DiskWatch {
  readonly #worker: Worker;
  #space: DiskSpace | undefined;
  #isFull = false;

  constructor(private readonly options: DiskWatchOptions) {
    const { pollMs = 1_000, onError } = options;
    this.#worker = new Worker(
      async () => {
        await this.look();
        return false;
      },
      pollMs,
      (error) => onError?.(error),
    );
  }

  /** As it was measured last; undefined before that. */
  get space(): DiskSpace | undefined {
    return this.#space;
  }

  get isFull(): boolean {
    return this.#isFull;
  }

  start(): void {
    this.#worker.start();
  }

  stop(): Promise<void> {
    return this.#worker.stop();
  }

  /** Measures now. */
  async look(): Promise<void> {
    const { measure, minFreeBytes, onChange } = this.options;
    const space = await measure();
    const mark = minFreeBytes ?? Math.min(MOST_FREE_BYTES, space.totalBytes * FREE_SHARE);
    const isFull = space.freeBytes < mark * (this.#isFull ? MARGIN : 1);
    const hasChanged = isFull !== this.#isFull;
    this.#space = space;
    this.#isFull = isFull;
    if (hasChanged) onChange?.(isFull, space);
  }

  /** @throws OVERLOADED while there is too little room: 503 over OTLP, which its senders try again */
  check(): void {
    if (!this.#isFull) return;
    this.options.onRefused?.();
    throw new FleetError('OVERLOADED', 'the disk of the telemetry store is nearly full: send it again later', {
      retryAfterMs: RETRY_AFTER_MS,
      status: 503,
    });
  }
}
