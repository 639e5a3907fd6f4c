import type { Metric, Registry } from 'prom-client';

/** One number that only grows. Whoever counts keeps the cell: prom-client would look it up by its labels each time, 1–2 µs. */
export interface CounterCell {
  value: number;
}

/** How often values fell below each bound. */
export class HistogramCell {
  /** One for each bound, and one for what is above all; not cumulative. */
  readonly counts: Float64Array;
  sum = 0;

  constructor(private readonly bounds: readonly number[]) {
    this.counts = new Float64Array(bounds.length + 1);
  }

  observe(value: number): void {
    let at = 0;
    while (at < this.bounds.length && value > (this.bounds[at] as number)) at += 1;
    this.counts[at] = (this.counts[at] as number) + 1;
    this.sum += value;
  }
}

interface Shown {
  metricName?: string;
  labels: Record<string, string | number>;
  value: number;
}

export interface FamilyOptions {
  /** Whole, with its unit. */
  name: string;
  help: string;
  labelNames?: readonly string[];
}

/** A metric with all its cells, as a registry of prom-client takes it. */
abstract class Family<Cell> {
  readonly aggregator = 'sum';
  readonly name: string;
  readonly help: string;
  abstract readonly type: string;
  protected readonly labelNames: readonly string[];
  protected readonly cells = new Map<string, { labels: Record<string, string>; cell: Cell }>();

  constructor(registry: Registry, { name, help, labelNames = [] }: FamilyOptions) {
    this.name = name;
    this.help = help;
    this.labelNames = labelNames;
    registry.registerMetric(this as unknown as Metric);
  }

  /** The cell of these label values, in the labels' order: made at first, to be kept by who counts. */
  cell(...values: readonly string[]): Cell {
    const key = values.join('\0');
    const known = this.cells.get(key);
    if (known) return known.cell;
    const labels = Object.fromEntries(this.labelNames.map((name, at) => [name, values[at] ?? '']));
    const cell = this.make();
    this.cells.set(key, { labels, cell });
    return cell;
  }

  async get() {
    const { name, help, type, aggregator } = this;
    return { name, help, type, aggregator, values: [...this.cells.values()].flatMap((each) => this.show(each)) };
  }

  reset(): void {
    this.cells.clear();
  }

  protected abstract make(): Cell;
  protected abstract show(each: { labels: Record<string, string>; cell: Cell }): Shown[];
}

export class CounterFamily extends Family<CounterCell> {
  readonly type = 'counter';

  protected make(): CounterCell {
    return { value: 0 };
  }

  protected show({ labels, cell }: { labels: Record<string, string>; cell: CounterCell }): Shown[] {
    return [{ labels, value: cell.value }];
  }
}

export class HistogramFamily extends Family<HistogramCell> {
  readonly type = 'histogram';

  /** @param bounds upper bounds of the buckets, ascending */
  constructor(
    registry: Registry,
    options: FamilyOptions,
    private readonly bounds: readonly number[],
  ) {
    super(registry, options);
  }

  protected make(): HistogramCell {
    return new HistogramCell(this.bounds);
  }

  protected show({ labels, cell }: { labels: Record<string, string>; cell: HistogramCell }): Shown[] {
    let total = 0;
    const buckets = [...this.bounds, '+Inf'].map((le, at) => {
      total += cell.counts[at] as number;
      return { metricName: `${this.name}_bucket`, labels: { ...labels, le }, value: total };
    });
    return [
      ...buckets,
      { metricName: `${this.name}_sum`, labels, value: cell.sum },
      { metricName: `${this.name}_count`, labels, value: total },
    ];
  }
}
