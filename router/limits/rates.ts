import type { Principal } from '../../lib/call/principal.ts';
import type { Bucket, Meter } from './bucket.ts';

/** Kinds of operations, each with buckets of its own. */
export type OperationClass = 'query' | 'mutation' | 'subscription';

/** How much a client may do. A client's own `requestsPerSecond` stands before `requestsPerSecond` here. */
export interface Rates {
  /** Requests a second; Infinity: no limit of any kind. */
  requestsPerSecond: number;
  /** Points of cost a second that each granted request a second brings. */
  costPerRequest: number;
  /** So many seconds' points may be spent at once, seconds. */
  costBurstS: number;
  /** Bytes a second on each route that takes telemetry, unpacked. */
  ingestBytesPerSecond: number;
  /** Records a second on each route that takes telemetry. */
  ingestRecordsPerSecond: number;
  /** Requests a second of one address for pages that ask for no credential. */
  pagesPerSecond: number;
  /** Requests a second of one client for operations of these names. */
  operations: Readonly<Record<string, number>>;
}

export const RATES: Rates = {
  requestsPerSecond: 100,
  costPerRequest: 100,
  costBurstS: 10,
  ingestBytesPerSecond: 64_000_000,
  ingestRecordsPerSecond: 500_000,
  pagesPerSecond: 200,
  operations: {},
};

/** Telemetry comes in lumps: so many seconds of it at once, seconds. */
const INGEST_BURST_S = 2;
/** The largest body that is taken at all, bytes: a bucket that never held it would refuse it for ever. */
const LARGEST_BODY = 16_000_000;

/** Requests a second of a client, and what its cost is worth. */
export function requestsPerSecondOf(principal: Principal, rates: Pick<Rates, 'requestsPerSecond'>): number {
  return principal.requestsPerSecond ?? rates.requestsPerSecond;
}

/** Places in an operation's meter. */
export const REQUESTS = 0;
export const COST = 1;

/** The meter of one class of operations: requests, points. */
export function operationMeter(id: string, operations: OperationClass, perSecond: number, rates: Rates): Meter {
  const costPerSecond = perSecond * rates.costPerRequest;
  return {
    key: `${id} ${operations}`,
    buckets: [
      rate(perSecond),
      { capacity: Math.max(1, Math.round(costPerSecond * rates.costBurstS)), perSecond: costPerSecond },
    ],
  };
}

/** The meter of a route that takes telemetry: requests, bytes, records. */
export function ingestMeter(id: string, path: string, perSecond: number, rates: Rates): Meter {
  const { ingestBytesPerSecond: bytes, ingestRecordsPerSecond: records } = rates;
  return {
    key: `${id} ${path}`,
    buckets: [
      rate(perSecond),
      { capacity: Math.max(LARGEST_BODY, bytes * INGEST_BURST_S), perSecond: bytes },
      { capacity: records * INGEST_BURST_S, perSecond: records },
    ],
  };
}

/** The meter of anything that is counted by requests alone. */
export function requestMeter(id: string, name: string, perSecond: number): Meter {
  return { key: `${id} ${name}`, buckets: [rate(perSecond)] };
}

function rate(perSecond: number): Bucket {
  return { capacity: Math.max(1, Math.round(perSecond)), perSecond };
}
