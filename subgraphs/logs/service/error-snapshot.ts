import { nodeId, readNodeId } from '../../../lib/node-id.ts';
import { Agent, ErrorGroup, type ErrorGroupFilter, ErrorGroupState, Trace } from '../entity/index.ts';
import { SEVERITIES } from '../store/index.ts';

/** A group of errors as events keep it: JSON, other houses' nodes by their ids. */
export type ErrorSnapshot = Omit<ErrorGroup, 'agents' | 'trace' | 'resolvedAt'> & {
  agents: string[];
  trace: string | null;
  resolvedAt: string | null;
};

export function snapshotOf({ agents, trace, resolvedAt, ...group }: ErrorGroup): ErrorSnapshot {
  return {
    ...group,
    agents: agents.map(({ id }) => id),
    trace: trace?.traceId ?? null,
    resolvedAt: resolvedAt?.toISOString() ?? null,
  };
}

export function revive({ agents, trace, resolvedAt, ...group }: ErrorSnapshot): ErrorGroup {
  return Object.assign(new ErrorGroup(), {
    ...group,
    agents: agents.map((id) => Agent.of(id)),
    trace: trace === null ? null : Trace.of(trace),
    resolvedAt: resolvedAt === null ? null : new Date(resolvedAt),
  });
}

/** The group once it is said to be mended, or not to be. */
export function withResolution(
  group: ErrorGroup,
  resolution: Pick<ErrorGroup, 'resolvedAt' | 'resolvedBy' | 'resolvedInVersion'> | null,
): ErrorGroup {
  const none = { resolvedAt: null, resolvedBy: null, resolvedInVersion: null };
  const state = resolution ? ErrorGroupState.RESOLVED : ErrorGroupState.UNRESOLVED;
  return Object.assign(new ErrorGroup(), group, resolution ?? none, { state });
}

/** Tells whether a group is one of those that are followed. */
export function groupMatcher(
  { ids, codes, services, agentIds, minSeverity }: ErrorGroupFilter,
  states: readonly ErrorGroupState[] | null | undefined,
): (group: ErrorSnapshot) => boolean {
  const agents = agentIds?.map(agentNode);
  const least = minSeverity ? rankOfSeverity(minSeverity) : 0;
  return (group) =>
    (!ids || ids.includes(group.id)) &&
    (!codes || (group.code !== null && codes.includes(group.code))) &&
    (!services || services.some((service) => group.services.includes(service))) &&
    (!agents || agents.some((agent) => group.agents.includes(agent))) &&
    rankOfSeverity(group.severity) >= least &&
    (!states || states.includes(group.state));
}

function rankOfSeverity(severity: ErrorGroup['severity']): number {
  return SEVERITIES.indexOf(severity);
}

/** An agent may be named by its bare uuid. */
function agentNode(id: string): string {
  return readNodeId(id)?.type === 'Agent' ? id : nodeId('Agent', id);
}
