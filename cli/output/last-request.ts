import type { FleetClient } from '../../sdk/index.ts';
import { type ShownTrace, TRACE_FIELDS } from './waterfall.ts';

/** Operations that nobody asked for by hand: the library's own, and those that look at the platform. */
const HOUSEKEEPING = [
  ...['mutation AgentBeat', 'mutation AgentBeats', 'mutation RegisterAgent', 'mutation RotateAgentToken'],
  ...['mutation CompleteCommand', 'query FindAgent', 'query AgentConfig', 'query DevHouses', 'query DevAgents'],
  ...['mutation SeedLogs', 'mutation SeedRule', 'mutation SeedAlert', 'mutation SeedAcknowledgement'],
  ...['mutation SeedResolution', 'mutation SeedSearch'],
  ...['query LastRequest', 'query ShownTrace', 'query DebugAgent', 'query DebugLive', 'query Readiness'],
];
const REQUESTS = `service:fleetgraph.router kind:SERVER ${HOUSEKEEPING.map((name) => `-name:"${name}"`).join(' ')}`;
const LAST = `query LastRequest($filter: TraceFilter) { traces(first: 1, filter: $filter) { nodes { traceId startedAt durationMs } } }`;
const TRACE = `query ShownTrace($traceId: String!) { trace(traceId: $traceId) { ${TRACE_FIELDS} } }`;

export interface LastRequest {
  traceId: string;
  startedAt: string | null;
  durationMs: number | null;
}

/**
 * The newest operation that the router recorded and that somebody asked for.
 * @param ranges how far back is looked, ISO 8601, one after the other until one is found: each span of a stretch is read
 */
export async function lastRequest(client: FleetClient, ranges: readonly string[]): Promise<LastRequest | undefined> {
  for (const last of ranges) {
    const filter = { query: REQUESTS, range: { last } };
    const { traces } = await client.query<{ traces: { nodes: LastRequest[] } | null }>(LAST, { filter });
    if (traces?.nodes[0]) return traces.nodes[0];
  }
  return undefined;
}

/** One trace as it is shown. */
export async function shownTrace(client: FleetClient, traceId: string): Promise<ShownTrace | null> {
  const { trace } = await client.query<{ trace: ShownTrace | null }>(TRACE, { traceId });
  return trace;
}
