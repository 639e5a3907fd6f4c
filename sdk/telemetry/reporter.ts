import type { AgentStats } from '../wire/operations.ts';
import type { Surroundings } from '../wire/surroundings.ts';
import { Instruments } from './instruments.ts';
import type { LineSink } from './line-sink.ts';
import { type LineOrigin, type LogLevel, logLine, SEVERITY } from './log-line.ts';
import { type Attributes, keyValues, nanos } from './otlp.ts';
import type { Outbox } from './outbox.ts';
import { isSecret, REDACTED, withoutSecrets } from './redaction.ts';
import { currentSpan, Span, type SpanOptions } from './span.ts';

/** Writes log lines; inside a span they carry its trace. */
export type Log = Record<LogLevel, (body: string, attributes?: Attributes) => void>;

/** What one agent says of its work: lines, values, spans, all under its own resource. */
export class Reporter {
  readonly log: Log;
  readonly instruments: Instruments;
  #stats = { requests: 0, errors: 0, tookMs: 0 };
  #resource: string;
  readonly #origin: LineOrigin;

  /** @param lines where each log line goes as JSON too @param traceRatio share of the traces begun here that is recorded */
  constructor(
    private readonly outbox: Outbox,
    private readonly surroundings: Surroundings,
    private resource: Attributes,
    private readonly lines?: LineSink,
    private readonly traceRatio?: number,
  ) {
    this.#origin = { service: String(resource['service.name']), agentId: String(resource['fleet.agent.id']) };
    this.#resource = resourceJson(resource);
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
    const span = new Span(name, attributes, options, this.surroundings, this.traceRatio);
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

  /** A line of no other work is a trace of its own: so every line leads to one. */
  tell(level: LogLevel, body: string, attributes: Attributes = {}): void {
    if (currentSpan()) {
      this.#line(level, body, attributes);
      return;
    }
    const span = new Span(body, {}, {}, this.surroundings, this.traceRatio);
    void span.run(() => this.#line(level, body, attributes));
    this.#end(span);
  }

  /** Changes what it says of itself, from the next record on. */
  describe(attributes: Attributes): void {
    this.resource = { ...this.resource, ...attributes };
    this.#resource = resourceJson(this.resource);
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
    if (span.isTold) this.outbox.add('traces', this.#resource, span.export(this.surroundings.nowMs()));
  }

  #line(level: LogLevel, body: string, attributes: Attributes): void {
    const timeMs = this.surroundings.nowMs();
    const timeUnixNano = nanos(timeMs);
    const context = currentSpan()?.context;
    const record = {
      timeUnixNano,
      observedTimeUnixNano: timeUnixNano,
      severityNumber: SEVERITY[level],
      severityText: level.toUpperCase(),
      body: { stringValue: withoutSecrets(body) },
      attributes: keyValues(guarded(attributes)),
      ...(context ? { traceId: context.traceId, spanId: context.spanId, flags: 1 } : {}),
    };
    this.outbox.add('logs', this.#resource, JSON.stringify(record));
    this.lines?.write(logLine(this.#origin, { level, timeMs, event: body, fields: attributes, context }));
  }
}

function resourceJson(resource: Attributes): string {
  return JSON.stringify({ attributes: keyValues(resource) });
}

/** Attributes without secrets. */
function guarded(attributes: Attributes): Attributes {
  return Object.fromEntries(
    Object.entries(attributes).map(([name, value]) => [
      name,
      isSecret(name, value) ? REDACTED : typeof value === 'string' ? withoutSecrets(value) : value,
    ]),
  );
}
