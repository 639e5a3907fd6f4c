import type { Clock } from '../../../lib/clock.ts';
import { asFleetError, FleetError } from '../../../lib/errors.ts';
import type { LogMetric } from '../entity/index.ts';
import {
  type Counted,
  type CountedLog,
  type LogMetricStore,
  type MetricCountStore,
  type MetricState,
  OVERFLOW_KEY,
  type StampRange,
} from '../store/index.ts';
import { countedFieldOf } from './analysis.ts';
import { criteriaOf } from './filter.ts';
import { added, type LogSample, samplesOf } from './metric-samples.ts';
import type { SavedSearches } from './saved-searches.ts';
import type { Watermark } from './tail.ts';

export interface MetricCounterParts {
  counts: MetricCountStore;
  store: LogMetricStore;
  searches: SavedSearches;
  mark: Watermark;
  clock: Clock;
  /** Gives samples to the metrics house; the same again are kept once. */
  deliver(samples: readonly LogSample[]): Promise<void>;
}

/** Series that did not change are told again so often: who looks at the last minutes sees that they stand still. */
const WHOLE_EVERY_MS = 15_000;

/**
 * Counts what was stored since the last time. The values of a metric's series and the stamp up to which they are true are
 * written together, and then given to the metrics house: after a kill at any moment the same samples are given again, by the
 * same times, or the same stretch is counted again.
 */
export class MetricCounter {
  constructor(private readonly parts: MetricCounterParts) {}

  /** One step of one metric. @returns whether more is there at once */
  async step(metric: LogMetric): Promise<boolean> {
    const [state] = await this.parts.store.states([metric.name]);
    // Changed since it was read: its next turn comes with the new definition.
    if (state?.version !== metric.version) return false;
    if (!state.isDelivered) await this.#deliver(metric, state);
    const nowMs = Math.max(this.parts.clock.nowMs(), state.sampledAt + 1);
    const until = this.parts.mark.watermark;
    const isWhole = nowMs - state.wholeAt >= WHOLE_EVERY_MS;
    if (until <= state.counted && !isWhole) return false;
    const next = await this.#count(metric, { after: state.counted, until: Math.max(until, state.counted) });
    const wholeAt = isWhole ? nowMs : state.wholeAt;
    const after = { ...state, counted: next.until, previousAt: state.sampledAt, sampledAt: nowMs, wholeAt };
    const known = new Map(next.series.map((series) => [series.key, series]));
    const changed = next.counted.map((counted) => ({
      key: counted.key,
      value: added(known.get(counted.key)?.value, counted),
      bornAt: nowMs,
      sampledAt: nowMs,
    }));
    if (!(await this.parts.store.advance(state, after, changed))) return false;
    await this.#deliver(metric, after);
    return next.until < until;
  }

  async #count(metric: LogMetric, range: StampRange) {
    const series = await this.parts.store.series(metric.name);
    if (range.until === range.after) return { series, until: range.until, counted: [] };
    const known = series.map(({ key }) => key).filter((key) => key !== OVERFLOW_KEY);
    const log = await this.#logOf(metric);
    return { series, ...(await this.#countWithin(log, range, known, metric.maxSeries)) };
  }

  /** As much of the stretch as the store manages within its limits: after hours away it may be less than all. */
  async #countWithin(
    log: CountedLog,
    range: StampRange,
    known: readonly string[],
    maxSeries: number,
  ): Promise<{ until: number; counted: Counted[] }> {
    try {
      const room = log.by.length ? maxSeries - known.length : 0;
      const fresh = room > 0 ? await this.parts.counts.newKeys(log, range, known, room) : [];
      const keys = log.by.length ? [...known, ...fresh] : ['[]'];
      return { until: range.until, counted: await this.parts.counts.count(log, range, keys) };
    } catch (error) {
      const code = asFleetError(error)?.code;
      const half = range.after + Math.floor((range.until - range.after) / 2);
      if ((code !== 'TIMEOUT' && code !== 'OVERLOADED') || half === range.after) throw error;
      return await this.#countWithin(log, { after: range.after, until: half }, known, maxSeries);
    }
  }

  async #logOf({ kind, filter, value, by, buckets }: LogMetric): Promise<CountedLog> {
    const field = (name: string) => {
      const found = countedFieldOf(name);
      if (!found) throw new FleetError('BAD_INPUT', `there is no field ${name}`);
      return found;
    };
    const criteria = criteriaOf(await this.parts.searches.expanded(filter), this.parts.clock.nowMs());
    return { kind, criteria, value: value === null ? undefined : field(value), by: by.map(field), buckets };
  }

  async #deliver(metric: LogMetric, state: MetricState): Promise<void> {
    const samples = samplesOf(metric, state, await this.parts.store.series(metric.name));
    if (samples.length) await this.parts.deliver(samples);
    await this.parts.store.delivered(state);
  }
}
