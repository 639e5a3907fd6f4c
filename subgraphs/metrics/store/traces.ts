import { asFleetError } from '../../../lib/errors.ts';
import type { TelemetryStore } from '../../../lib/telemetry-store/index.ts';
import type { TraceSummary } from '../entity/trace.ts';
import type { Condition } from './matchers.ts';
import { rfc3339, secondsOfNanos } from './spans.ts';

/** Which traces, with nothing left open. */
export interface TraceQuery {
  /** Each must hold for some span of the trace. */
  spans: readonly Condition[];
  minDurationMs: number | null;
  errors: boolean | null;
  /** Nanoseconds since 1970, decimal: the trace began at or after, and before. */
  fromNs: string;
  toNs: string;
}

/** A trace in its list; `startNs` and `traceId` are its sort key. */
export interface ListedTrace {
  traceId: string;
  startNs: string;
  summary: TraceSummary;
}

interface SummaryRow {
  trace_id: string;
  began: string;
  began_ns: string;
  took_ms: number;
  services: string[];
  errors: string;
}

const SUMMARY = `trace_id, min(start) as began, max(finish) as ended, arraySort(groupUniqArray(service)) as services,
  uniqExactIf(span_id, error) as errors`;
const SHOWN = `trace_id, began, toString(toUnixTimestamp64Nano(began)) as began_ns, services, errors,
  (toUnixTimestamp64Nano(ended) - toUnixTimestamp64Nano(began)) / 1e6 as took_ms`;
const HOUR_NS = 3_600_000_000_000n;
/** The newest traces are looked for near the end first: an hour, a day, a week, everything. */
const REACHES = [HOUR_NS, 24n * HOUR_NS, 168n * HOUR_NS];
const COUNT_MS = 3_000;

/** Finds traces by their spans. */
export class TraceStore {
  constructor(private readonly store: TelemetryStore) {}

  async summaries(traceIds: readonly string[]): Promise<Map<string, TraceSummary>> {
    const rows = await this.store.query<SummaryRow>(
      `select ${SHOWN} from (
         select ${SUMMARY} from span where trace_id in {traceIds:Array(String)} group by trace_id
       )`,
      { traceIds },
    );
    return new Map(rows.map((row) => [row.trace_id, summaryOf(row)]));
  }

  /**
   * Traces, newest first.
   * @param after sort key of the trace that the page starts behind
   */
  async page(
    query: TraceQuery,
    after: { startNs: string; traceId: string } | null,
    limit: number,
  ): Promise<ListedTrace[]> {
    const endNs = after ? BigInt(after.startNs) + 1n : BigInt(query.toNs);
    for (const reach of REACHES) {
      const sinceNs = endNs - reach;
      if (sinceNs <= BigInt(query.fromNs)) break;
      const rows = await this.#read(query, String(sinceNs), after, limit);
      if (rows.length >= limit) return rows;
    }
    return await this.#read(query, query.fromNs, after, limit);
  }

  /** How many there are; null when counting takes too long. */
  async count(query: TraceQuery): Promise<number | null> {
    const { sql, params } = listed(query, query.fromNs);
    try {
      const [row] = await this.store.query<{ count: string }>(`select count() as count from (${sql})`, params, {
        maxMs: COUNT_MS,
      });
      return Number(row?.count);
    } catch (error) {
      if (asFleetError(error)?.code === 'TIMEOUT') return null;
      throw error;
    }
  }

  async #read(
    query: TraceQuery,
    sinceNs: string,
    after: { startNs: string; traceId: string } | null,
    limit: number,
  ): Promise<ListedTrace[]> {
    const { sql, params } = listed(query, sinceNs);
    const behind = after ? `where (began, trace_id) < ({afterStart:DateTime64(9, 'UTC')}, {afterTrace:String})` : '';
    const rows = await this.store.query<SummaryRow>(
      `select ${SHOWN} from (${sql}) ${behind} order by began desc, trace_id desc limit {limit:UInt32}`,
      { ...params, limit, ...(after ? { afterStart: secondsOfNanos(after.startNs), afterTrace: after.traceId } : {}) },
    );
    return rows.map((row) => ({ traceId: row.trace_id, startNs: row.began_ns, summary: summaryOf(row) }));
  }
}

/** The traces that began since then and match. Any span may be the one that a condition holds for, also a later one. */
function listed(query: TraceQuery, sinceNs: string): Condition {
  const since = `start >= {since:DateTime64(9, 'UTC')}`;
  const found = [
    `${since} and start < {until:DateTime64(9, 'UTC')}`,
    ...query.spans.map(({ sql }) => `${since} and (${sql})`),
    ...(query.errors === true ? [`${since} and error`] : []),
  ].map((condition) => `trace_id in (select trace_id from span where ${condition})`);
  const having = [
    `began >= {since:DateTime64(9, 'UTC')}`,
    `began < {until:DateTime64(9, 'UTC')}`,
    ...(query.errors === false ? ['errors = 0'] : []),
    ...(query.minDurationMs === null
      ? []
      : ['toUnixTimestamp64Nano(ended) - toUnixTimestamp64Nano(began) >= {least:Int64}']),
  ];
  return {
    sql: `select ${SUMMARY} from span where ${found.join(' and ')} group by trace_id having ${having.join(' and ')}`,
    params: {
      ...Object.assign({}, ...query.spans.map(({ params }) => params)),
      since: secondsOfNanos(sinceNs),
      until: secondsOfNanos(query.toNs),
      ...(query.minDurationMs === null ? {} : { least: Math.round(query.minDurationMs * 1e6) }),
    },
  };
}

function summaryOf(row: SummaryRow): TraceSummary {
  return {
    services: row.services,
    errors: Number(row.errors),
    startedAt: rfc3339(row.began),
    durationMs: row.took_ms,
  };
}
