import type { Clock } from '../../../lib/clock.ts';
import { GroupedInserter, type TelemetryStore } from '../../../lib/telemetry-store/index.ts';
import type { Measurement } from '../entity/measurement.ts';
import { SeriesRegistry, type SeriesRow } from './series-registry.ts';

interface SampleRow {
  series: string;
  /** Seconds since 1970 with three decimals. */
  time: string;
  value: number | string;
}

const DAY_MS = 86_400_000;

/** Writes samples, and the series that they belong to. */
export class SampleStore {
  readonly #registry = new SeriesRegistry();
  readonly #series: GroupedInserter<SeriesRow>;
  readonly #samples: GroupedInserter<SampleRow>;

  constructor(
    private readonly store: TelemetryStore,
    private readonly clock: Clock,
    maxPendingBytes: number,
  ) {
    this.#series = new GroupedInserter<SeriesRow>({
      store,
      clock,
      maxPendingBytes,
      into: 'metric_series (id, metric, labels, type, temporality, unit, help, seen)',
    });
    this.#samples = new GroupedInserter<SampleRow>({
      store,
      clock,
      maxPendingBytes,
      into: 'metric_sample (series, time, value, batch)',
      batched: true,
    });
  }

  /** Knows again which batches came within the last day. */
  async start(): Promise<void> {
    const batches = await this.store.query<{ token: string; at: number }>(
      `select toString(batch) as token, toUnixTimestamp(max(received)) as at from metric_sample
       where batch != 0 and received > now() - interval 1 day group by batch order by max(received)`,
    );
    const known = batches.map(({ token, at }) => ({ batch: token, atMs: at * 1_000 }));
    this.#samples.resume(0, known);
  }

  /**
   * Stores samples; resolves once they and their series are durable.
   * @param batch the same again within a day is stored once
   */
  async add(measurements: readonly Measurement[], batch?: string): Promise<void> {
    const nowMs = this.clock.nowMs();
    const rows = new Map<string, SeriesRow>();
    const samples = measurements.map((measurement) => ({
      series: this.#registry.identify(measurement, nowMs, rows),
      time: secondsOf(measurement.timeMs),
      value: numberOf(measurement.value),
    }));
    const series = [...rows.values()];
    await Promise.all([this.#series.add(series), this.#samples.add(samples, batch, DAY_MS)]);
    this.#registry.written(series, nowMs);
  }

  async stop(): Promise<void> {
    await Promise.all([this.#series.close(), this.#samples.close()]);
  }
}

/** Milliseconds as seconds with three decimals, exactly. Ten digits before the point: fewer would be read as a date. */
export function secondsOf(ms: number): string {
  const whole = Math.floor(ms);
  return `${String(Math.floor(whole / 1_000)).padStart(10, '0')}.${String(whole % 1_000).padStart(3, '0')}`;
}

/** JSON has no word for these; the engine reads them as text. */
function numberOf(value: number): number | string {
  if (Number.isFinite(value)) return value;
  return Number.isNaN(value) ? 'nan' : value > 0 ? 'inf' : '-inf';
}
