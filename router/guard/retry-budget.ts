/** How much may be tried again. */
export interface RetryPolicy {
  /** Of a hundred calls, how many may be tried again; 0: none. */
  percent: number;
  /** As many may be saved up. */
  burst: number;
  /** Each pause is up to so long, milliseconds. */
  jitterMs: number;
}

export const RETRY_POLICY: RetryPolicy = { percent: 10, burst: 10, jitterMs: 50 };

/** What a second attempt costs; each call earns the policy's percent of it. */
const PRICE = 100;

/**
 * What is saved up after one more call. A budget begins empty, so that all attempts together stay below 1.1 times the calls,
 * however dead the subgraph is. Source: Finagle's RetryBudget.
 */
export function earned(credit: number, { percent, burst }: RetryPolicy): number {
  return Math.min(burst * PRICE, credit + percent);
}

/** What is left after one second attempt; undefined when there is not enough for it. */
export function spent(credit: number): number | undefined {
  return credit >= PRICE ? credit - PRICE : undefined;
}

/** Why a call failed, as far as trying again goes. */
export interface FailedAttempt {
  /** What the subgraph asked for by `Retry-After`, milliseconds; 0 where no connection or answer came. */
  askedMs: number;
  /** Whether another replica can be asked: it need not be waited for. */
  hasOther: boolean;
}

/**
 * How long to wait before the second attempt.
 * @param leftMs until the call's deadline
 * @param random a number in [0, 1)
 * @returns undefined when it would come too late
 */
export function retryPause(
  { askedMs, hasOther }: FailedAttempt,
  leftMs: number,
  random: number,
  { jitterMs }: RetryPolicy,
): number | undefined {
  const pauseMs = (hasOther ? 0 : askedMs) + random * (hasOther ? jitterMs / 5 : jitterMs);
  return pauseMs < leftMs ? pauseMs : undefined;
}
