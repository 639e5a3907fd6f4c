/** One promise's figure beside what it is measured against. */
export interface Figure {
  promise: string;
  measured: string;
  /** The rival's, or the physical limit's, in the same run. */
  against: string;
  ratio: string;
}

export interface Bench {
  name: string;
  run(): Promise<Figure[]>;
}

/** The middle of some measurements. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}
