import { createHash } from 'node:crypto';
import type { ClientUsage } from '../callers/usage.ts';
import type { Circuit } from '../guard/circuit.ts';
import type { Guard } from '../guard/guard.ts';

/** What of the router does not change while it runs. */
export interface RouterFacts {
  version: string;
  supergraphHash: string;
  loadedAtMs: number;
}

/** @param supergraphSdl hashed, so that two routers can be told to have the same */
export function routerFacts(version: string, supergraphSdl: string, loadedAtMs: number): RouterFacts {
  return { version, supergraphHash: createHash('sha256').update(supergraphSdl).digest('hex'), loadedAtMs };
}

/** SubgraphStatus as the schema has it. */
export function subgraphStatus(circuit: Circuit, nowMs: number) {
  const { state } = circuit;
  const since = new Date(state.sinceMs);
  const figures = circuit.figures();
  return {
    name: circuit.subgraph,
    breaker: {
      state: state.phase,
      override: state.override,
      since,
      failureRatio: circuit.failureRatio,
      nextProbeAt: state.nextProbeAtMs === undefined ? null : new Date(state.nextProbeAtMs),
      reason: state.reason ?? null,
    },
    replicas: circuit.replicas.map((replica) => ({
      url: replica.url,
      healthy: replica.isHealthy,
      inFlight: replica.inFlight,
      p50Ms: replica.p50Ms(nowMs),
      since: new Date(replica.state.sinceMs),
    })),
    limitPerSecond: circuit.limitPerSecond,
    ...figures,
  };
}

/** Every subgraph's status, by name. */
export function subgraphStatuses(guard: Guard, nowMs: number) {
  return [...guard.circuits.values()]
    .sort((one, other) => one.subgraph.localeCompare(other.subgraph))
    .map((circuit) => subgraphStatus(circuit, nowMs));
}

/** ClientUsage as the schema has it. */
export function clientStatus({ principal: { id, kind, name }, ...usage }: ClientUsage) {
  return { client: { id, kind, name }, ...usage };
}
