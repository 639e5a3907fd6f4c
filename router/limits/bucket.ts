/** A rate with a burst. */
export interface Bucket {
  /** Most it holds. */
  readonly capacity: number;
  /** What comes back each second; above 0. */
  readonly perSecond: number;
}

/** The buckets that one kind of call of one client draws on, all or none. */
export interface Meter {
  /** Client and class; the same in every router. */
  readonly key: string;
  readonly buckets: readonly Bucket[];
}

/** What came of a draw. */
export interface Drawn {
  readonly admitted: boolean;
  /** What each bucket holds now; below 0 after more was drawn in hindsight than there was. */
  readonly tokens: readonly number[];
}

/** What a meter's buckets held at a time. */
export interface Level {
  tokens: number[];
  atMs: number;
}

/**
 * Draws on all buckets of a meter, or on none (token bucket). An absent level is a full one.
 * The stores in PostgreSQL and Redis do the same in their own words; a test holds them to this.
 * @param costs what to draw on each bucket; 0 asks only that it holds no debt
 * @param isForced draws whatever there is, into debt: for what is known in hindsight
 */
export function draw(
  { buckets }: Meter,
  level: Level | undefined,
  costs: readonly number[],
  isForced: boolean,
  nowMs: number,
): [Level, Drawn] {
  const passedS = level ? Math.max(0, nowMs - level.atMs) / 1_000 : 0;
  const tokens = buckets.map(({ capacity, perSecond }, at) => {
    const held = level?.tokens[at] ?? capacity;
    return Math.min(capacity, held + passedS * perSecond);
  });
  const admitted = isForced || tokens.every((held, at) => held >= (costs[at] ?? 0));
  if (admitted) for (let at = 0; at < tokens.length; at++) tokens[at] = (tokens[at] ?? 0) - (costs[at] ?? 0);
  return [
    { tokens, atMs: Math.max(nowMs, level?.atMs ?? nowMs) },
    { admitted, tokens },
  ];
}

/** How long until the buckets hold so much, milliseconds; 0: they do. */
export function waitMs({ buckets }: Meter, tokens: readonly number[], costs: readonly number[]): number {
  let longest = 0;
  buckets.forEach(({ perSecond }, at) => {
    const missing = (costs[at] ?? 0) - (tokens[at] ?? 0);
    if (missing > 0) longest = Math.max(longest, Math.ceil((missing / perSecond) * 1_000));
  });
  return longest;
}
