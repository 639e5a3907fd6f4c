import type { Surroundings } from '../wire/surroundings.ts';
import type { LogLevel } from './log-line.ts';
import type { Attributes } from './otlp.ts';
import type { Log, Reporter } from './reporter.ts';
import { currentSpan, type Span, type SpanOptions } from './span.ts';

/** What of a link telemetry needs. */
export interface TelemetryLink {
  readonly surroundings: Surroundings;
  flush(limitMs?: number): Promise<boolean>;
}

/** What an agent says of its work: lines, values, spans. */
export class AgentTelemetry<Link extends TelemetryLink> {
  /** Writes a log line at a level: `log.info('translated', { length: 7 })`; inside a span it carries its trace. */
  readonly log: Log;

  constructor(
    protected readonly reporter: Reporter,
    protected readonly link: Link,
  ) {
    this.log = reporter.log;
  }

  /** Sets a gauge. */
  metric(name: string, value: number, labels: Attributes = {}): void {
    this.reporter.instruments.gauge(name, value, labels);
  }

  /** Adds to a counter. */
  counter(name: string, by = 1, labels: Attributes = {}): void {
    this.reporter.instruments.count(name, by, labels);
  }

  /** Adds a measurement to a histogram; durations in seconds. */
  histogram(name: string, value: number, labels: Attributes = {}): void {
    this.reporter.instruments.observe(name, value, labels);
  }

  /** Logs a line; outside of a span it is a trace of its own. */
  tell(level: LogLevel, body: string, attributes: Attributes = {}): void {
    this.reporter.tell(level, body, attributes);
  }

  /** Sends what waits. @returns whether all was answered within the limit, milliseconds */
  flush(limitMs?: number): Promise<boolean> {
    return this.link.flush(limitMs);
  }

  /** Runs the function as a span of the current trace, or of the one in `options.parent`. */
  span<Result>(
    name: string,
    attributes: Attributes,
    work: (span: Span) => Promise<Result> | Result,
    options?: SpanOptions,
  ): Promise<Result> {
    return this.reporter.span(name, attributes, work, options);
  }

  /** A span that also counts as one piece of the agent's work: requests, errors, latency. */
  task<Result>(
    name: string,
    attributes: Attributes,
    work: (span: Span) => Promise<Result> | Result,
    options?: SpanOptions,
  ): Promise<Result> {
    return this.reporter.task(name, attributes, work, options);
  }

  /**
   * Waits as a span of its own, so that it is seen what work waits for.
   * @param name of the lock, queue or pool @param until e.g. `() => mutex.acquire()`
   */
  wait<Result>(
    name: string,
    until: () => Promise<Result> | Result,
    on: 'lock' | 'queue' | 'pool' = 'lock',
  ): Promise<Result> {
    return this.span(`wait ${name}`, { 'fleet.wait.on': on, 'fleet.wait.name': name }, until);
  }

  /** fetch as a span of its own, with `traceparent` in its headers. */
  fetch(url: string, init: RequestInit = {}): Promise<Response> {
    const method = init.method ?? 'GET';
    const attributes = { 'http.request.method': method, 'server.address': new URL(url).host };
    return this.span(
      method,
      attributes,
      async (span) => {
        const headers = new Headers(init.headers);
        headers.set('traceparent', span.traceparent);
        const response = await this.link.surroundings.fetch(url, { ...init, headers });
        span.set({ 'http.response.status_code': response.status });
        if (response.status >= 500) span.fail(`answered ${response.status}`);
        return response;
      },
      { kind: 'client' },
    );
  }

  /** To be passed on by hand with work that leaves this process; undefined outside a span. */
  get traceparent(): string | undefined {
    return currentSpan()?.traceparent;
  }
}
