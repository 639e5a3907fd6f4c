import { FleetError } from '../../../lib/errors.ts';
import { durationMs } from '../../../lib/graphql/scalars.ts';
import type { TimeRange } from '../../../lib/graphql/shared.ts';
import type { Stretch } from '../entity/stretch.ts';

/**
 * Reads a TimeRange.
 * @param field path of the argument, for the error
 * @throws BAD_INPUT when both forms are given, or it ends before it begins
 */
export function stretchOf(range: TimeRange | null | undefined, nowMs: number, field: string[]): Stretch {
  if (!range) return { fromMs: null, toMs: null };
  const { from, to, last } = range;
  if (last == null) {
    if (from && to && from >= to) throw new FleetError('BAD_INPUT', 'the range ends before it begins', { field });
    return { fromMs: from?.getTime() ?? null, toMs: to?.getTime() ?? null };
  }
  if (from || to) throw new FleetError('BAD_INPUT', 'a range is `last`, or `from` and `to`, not both', { field });
  const lastMs = durationMs(last) ?? 0;
  if (lastMs <= 0) throw new FleetError('BAD_INPUT', '`last` must be longer than nothing', { field });
  return { fromMs: nowMs - lastMs, toMs: nowMs };
}
