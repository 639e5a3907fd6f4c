import type { Principal } from '../../../lib/call/principal.ts';
import { type Actor, ActorKind } from '../../../lib/graphql/shared.ts';
import type { EventDraft } from '../../../lib/write/rows.ts';
import { isSecret } from '../../../lib/write/secrets.ts';
import { type Agent, shownOf, snapshotOf } from '../entity/agent.ts';

/** The platform as actor of what it does by itself. */
export const SYSTEM: Actor = { id: 'system:agents', kind: ActorKind.SYSTEM, name: 'agents' };

export function actorOf({ id, kind, name }: Principal): Actor {
  return { id, kind: ActorKind[kind], name };
}

/** A value without what looks like a secret by its name. */
export function withoutSecrets(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutSecrets);
  if (!value || typeof value !== 'object') return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => [name, isSecret(name, item) ? '[redacted]' : withoutSecrets(item)]),
  );
}

/** An agent as audit entries keep it: without secrets, and without what each beat moves. */
export function audited(agent: Agent): Record<string, unknown> {
  const { lastSeenAt: _seen, leaseExpiresAt: _lease, health: _health, ...shown } = shownOf(snapshotOf(agent));
  return { ...shown, config: withoutSecrets(agent.config) };
}

/** The event of an agent that a transaction wrote. */
export function agentEvent(
  agent: Agent,
  previous: Record<string, unknown> | null,
  kind: EventDraft['kind'] = previous ? 'UPDATED' : 'CREATED',
): EventDraft {
  return { type: 'Agent', entityId: agent.uuid, kind, node: snapshotOf(agent), previous };
}
