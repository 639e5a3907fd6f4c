const SECONDS = 60;
/** Upper bounds of the latency classes, milliseconds: each a fifth above the one before, up to about a minute. */
const BOUNDS = Array.from({ length: 64 }, (_, index) => 0.5 * 1.2 ** index);

interface Second {
  atSecond: number;
  calls: number;
  failures: number;
  classes: Uint32Array;
}

/** What a minute of calls looked like. */
export interface MinuteFigures {
  requestsPerSecond: number;
  /** 0 to 1. */
  errorRatio: number;
  p50Ms: number;
  p99Ms: number;
}

/** Counts calls over the last minute in a ring of seconds: fixed memory, whatever the traffic. */
export class LastMinute {
  readonly #ring: Second[] = Array.from({ length: SECONDS }, () => ({
    atSecond: -1,
    calls: 0,
    failures: 0,
    classes: new Uint32Array(BOUNDS.length),
  }));

  record(nowMs: number, tookMs: number, failed: boolean): void {
    const atSecond = Math.floor(nowMs / 1_000);
    const second = this.#ring[atSecond % SECONDS] as Second;
    if (second.atSecond !== atSecond) {
      second.atSecond = atSecond;
      second.calls = 0;
      second.failures = 0;
      second.classes.fill(0);
    }
    second.calls += 1;
    if (failed) second.failures += 1;
    const index = classOf(tookMs);
    second.classes[index] = (second.classes[index] as number) + 1;
  }

  figures(nowMs: number): MinuteFigures {
    const newest = Math.floor(nowMs / 1_000);
    const total = new Uint32Array(BOUNDS.length);
    let calls = 0;
    let failures = 0;
    for (const second of this.#ring) {
      if (second.atSecond <= newest - SECONDS || second.atSecond > newest) continue;
      calls += second.calls;
      failures += second.failures;
      for (let index = 0; index < total.length; index++) {
        total[index] = (total[index] as number) + (second.classes[index] as number);
      }
    }
    return {
      requestsPerSecond: calls / SECONDS,
      errorRatio: calls === 0 ? 0 : failures / calls,
      p50Ms: quantile(total, calls, 0.5),
      p99Ms: quantile(total, calls, 0.99),
    };
  }
}

function classOf(tookMs: number): number {
  if (tookMs <= (BOUNDS[0] as number)) return 0;
  return Math.min(BOUNDS.length - 1, Math.ceil(Math.log(tookMs / 0.5) / Math.log(1.2)));
}

/** The upper bound of the class in which the quantile lies. */
function quantile(classes: Uint32Array, calls: number, share: number): number {
  if (calls === 0) return 0;
  let left = Math.ceil(calls * share);
  for (let index = 0; index < classes.length; index++) {
    left -= classes[index] as number;
    if (left <= 0) return Math.round((BOUNDS[index] as number) * 100) / 100;
  }
  return BOUNDS.at(-1) as number;
}
