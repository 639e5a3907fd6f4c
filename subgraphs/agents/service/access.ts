import { hasScope, type Principal } from '../../../lib/call/principal.ts';
import { FleetError } from '../../../lib/errors.ts';

interface Owned {
  id: string;
  ownerId: string;
}

/** Whether the caller is the agent itself, or who registered it. */
export function owns(principal: Principal, agent: Owned): boolean {
  return principal.agentId ? principal.agentId === agent.id : principal.id === agent.ownerId;
}

/** Whether the caller may read of an agent. One with scope `agent` alone reads itself, or those it registered. */
export function mayRead(principal: Principal, agent: Owned): boolean {
  return hasScope(principal, 'viewer') || owns(principal, agent);
}

/** Whether the caller may speak for an agent. */
export function maySpeakFor(principal: Principal, agent: Owned): boolean {
  return hasScope(principal, 'operator') || owns(principal, agent);
}

/** @throws FORBIDDEN when the caller may not speak for this agent */
export function assertSpeaksFor(principal: Principal, agent: Owned): void {
  if (!maySpeakFor(principal, agent)) throw new FleetError('FORBIDDEN', 'an agent speaks for itself only');
}
