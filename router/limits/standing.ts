import { FleetError } from '../../lib/errors.ts';
import { type Meter, waitMs } from './bucket.ts';
import { COST, REQUESTS } from './rates.ts';

/** Where a client stands in one meter, after what it was charged. */
export interface Standing {
  /** Absent: no limit. */
  readonly meter: Meter | undefined;
  readonly tokens: readonly number[];
  /** What this call was charged, points; 0 where points are not counted. */
  readonly cost: number;
}

/** Of a client without a limit. */
export function unlimited(cost: number): Standing {
  return { meter: undefined, tokens: [], cost };
}

/** One bucket of a standing, in whole numbers that fit GraphQL's Int. */
export interface BucketStanding {
  limit: number;
  used: number;
  remaining: number;
  /** Until it is full again, milliseconds. */
  resetMs: number;
  perSecond: number;
}

const MOST = 2 ** 31 - 1;
const UNLIMITED: BucketStanding = { limit: MOST, used: 0, remaining: MOST, resetMs: 0, perSecond: MOST };

export function bucketStanding({ meter, tokens }: Standing, at: number): BucketStanding {
  const bucket = meter?.buckets[at];
  if (!bucket) return UNLIMITED;
  const limit = Math.min(MOST, bucket.capacity);
  const held = Math.max(0, tokens[at] ?? 0);
  const remaining = Math.min(limit, Math.floor(held));
  const resetMs = Math.ceil(((bucket.capacity - held) / bucket.perSecond) * 1_000);
  return {
    limit,
    used: limit - remaining,
    remaining,
    resetMs,
    perSecond: Math.min(MOST, Math.floor(bucket.perSecond)),
  };
}

/** What a bucket is called in headers, and what it counts where that is not requests. */
interface BucketName {
  readonly name: string;
  readonly unit?: string;
}

const NAMED_REQUESTS: BucketName = { name: 'requests' };
/** By how many buckets a meter has. */
const NAMES: Readonly<Record<number, readonly BucketName[]>> = {
  1: [NAMED_REQUESTS],
  2: [NAMED_REQUESTS, { name: 'cost', unit: 'points' }],
  3: [NAMED_REQUESTS, { name: 'bytes', unit: 'content-bytes' }, { name: 'records', unit: 'records' }],
};
/** The largest that a structured field takes (RFC 9651, 3.3.1). */
const MOST_IN_FIELD = 999_999_999_999_999;

/** Headers of one policy never change. */
const policies = new WeakMap<Meter, string>();

/** The headers that tell a standing (draft-ietf-httpapi-ratelimit-headers-10: `r` left now, `t` seconds until all is back); none without a limit. */
export function limitHeaders({ meter, tokens }: Standing): Record<string, string> {
  if (!meter) return {};
  const { buckets } = meter;
  const names = NAMES[buckets.length] ?? [];
  let told = '';
  for (let at = 0; at < buckets.length; at++) {
    const bucket = buckets[at];
    if (!bucket) continue;
    const held = Math.max(0, tokens[at] ?? 0);
    const untilFullS = (bucket.capacity - held) / bucket.perSecond;
    told += `${at === 0 ? '' : ', '}"${names[at]?.name}";r=${inField(Math.floor(held))};t=${inField(Math.ceil(untilFullS))}`;
  }
  return { ratelimit: told, 'ratelimit-policy': policyOf(meter, names) };
}

/** The same, in `q` at once and `w` seconds until as much is back; `qu` is what is counted. */
function policyOf(meter: Meter, names: readonly BucketName[]): string {
  const known = policies.get(meter);
  if (known !== undefined) return known;
  const policy = meter.buckets
    .map(({ capacity, perSecond }, at) => {
      const { name, unit } = names[at] ?? NAMED_REQUESTS;
      const [quota, windowS] = [capacity, capacity / perSecond].map((value) => inField(Math.max(1, Math.round(value))));
      return `"${name}";q=${quota}${unit ? `;qu="${unit}"` : ''};w=${windowS}`;
    })
    .join(', ');
  policies.set(meter, policy);
  return policy;
}

function inField(value: number): number {
  return Math.min(MOST_IN_FIELD, value);
}

/** `extensions.cost` of an answer. What was predicted is what was charged. */
export function costExtension(standing: Standing) {
  const { limit, remaining, perSecond } = bucketStanding(standing, COST);
  return {
    requestedQueryCost: standing.cost,
    actualQueryCost: standing.cost,
    throttleStatus: { maximumAvailable: limit, currentlyAvailable: remaining, restoreRate: perSecond },
  };
}

function namesOf({ length }: readonly number[]): string {
  return (NAMES[length] ?? [])
    .slice(1)
    .map(({ name }) => name)
    .join(', ');
}

/** A refusal that tells where its client stands. */
export class LimitRefusal extends FleetError {
  constructor(
    readonly standing: Standing,
    costs: readonly number[],
  ) {
    const { meter, tokens } = standing;
    const retryAfterMs = meter ? Math.max(1, waitMs(meter, tokens, costs)) : 1;
    const { limit, perSecond } = bucketStanding(standing, REQUESTS);
    const hasRequests = (tokens[REQUESTS] ?? 0) >= (costs[REQUESTS] ?? 0);
    const what = hasRequests
      ? `this needs more than is left of what you may use (${namesOf(costs)})`
      : `you have made your ${perSecond >= 1 ? `${limit} requests of this second` : `${limit} requests`}`;
    super('RATE_LIMITED', what, { retryAfterMs, limit });
  }
}
