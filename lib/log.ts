/** Structured JSON lines (docs/log-line.schema.json): one event a line, with its fields beside it. */
export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** Where finished lines go: stderr, rotated files, our own logs house. */
export interface LogSink {
  /** @param line one JSON object, without a newline */
  write(line: string): void;
}

const RANK: Record<LogLevel, number> = { debug: 0, info: 1, warn: 2, error: 3 };
const SECRET = /token|secret|password|authorization|api[-_]?key/i;

/** Writes what happened, never a secret: values under names that look like one are left out. */
export class Log {
  constructor(
    /** The process that writes: `router`, `state`, … */
    readonly service: string,
    private readonly sinks: LogSink[],
    private readonly nowMs: () => number,
    private readonly level: LogLevel = 'info',
    private readonly bound: Record<string, unknown> = {},
  ) {}

  /** The same log with fields on every line. */
  child(fields: Record<string, unknown>): Log {
    return new Log(this.service, this.sinks, this.nowMs, this.level, { ...this.bound, ...fields });
  }

  debug(event: string, fields: Record<string, unknown> = {}): void {
    this.#write('debug', event, fields);
  }

  info(event: string, fields: Record<string, unknown> = {}): void {
    this.#write('info', event, fields);
  }

  warn(event: string, fields: Record<string, unknown> = {}): void {
    this.#write('warn', event, fields);
  }

  error(event: string, fields: Record<string, unknown> = {}): void {
    this.#write('error', event, fields);
  }

  #write(level: LogLevel, event: string, fields: Record<string, unknown>): void {
    if (RANK[level] < RANK[this.level]) return;
    const time = new Date(this.nowMs()).toISOString();
    const kept = Object.fromEntries(
      Object.entries({ ...this.bound, ...fields }).map(([name, value]) => [
        name,
        SECRET.test(name) ? '[redacted]' : value,
      ]),
    );
    const line = JSON.stringify({ time, level, service: this.service, event, ...kept });
    for (const sink of this.sinks) sink.write(line);
  }
}

/** A log that goes nowhere, for schema generation and tests. */
export const silentLog = new Log('silent', [], () => 0);
