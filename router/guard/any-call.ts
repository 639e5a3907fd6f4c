import type { FleetError } from '../../lib/errors.ts';
import type { LeaveSignal } from '../leave-signal.ts';
import { callDeadline } from './deadline.ts';
import { failure, OK, reasonOf, TIME_OUT } from './failures.ts';
import type { CallReport, Lane } from './lane.ts';
import type { Outcome } from './pass.ts';
import type { Replica } from './replica.ts';

export interface ThroughOptions<T> {
  /** Fires when the caller leaves. */
  signal?: LeaveSignal | undefined;
  /** Whether an answer counts as a failure; a thrown error always does, except a caller's own leaving. */
  judge?: (answer: T) => Outcome;
  /** The error a caller is to see as it is: it is an answer, no failure. */
  refusalOf?: (error: unknown) => FleetError | undefined;
  timeoutMs?: number;
  isStream?: boolean;
}

/**
 * Does any work against one replica of a subgraph through its circuit: refused while open, cut at the time limit, counted.
 * @throws SUBGRAPH_UNAVAILABLE, TIMEOUT, RATE_LIMITED
 */
export async function through<T>(
  lane: Lane,
  work: (deadline: AbortSignal, replica: Replica) => Promise<T>,
  options: ThroughOptions<T> = {},
): Promise<T> {
  const { clock, circuit, subgraph, limits } = lane;
  const startedMs = clock.nowMs();
  const pass = circuit.enter(startedMs, { mayProbe: true, isStream: options.isStream ?? false });
  const { replica } = pass;
  const report = (outcome: CallReport['outcome']) => lane.report(replica.ordinal, startedMs, clock.nowMs(), outcome);
  const deadline = callDeadline(options.timeoutMs ?? limits.timeoutMs, options.signal);
  try {
    const answer = await work(deadline.signal, replica);
    const outcome = options.judge?.(answer) ?? OK;
    pass.settle(outcome, clock.nowMs());
    report(outcome.failed ? 'failed' : 'ok');
    return answer;
  } catch (error) {
    const refusal = options.refusalOf?.(error);
    const nowMs = clock.nowMs();
    if (refusal) pass.settle(OK, nowMs);
    else if (options.signal?.aborted && !deadline.timedOut) pass.abandon(nowMs);
    else pass.settle(deadline.timedOut ? TIME_OUT : { failed: true, reason: reasonOf(error) }, nowMs);
    report(refusal ? 'ok' : options.signal?.aborted ? 'abandoned' : 'failed');
    throw refusal ?? failure(subgraph, deadline.timedOut);
  } finally {
    deadline.clear();
  }
}
