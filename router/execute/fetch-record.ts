import type { EntityFetch, RootFetch } from '../plan/steps.ts';

/** One fetch of a run, timed. */
export class FetchTiming {
  /** Epoch milliseconds. */
  readonly startedMs: number;
  /** Undefined while it is under way. */
  tookMs: number | undefined;

  /** @param representations entities it asks for; 0 for root fields */
  constructor(
    readonly fetch: RootFetch | EntityFetch,
    readonly representations: number,
    private readonly nowMs: () => number,
  ) {
    this.startedMs = nowMs();
  }

  /** The answer is there, or will not come; the first time counts. */
  end(): void {
    this.tookMs ??= this.nowMs() - this.startedMs;
  }
}

/** What the fetches of one run took: two looks at the clock each, and nothing is made of them unless somebody asks. */
export class FetchRecord {
  readonly timings: FetchTiming[] = [];

  constructor(private readonly nowMs: () => number) {}

  begin(fetch: RootFetch | EntityFetch, representations: number): FetchTiming {
    const timing = new FetchTiming(fetch, representations, this.nowMs);
    this.timings.push(timing);
    return timing;
  }
}
