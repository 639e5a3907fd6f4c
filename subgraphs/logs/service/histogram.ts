import { FleetError } from '../../../lib/errors.ts';
import { durationMs } from '../../../lib/graphql/scalars.ts';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** Steps that people read well, milliseconds. */
const STEPS = [
  1,
  10,
  100,
  SECOND,
  2 * SECOND,
  5 * SECOND,
  10 * SECOND,
  15 * SECOND,
  30 * SECOND,
  MINUTE,
  2 * MINUTE,
  5 * MINUTE,
  10 * MINUTE,
  15 * MINUTE,
  30 * MINUTE,
  HOUR,
  2 * HOUR,
  3 * HOUR,
  6 * HOUR,
  12 * HOUR,
  DAY,
  7 * DAY,
  30 * DAY,
  365 * DAY,
];
const MAX_BUCKETS = 1_000;

/** A division of time: buckets `first` to `last`, counted in steps since 1970. */
export interface Division {
  stepMs: number;
  first: number;
  last: number;
}

/**
 * Divides a stretch of time, so that at most `maxBuckets` buckets touch it.
 * @param step as asked, ISO 8601; a step that would make more buckets is widened to a multiple of itself
 * @throws BAD_INPUT for a step of nothing or for `maxBuckets` outside 1 to 1,000
 */
export function divide(fromMs: number, toMs: number, maxBuckets: number, step: string | null | undefined): Division {
  if (maxBuckets < 1 || maxBuckets > MAX_BUCKETS) {
    throw new FleetError('BAD_INPUT', `maxBuckets is 1 to ${MAX_BUCKETS}`, { field: ['maxBuckets'] });
  }
  const asked = step == null ? undefined : durationMs(step);
  if (asked === 0) throw new FleetError('BAD_INPUT', 'a step is longer than nothing', { field: ['step'] });
  // The end is exclusive.
  const lastMs = Math.max(fromMs, toMs - 1);
  const division = (stepMs: number) => ({
    stepMs,
    first: Math.floor(fromMs / stepMs),
    last: Math.floor(lastMs / stepMs),
  });
  const fits = ({ first, last }: Division) => last - first < maxBuckets;
  if (asked === undefined) {
    const known = STEPS.map(division).find(fits);
    if (known) return known;
  }
  const unit = asked ?? DAY;
  let factor = Math.max(1, Math.floor((lastMs - fromMs) / unit / maxBuckets));
  while (!fits(division(unit * factor))) factor += 1;
  return division(unit * factor);
}
