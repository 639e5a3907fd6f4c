import { setTimeout } from 'node:timers/promises';
import type { Call } from '../../lib/call/signing.ts';
import type { GraphAnswer, GraphRequest } from '../engine.ts';
import { bodyOf } from '../execute/subgraph-request.ts';
import type { LeaveSignal } from '../leave-signal.ts';
import type { Priority } from '../limits/fair-queue.ts';
import { priorityOf } from '../limits/priority.ts';
import { Left, StaleConnection, TimedOut, TooLarge } from '../wire/exchange.ts';
import { Busy, brokeInside, MalformedAnswer, readGraphAnswer } from './answer.ts';
import { BROKE_INSIDE, failure, OK, reasonOf, TIME_OUT } from './failures.ts';
import { isQuery, type Lane } from './lane.ts';
import type { Pass } from './pass.ts';
import type { Replica } from './replica.ts';
import type { ReplicaWish } from './replica-set.ts';
import { retryPause } from './retry-budget.ts';

/**
 * One query or mutation to one subgraph: within the operation's deadline, in its turn, to the best replica.
 * @param keep takes an answer without errors, as it came
 * @throws SUBGRAPH_UNAVAILABLE, TIMEOUT, OVERLOADED, RATE_LIMITED
 */
export async function callWhole(
  lane: Lane,
  request: GraphRequest,
  call: Call,
  signal: LeaveSignal | undefined,
  keep?: (body: Buffer) => void,
): Promise<GraphAnswer> {
  const { bulkhead, clock, limits } = lane;
  let nowMs = clock.nowMs();
  const ownMs = nowMs + limits.timeoutMs;
  const untilMs = call.deadlineMs !== undefined && call.deadlineMs < ownMs ? call.deadlineMs : ownMs;
  if (untilMs <= nowMs) throw failure(lane.subgraph, true);
  if (!bulkhead.tryTake(nowMs)) {
    await turn(lane, untilMs - nowMs, signal, priorityOf(call));
    nowMs = clock.nowMs();
  }
  const { callsPerSecond } = lane.policy;
  if (callsPerSecond !== undefined) {
    await draw(lane, callsPerSecond, request);
    nowMs = clock.nowMs();
  }
  lane.called();
  const timed = untilMs === call.deadlineMs ? call : { ...call, deadlineMs: untilMs };
  const body = bodyOf(request);
  const isRepeatable = isQuery(request);
  const { maxAnswerBytes: maxBytes } = limits;
  let failed: Replica | undefined;
  let isFresh = false;
  for (;;) {
    const startedMs = nowMs;
    const pass = enter(lane, { mayProbe: isRepeatable, avoid: failed }, startedMs);
    try {
      const timeoutMs = Math.max(1, untilMs - startedMs);
      const received = await pass.replica.wire.send({ body, call: timed, signal, timeoutMs, maxBytes, isFresh });
      const answer = readGraphAnswer(received);
      nowMs = clock.nowMs();
      settleAnswered(lane, pass, startedMs, nowMs, brokeInside(answer), signal?.callers);
      if (keep && !answer.errors) keep(received.body);
      return answer;
    } catch (error) {
      nowMs = clock.nowMs();
      // A kept connection may be closed at any time: that is no failure of the subgraph, but its budget pays for the second call.
      if (error instanceof StaleConnection && isRepeatable && !isFresh && lane.tryAgain(call)) {
        pass.abandon(nowMs);
        isFresh = true;
        continue;
      }
      // A cut by its caller's own short deadline says nothing about the subgraph.
      settleFailed(lane, pass, startedMs, nowMs, error, untilMs === ownMs, signal?.callers);
      const pauseMs =
        failed || !isRepeatable ? undefined : pauseBeforeRetry(lane, call, pass.replica, error, untilMs - nowMs);
      if (pauseMs === undefined) {
        const timedOut = error instanceof TimedOut;
        bulkhead.release(nowMs, timedOut ? nowMs - startedMs : undefined, timedOut);
        throw failure(lane.subgraph, timedOut);
      }
      failed = pass.replica;
      await setTimeout(pauseMs);
      nowMs = clock.nowMs();
    }
  }
}

/** Waits for a place, but not for a subgraph that is resting. */
async function turn(lane: Lane, leftMs: number, signal: LeaveSignal | undefined, priority: Priority): Promise<void> {
  lane.circuit.refuseIfOpen(lane.clock.nowMs());
  try {
    await lane.bulkhead.wait(leftMs, signal, priority);
  } catch (error) {
    const isOwn = error instanceof TimedOut || error instanceof Left;
    throw isOwn ? failure(lane.subgraph, error instanceof TimedOut) : error;
  }
}

/** The place that was taken is given back when there is nothing left of the subgraph's rate. */
async function draw(lane: Lane, perSecond: number, request: GraphRequest): Promise<void> {
  try {
    await lane.draw(perSecond, request);
  } catch (refusal) {
    lane.bulkhead.release(lane.clock.nowMs(), undefined, false);
    throw refusal;
  }
}

/** The place that was taken is given back when the circuit refuses. */
function enter({ bulkhead, circuit }: Lane, wish: ReplicaWish, nowMs: number): Pass {
  try {
    return circuit.enter(nowMs, wish);
  } catch (refusal) {
    bulkhead.release(nowMs, undefined, false);
    throw refusal;
  }
}

function settleAnswered(
  lane: Lane,
  pass: Pass,
  startedMs: number,
  nowMs: number,
  failed: boolean,
  callers?: number,
): void {
  pass.settle(failed ? BROKE_INSIDE : OK, nowMs, callers);
  lane.bulkhead.release(nowMs, nowMs - startedMs, false);
  lane.report(pass.replica.ordinal, startedMs, nowMs, failed ? 'failed' : 'ok');
}

/** @param isJudged whether being late is the subgraph's failure */
function settleFailed(
  lane: Lane,
  pass: Pass,
  startedMs: number,
  nowMs: number,
  error: unknown,
  isJudged: boolean,
  callers?: number,
): void {
  const timedOut = error instanceof TimedOut;
  const isUnjudged = error instanceof Left || (timedOut && !isJudged);
  if (isUnjudged) pass.abandon(nowMs);
  else pass.settle(timedOut ? TIME_OUT : { failed: true, reason: reasonOf(error) }, nowMs, callers);
  lane.report(pass.replica.ordinal, startedMs, nowMs, isUnjudged ? 'abandoned' : 'failed');
}

/**
 * How long to wait before a second attempt, milliseconds: only where no answer came, or one that asked for it.
 * @returns undefined when there is to be none
 */
function pauseBeforeRetry(lane: Lane, call: Call, failed: Replica, error: unknown, leftMs: number): number | undefined {
  const isAskedFor = error instanceof Busy;
  const isAnswered = error instanceof MalformedAnswer || error instanceof TooLarge;
  if (error instanceof TimedOut || error instanceof Left || (isAnswered && !isAskedFor)) return undefined;
  // Its failure was the last that its breaker took: after the pause it would only be refused.
  if (lane.circuit.isResting(lane.clock.nowMs())) return undefined;
  const { retry } = lane.limits;
  const attempt = { askedMs: isAskedFor ? error.retryAfterMs : 0, hasOther: lane.circuit.hasOther(failed) };
  const pauseMs = retryPause(attempt, leftMs, lane.clock.random(), retry);
  return pauseMs !== undefined && lane.tryAgain(call) ? pauseMs : undefined;
}
