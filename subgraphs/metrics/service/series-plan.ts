import { FleetError } from '../../../lib/errors.ts';
import { durationMs } from '../../../lib/graphql/scalars.ts';
import { OverTime, type SeriesQuery } from '../../../lib/graphql/series-query.ts';
import type { LabelMatcher } from '../../../lib/graphql/shared.ts';
import type { SeriesPlan } from '../entity/series-plan.ts';
import { stretchOf } from './range.ts';

export const MAX_POINTS = 11_000;
const HOUR_MS = 3_600_000;
const LOOKBACK_MS = 300_000;
const MAX_MATCHERS = 32;
const MAX_TEXT = 1_000;
const SECONDS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 14_400, 21_600, 43_200, 86_400];
const TO_MILLISECONDS = [1, 2, 5, 10, 20, 50, 100, 200, 500];
const ROUND_STEPS = [...TO_MILLISECONDS, ...SECONDS.map((seconds) => seconds * 1_000)];
const DAY_MS = 86_400_000;
/** Between two samples of one series there may be minutes: a shorter window would show holes. */
const LOOKING_BACK = new Set([OverTime.LAST, OverTime.RATE, OverTime.INCREASE, OverTime.DELTA]);

/**
 * Settles range, steps and window of a query.
 * @param own matchers that hold beside the query's
 * @throws BAD_INPUT for a length, count or range that cannot be
 */
export function planSeries(query: SeriesQuery, nowMs: number, own: readonly LabelMatcher[] = []): SeriesPlan {
  const { across = null, topK = null, overTime } = query;
  const labels = [...(query.labels ?? []), ...own];
  const by = query.by ?? [];
  if (!query.metric || query.metric.length > MAX_TEXT) refuse('name a metric', 'metric');
  if (labels.length > MAX_MATCHERS) refuse(`at most ${MAX_MATCHERS} matchers`, 'labels');
  if (labels.some(({ name, value }) => name.length > MAX_TEXT || value.length > MAX_TEXT))
    refuse(`names and values of labels have at most ${MAX_TEXT} characters`, 'labels');
  if (by.length > MAX_MATCHERS) refuse(`at most ${MAX_MATCHERS} labels to join by`, 'by');
  if (by.length && !across) refuse('`by` says what joined series keep: give `across` too', 'by');
  if (topK !== null && (topK < 1 || topK > 1_000)) refuse('`topK` is 1 to 1,000', 'topK');
  const grid = gridOf(query, nowMs);
  const over = overTime ?? OverTime.LAST;
  const standard = LOOKING_BACK.has(over) ? Math.max(LOOKBACK_MS, grid.stepMs) : grid.stepMs;
  const windowMs = lengthOf(query.window, 'window') ?? standard;
  return { metric: query.metric, labels, ...grid, windowMs, overTime: over, across, by: [...new Set(by)], topK };
}

/** Steps begin at `from` where one is given; else the last step is the end of the range, so that it shows the newest. */
function gridOf(query: SeriesQuery, nowMs: number): { startMs: number; stepMs: number; points: number } {
  const { fromMs, toMs } = stretchOf(query.range, nowMs, ['query', 'range']);
  const endMs = toMs ?? nowMs;
  const beginMs = fromMs ?? endMs - HOUR_MS;
  if (beginMs < 0 || endMs <= beginMs) refuse('the range ends before it begins, or begins before 1970', 'range');
  const maxPoints = query.maxPoints ?? 300;
  if (maxPoints < 1 || maxPoints > MAX_POINTS) refuse(`maxPoints is 1 to ${MAX_POINTS}`, 'maxPoints');
  const lengthMs = endMs - beginMs;
  const stepMs = lengthOf(query.step, 'step') ?? roundStep(lengthMs / Math.max(1, maxPoints - 1));
  const points = maxPoints === 1 && query.step == null ? 1 : Math.floor(lengthMs / stepMs) + 1;
  if (points > MAX_POINTS) {
    refuse(`that would be ${points} points a series, at most ${MAX_POINTS}: take a longer step`, 'step');
  }
  const anchored = query.range?.from && points > 1;
  return { startMs: anchored ? beginMs : endMs - (points - 1) * stepMs, stepMs, points };
}

/** The next length that people count in. */
function roundStep(atLeastMs: number): number {
  return ROUND_STEPS.find((step) => step >= atLeastMs) ?? Math.ceil(atLeastMs / DAY_MS) * DAY_MS;
}

function lengthOf(duration: string | null | undefined, field: string): number | undefined {
  if (duration == null) return undefined;
  const ms = durationMs(duration) ?? 0;
  if (ms < 1) refuse(`\`${field}\` is at least a millisecond`, field);
  return ms;
}

function refuse(sentence: string, field: string): never {
  throw new FleetError('BAD_INPUT', sentence, { field: ['query', field] });
}
