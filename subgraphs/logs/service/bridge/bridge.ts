import type { Counter, Gauge } from 'prom-client';
import type { Clock } from '../../../../lib/clock.ts';
import { messageOf as reasonOf } from '../../../../lib/errors.ts';
import type { EventSource } from '../../../../lib/events/stream.ts';
import { GrowingPause } from '../../../../lib/growing-pause.ts';
import type { Log } from '../../../../lib/log.ts';
import { Worker } from '../../../../lib/worker.ts';
import type { ErrorBridgeStore } from '../../store/index.ts';
import { ERROR_STREAM } from '../error-groups.ts';
import { type BridgeTarget, messageOf } from './message.ts';

const POLL_MS = 1_000;
const BATCH = 200;
const LONGEST_PAUSE_MS = 60_000;

export interface BridgeRooms {
  source: EventSource;
  places: ErrorBridgeStore;
  clock: Clock;
  log: Log;
  metrics: Record<'sent' | 'failed' | 'gaps', Counter<'bridge'>> & { waiting: Gauge<'bridge'> };
}

/**
 * Gives the changes of groups of errors to another system, in order and at least once: its place in the change stream is stored
 * once they were taken. Each message has an id that stays the same. What waits is the stream itself, which is bounded by its
 * retention: a bridge that was away for longer goes on with the oldest that is kept, and says so.
 */
export class ErrorBridge {
  readonly #worker: Worker;
  readonly #pause: GrowingPause;

  /** @param name of its place @param label for metrics and the log: no credential is in it */
  constructor(
    private readonly name: string,
    private readonly label: string,
    private readonly target: BridgeTarget,
    private readonly rooms: BridgeRooms,
  ) {
    this.#pause = new GrowingPause(rooms.clock, LONGEST_PAUSE_MS);
    this.#worker = new Worker(
      () => this.#step(),
      POLL_MS,
      (error) => this.#later(error),
    );
  }

  start(): void {
    this.#worker.start();
  }

  wake(): void {
    this.#worker.wake();
  }

  async stop(): Promise<void> {
    await this.#worker.stop();
    await this.target.close();
  }

  async #step(): Promise<boolean> {
    if (this.#pause.lasts) return false;
    const { source, places, metrics, log } = this.rooms;
    const bridge = this.label;
    const now = await source.state();
    let place = await places.place(this.name, { epoch: now.epoch, position: now.last });
    if (place.epoch !== now.epoch || place.position > now.last || place.position + 1 < now.oldest) {
      place = { epoch: now.epoch, position: now.oldest - 1 };
      metrics.gaps.inc({ bridge });
      log.warn('errors.bridge.gap', { bridge });
    }
    const { events, epoch } = await source.readAfter(place.position, BATCH);
    metrics.waiting.set({ bridge }, Math.max(0, now.last - place.position));
    const last = events.at(-1);
    // The database was put back in between: the next step finds out.
    if (!last || epoch !== place.epoch) return false;
    const messages = events.filter(({ type }) => type === ERROR_STREAM).map((event) => messageOf(event, epoch));
    await this.target.send(messages);
    await places.advance(this.name, { epoch, position: last.position });
    metrics.sent.inc({ bridge }, messages.length);
    const failures = this.#pause.passed();
    if (failures) log.info('errors.bridge.again', { bridge, failures });
    return true;
  }

  #later(error: unknown): void {
    this.#pause.failed();
    this.rooms.metrics.failed.inc({ bridge: this.label });
    const { failures } = this.#pause;
    this.rooms.log.warn('errors.bridge.waits', { bridge: this.label, error: reasonOf(error), failures });
  }
}
