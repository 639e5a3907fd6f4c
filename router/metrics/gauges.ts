import { Counter, Gauge, type Registry } from 'prom-client';
import type { CacheSize, Engine } from '../engine.ts';
import type { SharedCalls } from '../execute/shared-calls.ts';
import type { Guard } from '../guard/guard.ts';
import type { LiveStreams } from '../http/live-streams.ts';

/** Everything that is read at a scrape. */
export interface Measured {
  engine: Engine;
  /** Every cache of the router, by name. */
  caches(): Readonly<Record<string, CacheSize>>;
  guard: Guard;
  streams: LiveStreams;
  shared: SharedCalls;
  sockets: () => number;
  spool: { waiting: number; dropped: number } | undefined;
}

/** A figure with its labels. */
export type Reading = readonly [labels: Record<string, string>, value: number];

/** A metric that is read, not kept. */
export interface ReadMetric {
  /** Without `fleet_router_`, with its unit; of a counter with `_total`. */
  name: string;
  help: string;
  labelNames?: readonly string[];
  read(): Iterable<Reading>;
}

/** Registers a gauge whose readings are taken at each scrape; those that are gone are not told again. */
export function gauge(registry: Registry, { name, help, labelNames = [], read }: ReadMetric): void {
  const made: Gauge = new Gauge({
    name: `fleet_router_${name}`,
    help,
    labelNames: [...labelNames],
    registers: [registry],
    collect: () => {
      made.reset();
      for (const [labels, value] of read()) made.set(labels, value);
    },
  });
}

/** Registers a counter that somebody else keeps. */
export function counter(registry: Registry, { name, help, labelNames = [], read }: ReadMetric): void {
  const made: Counter = new Counter({
    name: `fleet_router_${name}`,
    help,
    labelNames: [...labelNames],
    registers: [registry],
    collect: () => {
      made.reset();
      for (const [labels, value] of read()) made.inc(labels, value);
    },
  });
}

export function registerGauges(registry: Registry, measured: Measured): void {
  cacheMetrics(registry, () => measured.caches());
  const { streams, shared, sockets, spool } = measured;
  const one = (read: () => number) => (): Reading[] => [[{}, read()]];
  gauge(registry, { name: 'subscriptions', help: 'Running subscriptions.', read: one(() => streams.operations) });
  counter(registry, {
    name: 'shared_calls_total',
    help: 'Queries that were not sent to a subgraph, because an equal one was under way.',
    labelNames: ['subgraph'],
    read: () => [...shared.saved].map(([subgraph, count]) => [{ subgraph }, count] as const),
  });
  counter(registry, {
    name: 'slow_readers_total',
    help: 'Streams that were cut because their readers fell behind.',
    read: one(() => streams.slow),
  });
  gauge(registry, {
    name: 'streams_waiting',
    help: 'Streams that wait until they may be opened.',
    read: one(() => streams.gate.size),
  });
  counter(registry, {
    name: 'streams_refused_total',
    help: 'Streams that were sent away because too many were being opened.',
    read: one(() => streams.gate.refused),
  });
  gauge(registry, { name: 'sockets', help: 'Authenticated WebSockets.', read: one(sockets) });
  gauge(registry, {
    name: 'audit_spool_entries',
    help: 'Denials that wait to be audited.',
    read: one(() => spool?.waiting ?? 0),
  });
  counter(registry, {
    name: 'audit_spool_dropped_total',
    help: 'Denials that could not be kept until they were audited.',
    read: one(() => spool?.dropped ?? 0),
  });
}

function cacheMetrics(registry: Registry, caches: () => Readonly<Record<string, CacheSize>>): void {
  const of = (name: string, help: string, figure: (size: CacheSize) => number): ReadMetric => ({
    name,
    help,
    labelNames: ['cache'],
    read: () => Object.entries(caches()).map(([cache, size]) => [{ cache }, figure(size)] as const),
  });
  gauge(
    registry,
    of('cache_entries', 'What a cache holds.', ({ entries }) => entries),
  );
  gauge(
    registry,
    of('cache_bytes', 'What a cache weighs, estimated.', ({ sizeBytes }) => sizeBytes),
  );
  counter(
    registry,
    of('cache_hits_total', 'Times that a cache had what was asked for.', ({ hits }) => hits),
  );
  counter(
    registry,
    of('cache_misses_total', 'Times that it had not.', ({ misses }) => misses),
  );
}
