/** What a caller may do. `admin` includes all others; `operator` includes `viewer`. */
export const SCOPES = ['viewer', 'operator', 'admin', 'agent', 'auditor', 'schema:read'] as const;
export type Scope = (typeof SCOPES)[number];

export type ActorKind = 'PERSON' | 'SCRIPT' | 'AGENT' | 'SYSTEM';

/** Who is calling: proved by the router, carried in every signed call. */
export interface Principal {
  /** Stable: `admin`, an API key's id, an agent's node id, `system:<process>`. */
  id: string;
  kind: ActorKind;
  name: string;
  /** As granted; `hasScope` knows what includes what. */
  scopes: readonly Scope[];
  /** The agent's node id when the caller is an agent. */
  agentId?: string;
  /** Which process of the agent its token was given to, counted from 1. */
  incarnation?: number;
  /** Epoch milliseconds after which the credential is void. */
  expiresAtMs?: number;
  /** Requests a second this caller is granted, when it has a rate of its own. */
  requestsPerSecond?: number;
}

const INCLUDES: Partial<Record<Scope, readonly Scope[]>> = {
  admin: SCOPES,
  operator: ['viewer'],
};

/** Whether the principal has the scope, granted or included. */
export function hasScope(principal: Pick<Principal, 'scopes'>, scope: string): boolean {
  return principal.scopes.some((granted) => granted === scope || INCLUDES[granted]?.includes(scope as Scope));
}

/** Whether the principal has any of the scopes. */
export function hasAnyScope(principal: Pick<Principal, 'scopes'>, scopes: readonly string[]): boolean {
  return scopes.some((scope) => hasScope(principal, scope));
}

/** The platform itself, calling from one of its processes. */
export function systemPrincipal(process: string): Principal {
  return { id: `system:${process}`, kind: 'SYSTEM', name: process, scopes: ['admin'] };
}
