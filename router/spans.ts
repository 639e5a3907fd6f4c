import type { Call } from '../lib/call/signing.ts';
import { asSpan, pastSpan } from '../lib/telemetry/light-span.ts';
import type { AnyAnswer, Prepared } from './engine.ts';

/** Under a symbol it stays in this process: calls to subgraphs are signed as JSON. */
const PLANNED = Symbol('planned');

/** When it was read and planned: that is over before the operation has a name for its span. */
type PlannedCall = Call & { [PLANNED]?: { fromMs: number; toMs: number } };

/** Remembers how long it took to read and plan, for those that are recorded. */
export function notePlanning(call: Call, fromMs: number, nowMs: () => number): void {
  if (isRecorded(call)) (call as PlannedCall)[PLANNED] = { fromMs, toMs: nowMs() };
}

export interface RunningOperation {
  prepared: Prepared;
  call: Call;
  /** When it arrived, epoch milliseconds. */
  startedMs: number;
}

/** Runs an operation as the span that its caller's trace context names, and hands the context on. */
export function operationSpan(
  { prepared, call, startedMs }: RunningOperation,
  work: (call: Call) => Promise<AnyAnswer>,
): Promise<AnyAnswer> {
  if (!isRecorded(call)) return work(call);
  const name = `${prepared.kind} ${prepared.name ?? prepared.rootFields.join(' ')}`.slice(0, 200);
  const planned = (call as PlannedCall)[PLANNED];
  return asSpan(
    call.traceparent,
    name,
    async (traceparent, attributes) => {
      if (planned) pastSpan(traceparent, 'plan', planned.fromMs, planned.toMs);
      const answer = await work(within(call, traceparent));
      const code = answer.errors?.[0]?.extensions?.['code'];
      if (code) attributes['graphql.error.code'] = String(code);
      return answer;
    },
    {
      kind: 'SERVER',
      isRoot: call.isTraceRoot === true,
      startedMs: Math.min(startedMs, planned?.fromMs ?? startedMs),
      attributes: { 'graphql.operation.type': prepared.kind, 'fleet.request.id': call.requestId },
    },
  );
}

/** Runs one call to a subgraph as a span below the operation's. */
export function fetchSpan<T>(subgraph: string, call: Call, work: (call: Call) => Promise<T>): Promise<T> {
  if (!isRecorded(call)) return work(call);
  return asSpan(call.traceparent, `fetch ${subgraph}`, (traceparent) => work(within(call, traceparent)), {
    kind: 'CLIENT',
    attributes: { 'fleet.subgraph': subgraph },
  });
}

const LETTER_A = 'a'.charCodeAt(0);

/** Most requests are not recorded: those make no span, and their context goes on as it came (W3C Trace Context, 3.2.2.5). */
function isRecorded({ traceparent }: Call): boolean {
  if (traceparent === undefined) return true;
  // The lowest bit of the flags (W3C Trace Context, 3.2.2.5.1): of an odd digit's code it is set too, of a letter's it is not.
  const last = traceparent.charCodeAt(traceparent.length - 1);
  return ((last >= LETTER_A ? last + 1 : last) & 1) === 1;
}

/** The call as part of a span. */
function within(call: Call, traceparent: string | undefined): Call {
  return traceparent === undefined || traceparent === call.traceparent ? call : { ...call, traceparent };
}
