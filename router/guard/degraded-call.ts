import type { Call } from '../../lib/call/signing.ts';
import { asFleetError } from '../../lib/errors.ts';
import { RequiredUnavailable, STALE_MS } from '../degradation.ts';
import type { GraphAnswer, GraphRequest } from '../engine.ts';
import { bodyOf } from '../execute/subgraph-request.ts';
import type { LeaveSignal } from '../leave-signal.ts';
import { parseAnswer } from './answer.ts';
import { isQuery, type Lane } from './lane.ts';
import { type StaleAnswers, staleKey } from './stale-answers.ts';
import { callWhole } from './whole-call.ts';

/**
 * One call to a subgraph that is required or may be served stale.
 * @throws RequiredUnavailable where a required one cannot answer a query; else as `callWhole`
 */
export async function callDegradable(
  lane: Lane,
  store: StaleAnswers,
  request: GraphRequest,
  call: Call,
  signal: LeaveSignal | undefined,
): Promise<GraphAnswer> {
  const { need, staleIfErrorMs = 0 } = lane.policy;
  if (!isQuery(request)) return callWhole(lane, request, call, signal);
  // The router's own questions are about what is, not what was.
  const isServedStale = staleIfErrorMs > 0 && call.principal.kind !== 'SYSTEM' && lane.mayServeStale(call);
  const key = isServedStale ? staleKey(lane.subgraph, call, bodyOf(request)) : undefined;
  const keep = key === undefined ? undefined : (body: Buffer) => store.keep(key, body, lane.clock.nowMs());
  try {
    return await callWhole(lane, request, call, signal, keep);
  } catch (error) {
    const known = asFleetError(error);
    if (!known || signal?.aborted) throw error;
    const stale = key === undefined ? undefined : store.find(key, staleIfErrorMs, lane.clock.nowMs());
    if (stale) return { ...parseAnswer(stale.body.toString()), [STALE_MS]: stale.ageMs };
    if (need !== 'required') throw error;
    throw new RequiredUnavailable(lane.subgraph, Number(known.extensions['retryAfterMs'] ?? RETRY_AFTER_MS));
  }
}

const RETRY_AFTER_MS = 1_000;
