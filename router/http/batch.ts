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

/**
 * Answers several requests that came in one body, in their order. Each is counted and judged by itself; queries run side by
 * side, and as soon as one is a mutation all run one after the other.
 */
export async function answerBatch(
  requests: readonly ClientRequest[],
  operations: Operations,
  call: Call,
  signal: LeaveSignal,
): Promise<BatchAnswer> {
  const admissions: Admission[] = [];
  for (const request of requests) {
    admissions.push(await operations.admit(request, call));
    // Others have their turn between two of a batch.
    await setImmediate();
  }
  const run = async (admission: Admission): Promise<AnyAnswer> => {
    if ('refused' in admission) return admission.refused;
    const { prepared } = admission;
    if (prepared.kind !== 'subscription') return await operations.run(prepared, call, signal);
    return refusal(new FleetError('BAD_INPUT', 'a subscription is sent alone, not in a batch'), call);
  };
  const headers = admissions.at(-1)?.headers ?? {};
  const isMutating = admissions.some((each) => 'prepared' in each && each.prepared.kind === 'mutation');
  if (!isMutating) return { answers: await Promise.all(admissions.map(run)), headers };
  const answers: AnyAnswer[] = [];
  for (const admission of admissions) answers.push(await run(admission));
  return { answers, headers };
}
