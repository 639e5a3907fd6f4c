import { createHash } from 'node:crypto';
import { FleetError } from '../../lib/errors.ts';
import type { ClientUsage } from '../callers/usage.ts';
import type { BreakerMove, CircuitState } from '../guard/circuit.ts';
import type { Guard } from '../guard/guard.ts';
import type { Lane } from '../guard/lane.ts';
import type { Replica } from '../guard/replica.ts';

/** What the router is, and which schema it serves. */
export interface RouterFacts {
  version: string;
  supergraphHash: string;
  loadedAtMs: number;
}

/** Two routers with the same one can be told to have the same schema. */
export function supergraphHash(supergraphSdl: string): string {
  return createHash('sha256').update(supergraphSdl).digest('hex');
}

export function routerFacts(version: string, supergraphSdl: string, loadedAtMs: number): RouterFacts {
  return { version, supergraphHash: supergraphHash(supergraphSdl), loadedAtMs };
}

/** SubgraphStatus as the schema has it. */
export function subgraphStatus({ circuit, bulkhead }: Pick<Lane, 'circuit' | 'bulkhead'>, nowMs: number) {
  const figures = circuit.figures();
  return {
    name: circuit.subgraph,
    breaker: breakerStatus(circuit.state, circuit.failureRatio, circuit.history),
    replicas: circuit.replicas.map((replica) => replicaStatus(replica, nowMs)),
    limitPerSecond: circuit.limitPerSecond,
    inFlight: circuit.inFlight,
    inFlightLimit: bulkhead.limit,
    waiting: bulkhead.waiting,
    ...figures,
  };
}

/** Replica as the schema has it. */
export function replicaStatus(replica: Replica, nowMs: number) {
  const { state } = replica;
  return {
    number: replica.ordinal,
    url: replica.url,
    healthy: replica.isHealthy,
    breaker: breakerStatus(state, replica.failureRatio(nowMs), replica.history),
    inFlight: replica.inFlight,
    p50Ms: replica.p50Ms(nowMs),
    since: new Date(state.sinceMs),
  };
}

/** Breaker as the schema has it. */
function breakerStatus(state: CircuitState, failureRatio: number, history: readonly BreakerMove[]) {
  return {
    state: state.phase,
    override: state.override,
    since: new Date(state.sinceMs),
    failureRatio,
    nextProbeAt: state.nextProbeAtMs === undefined ? null : new Date(state.nextProbeAtMs),
    reason: state.reason ?? null,
    history: ({ first }: { first: number }) => lastMoves(history, first),
  };
}

/** Every subgraph's status, by name. */
export function subgraphStatuses(guard: Guard, nowMs: number) {
  return [...guard.lanes.values()]
    .sort((one, other) => one.subgraph.localeCompare(other.subgraph))
    .map((lane) => subgraphStatus(lane, nowMs));
}

function lastMoves(history: readonly BreakerMove[], first: number) {
  if (first < 0) throw new FleetError('BAD_INPUT', 'first is 0 or more', { field: ['first'] });
  const last = [...history].reverse().slice(0, first);
  return last.map(({ occurredAtMs, from, to, reason, forced }) => {
    return { occurredAt: new Date(occurredAtMs), from, to, reason, forced };
  });
}

/** ClientUsage as the schema has it. */
export function clientStatus({ principal: { id, kind, name }, ...usage }: ClientUsage) {
  return { client: { id, kind, name }, ...usage };
}
