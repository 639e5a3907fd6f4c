/** A rate with a burst of one second of it, and never less than one call. */
export class TokenBucket {
  #tokens: number;
  #atMs: number;

  /** @param perSecond how many tokens come back each second; above 0 */
  constructor(
    private perSecond: number,
    nowMs: number,
  ) {
    this.#tokens = this.#burst();
    this.#atMs = nowMs;
  }

  get ratePerSecond(): number {
    return this.perSecond;
  }

  /** Changes the rate at once; what was saved up is cut to the new burst. */
  setRate(perSecond: number, nowMs: number): void {
    this.#refill(nowMs);
    this.perSecond = perSecond;
    this.#tokens = Math.min(this.#tokens, this.#burst());
  }

  /** Takes one token. @returns 0, or how long until there is one, milliseconds */
  take(nowMs: number): number {
    if (this.perSecond === Number.POSITIVE_INFINITY) return 0;
    this.#refill(nowMs);
    if (this.#tokens >= 1) {
      this.#tokens -= 1;
      return 0;
    }
    return Math.ceil(((1 - this.#tokens) / this.perSecond) * 1_000);
  }

  #refill(nowMs: number): void {
    const passedMs = Math.max(0, nowMs - this.#atMs);
    this.#tokens = Math.min(this.#burst(), this.#tokens + (passedMs / 1_000) * this.perSecond);
    this.#atMs = nowMs;
  }

  #burst(): number {
    return Math.max(1, this.perSecond);
  }
}
