import { once } from 'node:events';
import { Writable } from 'node:stream';
import { errorAttributes } from './telemetry/error-fields.ts';
import { type LogLevel, logLine, SEVERITY } from './telemetry/log-line.ts';
import { type Attributes, type AttributeValue, keyValues, nanos } from './telemetry/otlp.ts';
import { OUTBOX_LIMITS, Outbox, type OutboxLimits } from './telemetry/outbox.ts';
import { isSecret, REDACTED, withoutSecrets } from './telemetry/redaction.ts';
import { FleetClient } from './wire/client.ts';
import { machine, type Surroundings } from './wire/surroundings.ts';

/** Who logs, and where to. */
export interface PinoTransportOptions {
  /** The program that logs, `service.name`. */
  service: string;
  /** The platform's public address; without it lines of docs/log-line.schema.json go to the standard output. */
  url?: string;
  /** A token of scope agent or operator. */
  token?: string;
  /** The version of the program, `service.version`. */
  version?: string;
  /** The agent that the program is, by its global id. */
  agentId?: string;
  /** Bounds of the lines that wait; 20,000, 8 MiB unless said. */
  outbox?: Partial<OutboxLimits>;
  /** Clock, chance, timers and network; the machine’s unless said. */
  surroundings?: Surroundings;
}

/** A line as pino writes it. */
interface PinoLine {
  level?: unknown;
  time?: unknown;
  msg?: unknown;
  err?: { type?: unknown; message?: unknown; stack?: unknown; code?: unknown };
  [name: string]: unknown;
}

/** What becomes of a line that was read. */
type Take = (level: LogLevel, timeMs: number, message: string, line: PinoLine) => void;

const FAREWELL_MS = 5_000;
const MAX_LINE = 1 << 20;
const OWN_TO_PINO = new Set(['level', 'time', 'msg', 'pid', 'hostname', 'err', 'v']);

/**
 * A transport of pino: `pino({ transport: { target: 'fleetgraph/sdk/pino', options: { service, url, token } } })`. Lines become log
 * entries of the platform, bounded and sent again as the SDK's own; `err` becomes an error with its type, code and stack.
 */
export default function transport(options: PinoTransportOptions): Writable {
  const surroundings = options.surroundings ?? machine();
  const { take, end } = options.url === undefined ? written(options) : sent(options, options.url, surroundings);
  let rest = '';
  const read = (text: string) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    // What never ends is no line.
    if (rest.length > MAX_LINE) rest = '';
    for (const line of lines) if (line.trim()) readLine(line, surroundings.nowMs(), take);
  };
  return new Writable({
    decodeStrings: false,
    write(chunk: string | Buffer, _encoding, done) {
      read(chunk.toString());
      done();
    },
    final(done) {
      read('\n');
      end().then(() => done(), done);
    },
  });
}

function readLine(text: string, nowMs: number, take: Take): void {
  let line: PinoLine;
  try {
    line = JSON.parse(text) as PinoLine;
    if (typeof line !== 'object' || line === null || Array.isArray(line)) throw new TypeError('not an object');
  } catch {
    line = { msg: text };
  }
  const timeMs = typeof line.time === 'number' ? line.time : Date.parse(String(line.time));
  const message =
    typeof line.msg === 'string' ? line.msg : typeof line.err?.message === 'string' ? line.err.message : '';
  take(levelOf(line.level), Number.isFinite(timeMs) ? timeMs : nowMs, message, line);
}

/** Pino's numbers are ten apart; names come from `formatters.level`. */
function levelOf(level: unknown): LogLevel {
  const names = Object.keys(SEVERITY) as LogLevel[];
  if (typeof level === 'string') return names.find((name) => name === level.toLowerCase()) ?? 'info';
  if (typeof level !== 'number') return 'info';
  return names[Math.min(names.length - 1, Math.max(0, Math.floor(level / 10) - 1))] as LogLevel;
}

function written({ service, agentId }: PinoTransportOptions): { take: Take; end: () => Promise<void> } {
  return {
    take(level, timeMs, message, line) {
      const { err, ...fields } = ownFields(line);
      const logged = { level, timeMs, event: message, fields: { ...fields, ...(err ? { error: errorOf(err) } : {}) } };
      process.stdout.write(`${logLine({ service, agentId }, logged)}\n`);
    },
    end: async () => {
      if (process.stdout.writableNeedDrain) await once(process.stdout, 'drain');
    },
  };
}

function sent(options: PinoTransportOptions, url: string, surroundings: Surroundings) {
  const { service, version, agentId, token = '' } = options;
  const client = new FleetClient({ url, token, surroundings });
  const limits = { ...OUTBOX_LIMITS, ...options.outbox };
  const post = async (signal: string, body: string) => {
    await client.post(`/v1/${signal}`, body);
    return { rejected: 0 };
  };
  const outbox = new Outbox(post, surroundings, limits);
  const attributes = { 'service.name': service, 'service.version': version, 'fleet.agent.id': agentId };
  const resource = JSON.stringify({ attributes: keyValues(attributes) });
  const take: Take = (level, timeMs, message, line) => {
    const { err, traceId, spanId, trace_id = traceId, span_id = spanId, ...fields } = ownFields(line);
    const record = {
      timeUnixNano: nanos(timeMs),
      observedTimeUnixNano: nanos(surroundings.nowMs()),
      severityNumber: SEVERITY[level],
      severityText: level.toUpperCase(),
      body: { stringValue: withoutSecrets(message) },
      attributes: keyValues({ ...flat(fields), ...(err ? errorAttributes(errorOf(err)) : {}) }),
      ...(isHex(trace_id, 32) && isHex(span_id, 16) ? { traceId: trace_id, spanId: span_id } : {}),
    };
    outbox.add('logs', resource, JSON.stringify(record));
  };
  const end = async () => {
    await outbox.flush(FAREWELL_MS);
    outbox.stop();
  };
  return { take, end };
}

function ownFields(line: PinoLine): PinoLine {
  const { err, ...rest } = line;
  const fields = Object.fromEntries(Object.entries(rest).filter(([name]) => !OWN_TO_PINO.has(name)));
  return { ...fields, ...(err && typeof err === 'object' ? { err } : {}) };
}

/** The error that pino serialised, as one again. */
function errorOf({ type, message, stack, code }: NonNullable<PinoLine['err']>): Error {
  const error = new Error(String(message ?? ''));
  error.name = String(type ?? 'Error');
  error.stack = typeof stack === 'string' ? stack : '';
  return Object.assign(error, code === undefined ? {} : { code });
}

function flat(fields: Record<string, unknown>): Attributes {
  const attributes: Record<string, AttributeValue> = {};
  for (const [name, value] of Object.entries(fields)) {
    if (value === undefined || value === null) continue;
    if (isSecret(name, value)) attributes[name] = REDACTED;
    else if (typeof value === 'number' || typeof value === 'boolean') attributes[name] = value;
    else attributes[name] = withoutSecrets(typeof value === 'string' ? value : JSON.stringify(value));
  }
  return attributes;
}

function isHex(text: unknown, digits: number): boolean {
  return typeof text === 'string' && text.length === digits && /^[0-9a-f]+$/.test(text) && !/^0+$/.test(text);
}
