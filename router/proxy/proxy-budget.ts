import { earned, type RetryPolicy, spent } from '../guard/retry-budget.ts';

/** Of a hundred calls, twenty may be tried again; fifty are saved up from the start, for what was under way at one that is killed. */
const POLICY: RetryPolicy = { percent: 20, burst: 50, jitterMs: 0 };

/** How many second attempts there may be: a service that is dead as a whole is not called three times as often. */
export class ProxyBudget {
  #credit = earned(0, { ...POLICY, percent: POLICY.burst * 100 });

  called(): void {
    this.#credit = earned(this.#credit, POLICY);
  }

  /** @returns whether there was enough for one more attempt */
  take(): boolean {
    const left = spent(this.#credit);
    if (left === undefined) return false;
    this.#credit = left;
    return true;
  }
}
