import type { Principal } from '../../../lib/call/principal.ts';
import { readNodeId } from '../../../lib/node-id.ts';
import type { Origin, OtlpLogRecord } from '../../../lib/otlp/index.ts';
import type { Redactor } from '../../../lib/redaction/index.ts';
import type { LogRecordInput } from '../entity/index.ts';
import { type NewLogRow, nanosOf, numberOf, SEVERITIES } from '../store/index.ts';

/** Why a record is not stored. */
export class Refusal extends Error {}

/** The longest body, characters; also of all attributes, and of a resource. */
export const MAX_TEXT = 1024 * 1024;
export const MAX_SERVICE = 256;
const UUID = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/;
const INFO = 9;
/** A collector’s clock may be ahead by this much; what is observed later than that is observed now. */
const AHEAD_NS = 300_000_000_000n;

/** What all records of a resource have in common, as columns. */
export interface OriginColumns {
  service: string;
  agent: string;
  agent_name: string;
  resource: string;
}

/** Makes rows of the records of one request: who sends it, when, and what must not be kept of it. */
export class Rows {
  /** Records of a resource share its object: what is made of it is made once. */
  readonly #origins = new WeakMap<object, OriginColumns>();

  /** @param nowNs nanoseconds since 1970, decimal */
  constructor(
    private readonly caller: Principal,
    readonly nowNs: string,
    readonly redactor: Redactor,
  ) {}

  /**
   * An OTLP record as a row. Its agent is the caller, or what its resource says.
   * @throws Refusal with the reason
   */
  ofOtlp(record: OtlpLogRecord): NewLogRow {
    const { service, resource, ...agent } = this.originOf(record);
    const observed = record.observedNs && BigInt(record.observedNs) <= this.latestNs ? record.observedNs : this.nowNs;
    return {
      time: record.timeNs ?? observed,
      observed,
      severity: record.severity || severityOfText(record.severityText),
      service: limited(service, MAX_SERVICE, 'the service name'),
      ...agent,
      trace: record.traceId ?? '',
      span: record.spanId ?? '',
      body: this.redactor.text(limited(record.body, MAX_TEXT, 'the body')),
      attributes: jsonTexts(this.redactor.object(record.attributes)),
      resource: limited(resource, MAX_TEXT, 'the resource'),
    };
  }

  /** The latest time at which a record can have been observed; what says later is observed now. */
  get latestNs(): bigint {
    return BigInt(this.nowNs) + AHEAD_NS;
  }

  originOf(origin: Pick<Origin, 'resource' | 'service' | 'agentId'>): OriginColumns {
    const known = this.#origins.get(origin.resource);
    if (known) return known;
    const own = callerAgent(this.caller);
    const made = {
      service: this.redactor.text(origin.service),
      agent: own ? own.agent : (uuidOfAgent(origin.agentId) ?? ''),
      agent_name: own ? own.name : this.redactor.text(textOr(origin.resource['fleet.agent.name'])),
      resource: JSON.stringify(this.redactor.object(origin.resource)),
    };
    this.#origins.set(origin.resource, made);
    return made;
  }

  /**
   * A record of `ingestLogs` as a row.
   * @throws Refusal with the reason
   */
  ofInput(record: LogRecordInput): NewLogRow {
    const { time, severity, service, body, attributes, agentId, traceId, spanId } = record;
    if (time && time.getTime() < 0) throw new Refusal('the time is before 1970');
    if (!service) throw new Refusal('the service name is empty');
    for (const [what, text] of Object.entries({ service, body })) {
      if (!text.isWellFormed()) throw new Refusal(`the ${what} is not valid Unicode`);
      if (text.includes('\u0000')) throw new Refusal(`the ${what} contains U+0000`);
    }
    const named = attributes ?? {};
    if (typeof named !== 'object' || Array.isArray(named)) throw new Refusal('the attributes are not an object');
    const { agent, name } = agentOfInput(agentId, this.caller);
    return {
      time: time ? nanosOf(time.getTime()) : this.nowNs,
      observed: this.nowNs,
      severity: numberOf(severity),
      service: this.redactor.text(limited(service, MAX_SERVICE, 'the service name')),
      agent,
      agent_name: name,
      trace: hexOf(traceId, 32, 'the trace id'),
      span: hexOf(spanId, 16, 'the span id'),
      body: this.redactor.text(limited(body, MAX_TEXT, 'the body')),
      attributes: jsonTexts(this.redactor.object(named as Record<string, unknown>)),
      resource: '{}',
    };
  }
}

function agentOfInput(agentId: string | null | undefined, caller: Principal): { agent: string; name: string } {
  const own = callerAgent(caller);
  const given = agentId == null ? undefined : readNodeId(agentId);
  if (agentId != null && given?.type !== 'Agent') throw new Refusal('agentId is not the id of an Agent');
  if (own && given && given.uuid !== own.agent) throw new Refusal('an agent logs for itself only');
  return own ?? { agent: given?.uuid ?? '', name: '' };
}

function callerAgent(caller: Principal): { agent: string; name: string } | undefined {
  const agent = uuidOfAgent(caller.agentId ?? null);
  return agent === undefined ? undefined : { agent, name: caller.name };
}

/** The uuid of an agent's global id, or of what is a uuid already. */
function uuidOfAgent(id: string | null): string | undefined {
  if (id === null) return undefined;
  const read = readNodeId(id);
  if (read) return read.type === 'Agent' ? read.uuid : undefined;
  return UUID.test(id) ? id : undefined;
}

/** OpenTelemetry's number of a severity by its name; INFO for another. */
export function severityOfText(text: string): number {
  const name = text.toUpperCase();
  const known = SEVERITIES.find((severity) => severity === name || (severity === 'WARN' && name === 'WARNING'));
  return known ? numberOf(known) : INFO;
}

function jsonTexts(attributes: Record<string, unknown>): Record<string, string> {
  const texts: Record<string, string> = {};
  let size = 0;
  for (const [name, value] of Object.entries(attributes)) {
    const text = JSON.stringify(value);
    size += name.length + text.length;
    Object.defineProperty(texts, name, { value: text, enumerable: true, configurable: true, writable: true });
  }
  if (size > MAX_TEXT) throw new Refusal(`the attributes have over ${MAX_TEXT} characters`);
  return texts;
}

function hexOf(text: string | null | undefined, digits: number, what: string): string {
  if (!text) return '';
  if (text.length !== digits || !/^[0-9a-f]+$/i.test(text))
    throw new Refusal(`${what} does not have ${digits} hexadecimal digits`);
  if (/^0+$/.test(text)) throw new Refusal(`${what} is all zeros`);
  return text.toLowerCase();
}

function limited(text: string, max: number, what: string): string {
  if (text.length > max) throw new Refusal(`${what} has over ${max} characters`);
  return text;
}

function textOr(value: unknown): string {
  return typeof value === 'string' ? value.slice(0, MAX_SERVICE) : '';
}
