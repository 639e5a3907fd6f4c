import type { Call } from '../../../lib/call/signing.ts';
import type { Clock } from '../../../lib/clock.ts';
import { messageOf } from '../../../lib/errors.ts';
import type { DeletedPayload } from '../../../lib/graphql/deleted-payload.ts';
import type { DeleteByNameInput } from '../../../lib/graphql/shared.ts';
import { patchOf } from '../../../lib/json-patch.ts';
import type { Log } from '../../../lib/log.ts';
import { Worker } from '../../../lib/worker.ts';
import type { Writes } from '../../../lib/write/writes.ts';
import type { LogMetric, LogMetricInput, LogMetricPayload, LogMetricProgress } from '../entity/index.ts';
import { type LogMetricStore, type NamedStore, OVERFLOW_KEY } from '../store/index.ts';
import type { MetricCounter } from './metric-counter.ts';
import { definitionOf } from './metric-definition.ts';
import { NamedConfiguration } from './named.ts';
import type { SavedSearches } from './saved-searches.ts';
import type { Watermark } from './tail.ts';

const MAX_METRICS = 50;

export interface LogMetricParts {
  definitions: NamedStore<LogMetric>;
  store: LogMetricStore;
  counter: MetricCounter;
  searches: SavedSearches;
  mark: Watermark;
  writes: Writes;
  clock: Clock;
  log: Log;
  /** How often they get new samples, milliseconds. */
  everyMs: number;
}

/** Metrics that are made of log entries: what they are, and that they are counted. */
export class LogMetrics {
  readonly #configuration: NamedConfiguration<LogMetric>;
  readonly #worker: Worker;

  constructor(private readonly parts: LogMetricParts) {
    const [type, what] = ['LogMetric', 'log metric'];
    const { definitions: store, writes } = parts;
    this.#configuration = new NamedConfiguration({ type, what, max: MAX_METRICS, store, writes });
    this.#worker = new Worker(
      () => this.#count(),
      parts.everyMs,
      (error) => parts.log.warn('logs.metrics.wait', { error: messageOf(error) }),
    );
  }

  start(): void {
    this.#worker.start();
  }

  stop(): Promise<void> {
    return this.#worker.stop();
  }

  all(): Promise<LogMetric[]> {
    return this.parts.definitions.all();
  }

  /** A metric whose entries, numbers or labels become others begins anew, with what is stored from then on. */
  async apply(input: LogMetricInput, call: Call): Promise<LogMetricPayload> {
    const { store, searches, mark, clock } = this.parts;
    // Asked before: one that is not there is told, and a saved search cannot be waited for in the transaction.
    const unknown = await searches.expanded(input.filter).then(
      () => undefined,
      (error: unknown) => error,
    );
    const { stored, ...rest } = await this.#configuration.apply(
      call,
      'applyLogMetric',
      input,
      () => {
        const definition = definitionOf(input);
        if (unknown) throw unknown;
        return definition;
      },
      async (tx, after, before) => {
        const what = (metric: LogMetric) => ({ ...metric, version: 0, description: '' });
        const isSame = before !== null && patchOf(what(before), what(after)).length === 0;
        if (isSame) await store.rename(tx, after.name, after.version);
        else await store.begin(tx, after.name, after.version, mark.watermark, clock.nowMs());
      },
    );
    return { ...rest, metric: stored, changes: rest.changes as LogMetricPayload['changes'] };
  }

  delete(input: DeleteByNameInput, call: Call): Promise<DeletedPayload> {
    return this.#configuration.delete(call, 'deleteLogMetric', input);
  }

  /** How far each is, by name; null for one that is not there. */
  async progress(names: readonly string[]): Promise<(LogMetricProgress | null)[]> {
    const { store } = this.parts;
    const states = new Map((await store.states(names)).map((state) => [state.name, state]));
    const sizes = await store.sizes(names, OVERFLOW_KEY);
    return names.map((name) => {
      const state = states.get(name);
      const { series = 0, over = false } = sizes.get(name) ?? {};
      return state ? { countedUntil: new Date(state.counted / 1_000), series, isOverflowing: over } : null;
    });
  }

  /** Counts what was stored since; one that cannot be counted holds up no other. @returns whether more is there at once */
  async #count(): Promise<boolean> {
    let more = false;
    for (const metric of await this.all()) {
      try {
        more = (await this.parts.counter.step(metric)) || more;
      } catch (error) {
        this.parts.log.warn('logs.metric.waits', { metric: metric.name, error: messageOf(error) });
      }
    }
    return more;
  }
}
