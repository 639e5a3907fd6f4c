import { type Attributes, keyValues, nanos } from './otlp.ts';

/** Upper bounds of a duration histogram in seconds, as OpenTelemetry's conventions advise. */
const BOUNDS = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10];
const CUMULATIVE = 2;
const MAX_SERIES = 1_000;

interface Point {
  labels: Attributes;
  value: number;
  sum: number;
  count: number;
  buckets: number[];
}

type Kind = 'gauge' | 'counter' | 'histogram';

interface Instrument {
  name: string;
  kind: Kind;
  points: Map<string, Point>;
}

/** An agent's metrics since it started: counters and histograms add up, gauges hold their last value. */
export class Instruments {
  readonly #byName = new Map<string, Instrument>();
  #series = 0;
  /** Values not taken because there were already 1,000 series. */
  dropped = 0;

  /** @param startedMs milliseconds since 1970 from which sums count */
  constructor(private readonly startedMs: number) {}

  /** Adds to what has been counted. @throws when the name is already of another kind */
  count(name: string, by: number, labels: Attributes): void {
    const point = this.#point(name, 'counter', labels);
    if (point) point.value += by;
  }

  /** Sets the value as of now. */
  gauge(name: string, value: number, labels: Attributes): void {
    const point = this.#point(name, 'gauge', labels);
    if (point) point.value = value;
  }

  /** Adds a measurement, in seconds where it is a duration. */
  observe(name: string, value: number, labels: Attributes): void {
    const point = this.#point(name, 'histogram', labels);
    if (!point) return;
    const at = BOUNDS.findIndex((bound) => value <= bound);
    const bucket = at < 0 ? BOUNDS.length : at;
    point.buckets[bucket] = (point.buckets[bucket] as number) + 1;
    point.sum += value;
    point.count++;
  }

  /** Every metric in OTLP/JSON as of now, one string a metric. */
  export(nowMs: number): string[] {
    const startTimeUnixNano = nanos(this.startedMs);
    const timeUnixNano = nanos(nowMs);
    return [...this.#byName.values()].map(({ name, kind, points }) => {
      const dataPoints = [...points.values()].map((point) => ({
        attributes: keyValues(point.labels),
        startTimeUnixNano,
        timeUnixNano,
        ...shown(kind, point),
      }));
      if (kind === 'gauge') return JSON.stringify({ name, gauge: { dataPoints } });
      const sums = { aggregationTemporality: CUMULATIVE, dataPoints };
      return JSON.stringify(
        kind === 'counter' ? { name, sum: { ...sums, isMonotonic: true } } : { name, unit: 's', histogram: sums },
      );
    });
  }

  #point(name: string, kind: Kind, labels: Attributes): Point | undefined {
    let instrument = this.#byName.get(name);
    if (!instrument) {
      instrument = { name, kind, points: new Map() };
      this.#byName.set(name, instrument);
    }
    if (instrument.kind !== kind) throw new TypeError(`${name} is a ${instrument.kind}, not a ${kind}`);
    const key = JSON.stringify(Object.entries(labels).sort());
    let point = instrument.points.get(key);
    if (!point && this.#series >= MAX_SERIES) this.dropped++;
    else if (!point) {
      this.#series++;
      point = { labels, value: 0, sum: 0, count: 0, buckets: new Array<number>(BOUNDS.length + 1).fill(0) };
      instrument.points.set(key, point);
    }
    return point;
  }
}

function shown(kind: Kind, point: Point): object {
  if (kind !== 'histogram') return { asDouble: point.value };
  return {
    count: String(point.count),
    sum: point.sum,
    bucketCounts: point.buckets.map(String),
    explicitBounds: BOUNDS,
  };
}
