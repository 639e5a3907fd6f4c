import { hash } from 'node:crypto';
import type { SeriesIdentity } from '../entity/measurement.ts';

/** A row of `metric_series`. */
export interface SeriesRow {
  id: string;
  metric: string;
  labels: Readonly<Record<string, string>>;
  type: string;
  temporality: string;
  unit: string;
  help: string;
  /** Seconds since 1970. */
  seen: number;
}

interface Known {
  id: string;
  facts: string;
  writtenMs: number;
}

const MAX_KNOWN = 200_000;
/** A series row is written again so often, so that one in use does not age. */
const AGAIN_MS = 3_600_000;

/** Gives each series its id, and tells which rows are to be written. */
export class SeriesRegistry {
  readonly #known = new Map<string, Known>();

  /**
   * @param rows collects, by id, the rows that are new, changed or an hour old
   * @returns the id of name and labels: the first 64 bits of their hash, decimal
   */
  identify(series: SeriesIdentity, nowMs: number, rows: Map<string, SeriesRow>): string {
    const labels = sorted(series.labels);
    const key = `${series.metric}\n${JSON.stringify(labels)}`;
    const facts = `${series.type} ${series.temporality} ${series.unit} ${series.help}`;
    const known = this.#known.get(key);
    const id = known?.id ?? hash('sha1', key, 'buffer').readBigUInt64BE(0).toString();
    if (known?.facts !== facts || known.writtenMs < nowMs - AGAIN_MS) {
      const { metric, type, temporality, unit, help } = series;
      rows.set(id, { id, metric, labels, type, temporality, unit, help, seen: Math.floor(nowMs / 1_000) });
    }
    return id;
  }

  /** The rows are durable: they need not be written again soon. */
  written(rows: Iterable<SeriesRow>, nowMs: number): void {
    for (const row of rows) {
      const key = `${row.metric}\n${JSON.stringify(row.labels)}`;
      const facts = `${row.type} ${row.temporality} ${row.unit} ${row.help}`;
      this.#known.delete(key);
      this.#known.set(key, { id: row.id, facts, writtenMs: nowMs });
    }
    for (const oldest of this.#known.keys()) {
      if (this.#known.size <= MAX_KNOWN) break;
      this.#known.delete(oldest);
    }
  }
}

function sorted(labels: Readonly<Record<string, string>>): Record<string, string> {
  // An empty label is no label, as everywhere in this field.
  const entries = Object.entries(labels).filter(([, value]) => value !== '');
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
}
