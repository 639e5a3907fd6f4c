import { Instruments } from './instruments.ts';
import type { AgentStats } from './operations.ts';
import { type Attributes, keyValues, nanos } from './otlp.ts';
import type { Outbox } from './outbox.ts';
import { currentSpan, Span, type SpanOptions } from './span.ts';
import type { Surroundings } from './surroundings.ts';

const SEVERITY = { trace: 1, debug: 5, info: 9, warn: 13, error: 17, fatal: 21 } as const;
export type LogLevel = keyof typeof SEVERITY;

/** Writes log lines; inside a span they carry its trace. */
export type Log = Record<LogLevel, (body: string, attributes?: Attributes) => void>;

/** What one agent says of its work: lines, values, spans, all under its own resource. */
export class Reporter {
  readonly log: Log;
  readonly instruments: Instruments;
  #stats = { requests: 0, errors: 0, tookMs: 0 };
  #resource: string;

  constructor(
    private readonly outbox: Outbox,
    private readonly surroundings: Surroundings,
    resource: Attributes,
  ) {
    this.#resource = JSON.stringify({ attributes: keyValues(resource) });
    this.instruments = new Instruments(surroundings.nowMs());
    const levels = Object.keys(SEVERITY) as LogLevel[];
    this.log = Object.fromEntries(
      levels.map((level) => [
        level,
        (body: string, attributes: Attributes = {}) => this.#line(level, body, attributes),
      ]),
    ) as Log;
  }

  /** Runs the function as a span and sends it when it ends; an error it throws is recorded and thrown on. */
  async span<Result>(
    name: string,
    attributes: Attributes,
    work: (span: Span) => Promise<Result> | Result,
    options: SpanOptions = {},
  ): Promise<Result> {
    const span = new Span(name, attributes, options, this.surroundings);
    try {
      return await span.run(work);
    } finally {
      this.#end(span);
    }
  }

  /** Work that counts in the agent's statistics, which its health is judged by. */
  async task<Result>(
    name: string,
    attributes: Attributes,
    work: (span: Span) => Promise<Result> | Result,
    options: SpanOptions = {},
  ): Promise<Result> {
    const startedMs = this.surroundings.nowMs();
    let failed = true;
    try {
      const result = await this.span(
        name,
        attributes,
        async (span) => {
          const value = await work(span);
          failed = span.failed;
          return value;
        },
        { kind: 'consumer', ...options },
      );
      return result;
    } finally {
      const tookMs = this.surroundings.nowMs() - startedMs;
      this.#stats = {
        requests: this.#stats.requests + 1,
        errors: this.#stats.errors + (failed ? 1 : 0),
        tookMs: this.#stats.tookMs + tookMs,
      };
    }
  }

  /** The statistics since the last time they were taken. */
  takeStats(): AgentStats {
    const { requests, errors, tookMs } = this.#stats;
    this.#stats = { requests: 0, errors: 0, tookMs: 0 };
    return requests ? { requests, errors, latencyMs: tookMs / requests } : { requests, errors };
  }

  /** Puts the metrics' present values on their way. */
  reportMetrics(): void {
    for (const metric of this.instruments.export(this.surroundings.nowMs()))
      this.outbox.add('metrics', this.#resource, metric);
  }

  #end(span: Span): void {
    this.outbox.add('traces', this.#resource, span.export(this.surroundings.nowMs()));
  }

  #line(level: LogLevel, body: string, attributes: Attributes): void {
    const timeUnixNano = nanos(this.surroundings.nowMs());
    const context = currentSpan()?.context;
    const record = {
      timeUnixNano,
      observedTimeUnixNano: timeUnixNano,
      severityNumber: SEVERITY[level],
      severityText: level.toUpperCase(),
      body: { stringValue: body },
      attributes: keyValues(attributes),
      ...(context ? { traceId: context.traceId, spanId: context.spanId, flags: 1 } : {}),
    };
    this.outbox.add('logs', this.#resource, JSON.stringify(record));
  }
}
