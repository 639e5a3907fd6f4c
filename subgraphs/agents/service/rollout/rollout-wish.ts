import { FleetError } from '../../../../lib/errors.ts';
import { durationMs } from '../../../../lib/graphql/scalars.ts';
import type { LabelMatcher } from '../../../../lib/graphql/shared.ts';
import { MAX_CANARY_PERCENT, type Plan, type Wish } from './plan.ts';

/** A rollout as a caller asks for it. */
export interface RolloutWish {
  kind: string;
  version: string;
  labels?: readonly LabelMatcher[] | null | undefined;
  canaryPercent?: number | null | undefined;
  waves?: readonly number[] | null | undefined;
  maxUnavailablePercent?: number | null | undefined;
  startAt?: Date | null | undefined;
  baseline?: string | null | undefined;
  bake?: string | null | undefined;
  readyWithin?: string | null | undefined;
  decideWithin?: string | null | undefined;
  warmUp?: string | null | undefined;
  sensitivity?: number | null | undefined;
  reason?: string | null | undefined;
  dryRun?: boolean | null | undefined;
  clientMutationId?: string | null | undefined;
}

const DAY_MS = 86_400_000;

/** Each time: what it is unless said, and its bounds, milliseconds. */
const TIMES = {
  baseline: { standardMs: 180_000, leastMs: 1_000, mostMs: DAY_MS },
  bake: { standardMs: 60_000, leastMs: 0, mostMs: 7 * DAY_MS },
  readyWithin: { standardMs: 30_000, leastMs: 1_000, mostMs: DAY_MS },
  decideWithin: { standardMs: 3_600_000, leastMs: 10_000, mostMs: 30 * DAY_MS },
  warmUp: { standardMs: 20_000, leastMs: 0, mostMs: DAY_MS },
} as const;

const MAX_SENSITIVITY = 10;
const FURTHEST_MS = 30 * DAY_MS;

/** @throws BAD_INPUT with the field that is wrong */
export function planOf(
  wish: RolloutWish,
  nowMs: number,
): { times: Omit<Plan, 'sizes' | 'maxUnavailable'>; wish: Wish } {
  const sensitivity = wish.sensitivity ?? 1;
  if (!(sensitivity >= 1 && sensitivity <= MAX_SENSITIVITY)) {
    throw new FleetError('BAD_INPUT', `from 1 to ${MAX_SENSITIVITY}`, { field: ['sensitivity'] });
  }
  const startAtMs = wish.startAt?.getTime() ?? nowMs;
  if (startAtMs > nowMs + FURTHEST_MS)
    throw new FleetError('BAD_INPUT', 'at most 30 days ahead', { field: ['startAt'] });
  return {
    times: {
      startAtMs,
      baselineMs: time(wish, 'baseline'),
      bakeMs: time(wish, 'bake'),
      readyMs: time(wish, 'readyWithin'),
      deadlineMs: time(wish, 'decideWithin'),
      warmUpMs: time(wish, 'warmUp'),
      sensitivity,
    },
    wish: {
      canaryPercent: wish.canaryPercent ?? MAX_CANARY_PERCENT,
      waves: wish.waves ?? [25, 50, 100],
      maxUnavailablePercent: wish.maxUnavailablePercent ?? 10,
    },
  };
}

function time(wish: RolloutWish, field: keyof typeof TIMES): number {
  const text = wish[field];
  const { standardMs, leastMs, mostMs } = TIMES[field];
  const ms = text == null ? standardMs : (durationMs(text) ?? -1);
  if (ms < leastMs || ms > mostMs) {
    throw new FleetError('BAD_INPUT', `from ${leastMs / 1_000} s to ${mostMs / DAY_MS} days`, { field: [field] });
  }
  return ms;
}
