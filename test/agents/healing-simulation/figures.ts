/** The value below which this share of the numbers lies; NaN of none. */
export function quantile(numbers: readonly number[], share: number): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
}

/**
 * The area under the receiver operating characteristic of "the lower the score, the more likely a fault": the chance that a
 * score under a fault is below one without (Mann–Whitney, ties count half).
 */
export function areaUnderCurve(faulty: readonly number[], well: readonly number[]): number {
  const counts = (scores: readonly number[]) => {
    const by = new Array<number>(101).fill(0);
    for (const score of scores) by[score] = (by[score] as number) + 1;
    return by;
  };
  const [ill, good] = [counts(faulty), counts(well)];
  let area = 0;
  let below = 0;
  for (let score = 0; score <= 100; score += 1) {
    const [bad, fine] = [ill[score] as number, good[score] as number];
    area += fine * (below + bad / 2);
    below += bad;
  }
  return area / (faulty.length * well.length);
}
