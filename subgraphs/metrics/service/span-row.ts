import type { OtlpSpan } from '../../../lib/otlp/index.ts';
import type { SpanRow } from '../store/spans.ts';
import { secondsOfNanos } from '../store/spans.ts';

const ERROR = 2;
const MAX_ATTRIBUTES = 256;
const MAX_DOCUMENT = 65_536;

/** A span as it is kept. @param agentId of the credential that brought it: it stands above what the resource says */
export function rowOfSpan(span: OtlpSpan, agentId: string | undefined): SpanRow {
  const attributes = Object.entries(span.attributes).slice(0, MAX_ATTRIBUTES);
  return {
    trace_id: span.traceId,
    span_id: span.spanId,
    parent_span_id: span.parentSpanId ?? '',
    name: span.name,
    service: span.service,
    kind: span.kind,
    agent_id: agentId ?? span.agentId ?? '',
    start: secondsOfNanos(span.startNs),
    finish: secondsOfNanos(span.endNs),
    error: span.statusCode === ERROR,
    status: span.statusMessage,
    attributes: Object.fromEntries(attributes.map(([name, value]) => [name, textOf(value)])),
    document: bounded(Object.fromEntries(attributes), {}),
    events: bounded(
      span.events.map(({ timeNs, name, attributes: more }) => ({ time: timeOf(timeNs), name, attributes: more })),
      [],
    ),
    model: modelOf(span.attributes),
    input_tokens: tokensOf(span.attributes, ['gen_ai.usage.input_tokens', 'gen_ai.usage.prompt_tokens']),
    output_tokens: tokensOf(span.attributes, ['gen_ai.usage.output_tokens', 'gen_ai.usage.completion_tokens']),
  };
}

/** JSON of a size that can be kept. */
function bounded(value: object, instead: object): string {
  const text = JSON.stringify(value);
  return text.length <= MAX_DOCUMENT ? text : JSON.stringify(instead);
}

function timeOf(ns: string | null): string | null {
  if (ns === null) return null;
  const [seconds = '0', nanos = ''] = secondsOfNanos(ns).split('.');
  return `${new Date(Number(seconds) * 1_000).toISOString().slice(0, 19)}.${nanos}Z`;
}

function modelOf(attributes: Record<string, unknown>): string {
  const model = attributes['gen_ai.request.model'] ?? attributes['gen_ai.response.model'];
  return typeof model === 'string' ? model : '';
}

/** The first of these that is a count. The second names are those of the conventions before 1.27. */
function tokensOf(attributes: Record<string, unknown>, names: readonly string[]): number {
  for (const name of names) {
    const tokens = Number(attributes[name]);
    if (Number.isSafeInteger(tokens) && tokens > 0) return tokens;
  }
  return 0;
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
