import type { Call } from '../../lib/call/signing.ts';
import type { GraphAnswer, GraphRequest } from '../engine.ts';
import type { LeaveSignal } from '../leave-signal.ts';
import { brokeInside, readGraphAnswer } from './answer.ts';
import { BROKE_INSIDE, failure, OK, reasonOf, TIME_OUT } from './failures.ts';
import { isQuery, type Lane } from './lane.ts';
import type { Pass } from './pass.ts';
import { Left, TimedOut } from './wire-answer.ts';

/**
 * One query or mutation to one subgraph: within the operation's deadline, in its turn, to the best replica.
 * @throws SUBGRAPH_UNAVAILABLE, TIMEOUT, OVERLOADED, RATE_LIMITED
 */
export async function callWhole(
  lane: Lane,
  request: GraphRequest,
  call: Call,
  signal: LeaveSignal | undefined,
): Promise<GraphAnswer> {
  const { bulkhead, clock, limits } = lane;
  let nowMs = clock.nowMs();
  const ownMs = nowMs + limits.timeoutMs;
  const untilMs = call.deadlineMs !== undefined && call.deadlineMs < ownMs ? call.deadlineMs : ownMs;
  if (untilMs <= nowMs) throw failure(lane.subgraph, true);
  if (!bulkhead.tryTake(nowMs)) {
    await turn(lane, untilMs - nowMs, signal);
    nowMs = clock.nowMs();
  }
  const startedMs = nowMs;
  const pass = enter(lane, isQuery(request), startedMs);
  try {
    const timeoutMs = Math.max(1, untilMs - startedMs);
    const body = JSON.stringify(request);
    const { maxAnswerBytes: maxBytes } = limits;
    const answer = readGraphAnswer(await pass.replica.wire.send({ body, call, signal, timeoutMs, maxBytes }));
    nowMs = clock.nowMs();
    const failed = brokeInside(answer);
    pass.settle(failed ? BROKE_INSIDE : OK, nowMs);
    bulkhead.release(nowMs, nowMs - startedMs, false);
    lane.report(pass.replica.ordinal, startedMs, nowMs, failed ? 'failed' : 'ok');
    return answer;
  } catch (error) {
    // A cut by its caller's own short deadline says nothing about the subgraph.
    settleFailed(lane, pass, startedMs, error, untilMs === ownMs);
    throw failure(lane.subgraph, error instanceof TimedOut);
  }
}

/** Waits for a place, but not for a subgraph that is resting. */
async function turn(lane: Lane, leftMs: number, signal: LeaveSignal | undefined): Promise<void> {
  lane.circuit.refuseIfOpen(lane.clock.nowMs());
  try {
    await lane.bulkhead.wait(leftMs, signal);
  } catch (error) {
    const isOwn = error instanceof TimedOut || error instanceof Left;
    throw isOwn ? failure(lane.subgraph, error instanceof TimedOut) : error;
  }
}

/** The place that was taken is given back when the circuit refuses. */
function enter({ bulkhead, circuit }: Lane, mayProbe: boolean, nowMs: number): Pass {
  try {
    return circuit.enter(nowMs, { mayProbe });
  } catch (refusal) {
    bulkhead.release(nowMs, undefined, false);
    throw refusal;
  }
}

/** @param isJudged whether being late is the subgraph's failure */
function settleFailed(lane: Lane, pass: Pass, startedMs: number, error: unknown, isJudged: boolean): void {
  const nowMs = lane.clock.nowMs();
  const timedOut = error instanceof TimedOut;
  const isNobodys = error instanceof Left || (timedOut && !isJudged);
  if (isNobodys) pass.abandon(nowMs);
  else pass.settle(timedOut ? TIME_OUT : { failed: true, reason: reasonOf(error) }, nowMs);
  lane.bulkhead.release(nowMs, timedOut ? nowMs - startedMs : undefined, timedOut);
  lane.report(pass.replica.ordinal, startedMs, nowMs, isNobodys ? 'abandoned' : 'failed');
}
