import { setImmediate } from 'node:timers/promises';
import type { Call } from '../../lib/call/signing.ts';
import { FleetError } from '../../lib/errors.ts';
import type { ClientRequest } from '../documents/documents.ts';
import type { AnyAnswer } from '../engine.ts';
import type { LeaveSignal } from '../leave-signal.ts';
import type { Admission, Operations } from './operations.ts';
import { refusal } from './public-errors.ts';

/** What came of a batch. */
export interface BatchAnswer {
  answers: AnyAnswer[];
  /** Where the caller stands after it. */
  headers: Record<string, string>;
}

/** By when a batch is to be answered, all its operations together. */
export interface BatchTime {
  /** When it arrived, epoch milliseconds. */
  startedMs: number;
  /** How long its caller waits, milliseconds; undefined: it does not say. */
  withinMs: number | undefined;
}

/**
 * Answers several requests that came in one body, in their order. Each is counted and judged by itself; queries run side by
 * side, and as soon as one is a mutation all run one after the other. They share one deadline, and nothing else.
 */
export async function answerBatch(
  requests: readonly ClientRequest[],
  operations: Operations,
  call: Call,
  signal: LeaveSignal,
  { startedMs, withinMs }: BatchTime,
): Promise<BatchAnswer> {
  const admissions: (Admission & { own: Call })[] = [];
  for (const request of requests) {
    // What an operation is charged, and what of it is told, is noted on its call.
    const own = callIn(call, admissions.length);
    admissions.push({ ...(await operations.admit(request, own)), own });
    // Others have their turn between two of a batch.
    await setImmediate();
  }
  const run = async (admission: Admission & { own: Call }): Promise<AnyAnswer> => {
    if ('refused' in admission) return admission.refused;
    const { prepared, own } = admission;
    if (prepared.kind !== 'subscription') return await operations.run(prepared, own, signal, startedMs, withinMs);
    return refusal(new FleetError('BAD_INPUT', 'a subscription is sent alone, not in a batch'), own);
  };
  const headers = admissions.at(-1)?.headers ?? {};
  const isMutating = admissions.some((each) => 'prepared' in each && each.prepared.kind === 'mutation');
  if (!isMutating) return { answers: await Promise.all(admissions.map(run)), headers };
  const answers: AnyAnswer[] = [];
  for (const admission of admissions) answers.push(await run(admission));
  return { answers, headers };
}

/** A trace begins once: the span that the call names is that of the first, and above the others'. */
function callIn({ isTraceRoot, ...call }: Call, at: number): Call {
  return isTraceRoot && at === 0 ? { ...call, isTraceRoot } : call;
}
