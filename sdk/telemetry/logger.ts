import { machine } from '../wire/surroundings.ts';
import { type LineSink, type LineStream, StreamSink } from './line-sink.ts';
import { type Fields, type LineOrigin, type LogLevel, logLine, SEVERITY } from './log-line.ts';
import { currentSpan } from './span.ts';
import type { TraceContext } from './traceparent.ts';

/** What a logger writes, and where to. */
export interface LoggerOptions {
  /** The program that writes. */
  service: string;
  /** The agent that it is, by its global id. */
  agentId?: string;
  /** The least level that is written; `info` unless said. */
  level?: LogLevel;
  /** On every line. */
  fields?: Fields;
  /** Where lines go; the standard output unless said. */
  to?: LineSink | LineStream;
  /** The clock, milliseconds since 1970; the machine’s unless said. */
  nowMs?: () => number;
  /** The trace that a line belongs to; the SDK's current span unless said. */
  context?: () => TraceContext | undefined;
}

interface Parts extends LineOrigin {
  level: LogLevel;
  sink: LineSink;
  nowMs: () => number;
  context: () => TraceContext | undefined;
}

/**
 * Writes JSON lines of docs/log-line.schema.json: an event's name and its fields. Logging never throws and never waits; secrets are
 * left out by their names and their looks.
 */
export class Logger {
  private constructor(
    private readonly parts: Parts,
    private readonly bound: Fields,
  ) {}

  /** A logger of a program; its children share where lines go. */
  static open(options: LoggerOptions): Logger {
    const { service, agentId, level = 'info', fields = {}, to = process.stdout, nowMs = machine().nowMs } = options;
    const context = options.context ?? (() => currentSpan()?.context);
    const origin = { service, agentId };
    const sink = 'once' in to ? new StreamSink(to, (dropped) => droppedLine(origin, nowMs(), dropped)) : to;
    return new Logger({ ...origin, level, sink, nowMs, context }, fields);
  }

  /** The same logger with more fields on each line; a later one of the same name counts. */
  child(fields: Fields): Logger {
    return new Logger(this.parts, { ...this.bound, ...fields });
  }

  /** Writes what only its author looks for. */
  trace(event: string, fields?: Fields | Error): void {
    this.log('trace', event, fields);
  }

  /** Writes what helps to find a fault. */
  debug(event: string, fields?: Fields | Error): void {
    this.log('debug', event, fields);
  }

  /** Writes what happened. */
  info(event: string, fields?: Fields | Error): void {
    this.log('info', event, fields);
  }

  /** Writes what may become a fault. */
  warn(event: string, fields?: Fields | Error): void {
    this.log('warn', event, fields);
  }

  /** Writes a fault; an Error with its type, code, stack and causes. */
  error(event: string, fields?: Fields | Error): void {
    this.log('error', event, fields);
  }

  /** Writes what ends the program. */
  fatal(event: string, fields?: Fields | Error): void {
    this.log('fatal', event, fields);
  }

  /** @param fields what else is to be said, or the error that it is about */
  log(level: LogLevel, event: string, fields: Fields | Error = {}): void {
    const { sink, nowMs, context } = this.parts;
    if (SEVERITY[level] < SEVERITY[this.parts.level]) return;
    try {
      const said = fields instanceof Error ? { error: fields } : fields;
      const logged = { level, timeMs: nowMs(), event, fields: { ...this.bound, ...said }, context: context() };
      sink.write(logLine(this.parts, logged));
    } catch {
      // A sink or a getter of somebody else's: a log must not end what it tells of.
    }
  }
}

function droppedLine(origin: LineOrigin, timeMs: number, dropped: number): string {
  return logLine(origin, { level: 'warn', timeMs, event: 'log.lines.dropped', fields: { dropped } });
}
