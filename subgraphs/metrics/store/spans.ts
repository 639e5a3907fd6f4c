import type { Clock } from '../../../lib/clock.ts';
import { GroupedInserter, type TelemetryStore } from '../../../lib/telemetry-store/index.ts';
import { Span } from '../entity/trace.ts';

/** A row of `span`, as it is written. */
export interface SpanRow {
  trace_id: string;
  span_id: string;
  parent_span_id: string;
  name: string;
  service: string;
  kind: string;
  agent_id: string;
  /** Seconds since 1970 with nine decimals. */
  start: string;
  finish: string;
  error: boolean;
  status: string;
  /** For searching: every value as text. */
  attributes: Record<string, string>;
  /** For showing: the attributes as JSON. */
  document: string;
  events: string;
  model: string;
  input_tokens: number;
  output_tokens: number;
}

const COLUMNS = [
  'trace_id, span_id, parent_span_id, name, service, kind, agent_id, start, finish, error, status',
  'attributes, document, events, model, input_tokens, output_tokens',
].join(', ');

/** Spans that are shown of one trace; more are left out. */
const MAX_SPANS = 10_000;

/** Writes spans, and reads those of a trace. */
export class SpanStore {
  readonly #inserter: GroupedInserter<SpanRow>;

  constructor(
    private readonly store: TelemetryStore,
    clock: Clock,
    maxPendingBytes: number,
  ) {
    this.#inserter = new GroupedInserter<SpanRow>({ store, clock, maxPendingBytes, into: `span (${COLUMNS})` });
  }

  /** Resolves once they are durable. The same span again is the same row. */
  async add(spans: readonly SpanRow[]): Promise<void> {
    await this.#inserter.add(spans);
  }

  async stop(): Promise<void> {
    await this.#inserter.close();
  }

  /** The spans of these traces, each trace's in the order they began. */
  async ofTraces(traceIds: readonly string[]): Promise<Map<string, Span[]>> {
    const rows = await this.store.query<ShownRow>(
      `select * from (
         select trace_id, span_id, parent_span_id, name, service, kind, agent_id, start, error, status, document, events,
           (toUnixTimestamp64Nano(finish) - toUnixTimestamp64Nano(start)) / 1e6 as duration_ms
         from span where trace_id in {traceIds:Array(String)} limit 1 by trace_id, span_id
       ) order by trace_id, start, duration_ms desc, span_id limit {most:UInt32} by trace_id`,
      { traceIds, most: MAX_SPANS },
    );
    const traces = new Map<string, Span[]>();
    for (const row of rows) {
      const spans = traces.get(row.trace_id);
      if (spans) spans.push(shown(row));
      else traces.set(row.trace_id, [shown(row)]);
    }
    return traces;
  }
}

interface ShownRow {
  trace_id: string;
  span_id: string;
  parent_span_id: string;
  name: string;
  service: string;
  kind: string;
  agent_id: string;
  start: string;
  duration_ms: number;
  error: boolean;
  status: string;
  document: string;
  events: string;
}

function shown(row: ShownRow): Span {
  return Object.assign(new Span(), {
    spanId: row.span_id,
    parentSpanId: row.parent_span_id || null,
    name: row.name,
    service: row.service,
    kind: row.kind,
    startedAt: rfc3339(row.start),
    durationMs: row.duration_ms,
    error: row.error,
    attributes: {
      ...(JSON.parse(row.document) as object),
      ...(row.status ? { 'otel.status_description': row.status } : {}),
    },
    events: JSON.parse(row.events) as unknown[],
    agentId: row.agent_id,
  });
}

/** The engine's `2026-01-31 10:00:00.123456789` as RFC 3339. */
export function rfc3339(time: string): string {
  return `${time.replace(' ', 'T')}Z`;
}

/** Nanoseconds since 1970, decimal, as seconds with nine decimals. Ten digits before the point: fewer would be read as a date. */
export function secondsOfNanos(ns: string): string {
  const digits = ns.padStart(19, '0');
  return `${digits.slice(0, -9)}.${digits.slice(-9)}`;
}
