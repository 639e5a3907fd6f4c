import type { Across, OverTime } from '../../../lib/graphql/series-query.ts';
import type { LabelMatcher } from '../../../lib/graphql/shared.ts';

/** A series query with nothing left open. Times and lengths in milliseconds. */
export interface SeriesPlan {
  metric: string;
  labels: readonly LabelMatcher[];
  startMs: number;
  stepMs: number;
  /** How many steps: times are `startMs + i × stepMs`. */
  points: number;
  /** Each step looks at the samples after `time - windowMs`, up to and with `time`. */
  windowMs: number;
  overTime: OverTime;
  across: Across | null;
  by: readonly string[];
  topK: number | null;
}
