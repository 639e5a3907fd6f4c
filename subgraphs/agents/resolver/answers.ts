import { AuditEntryReference } from '../../../lib/graphql/references.ts';
import type { WriteOutcome } from '../../../lib/write/writes.ts';
import type { AgentResult } from '../service/registry.ts';
import type { AgentsContext } from './context.ts';
import type { AgentPayload, RegisterAgentPayload } from './payloads.ts';

/** What every payload has of an outcome. */
export function receiptOf({ userErrors, auditEntry }: WriteOutcome<unknown>) {
  return { userErrors, auditEntry: AuditEntryReference.of(auditEntry) };
}

/** The payload of a change of an agent, which is read anew. */
export async function agentPayload(
  context: AgentsContext,
  work: Promise<WriteOutcome<AgentResult>>,
): Promise<AgentPayload> {
  const outcome = await work;
  const uuid = outcome.result?.agent;
  return { agent: uuid ? await context.agents.byUuid.clear(uuid).load(uuid) : null, ...receiptOf(outcome) };
}

/** The same with the token that was made. */
export async function tokenPayload(
  context: AgentsContext,
  work: Promise<WriteOutcome<AgentResult>>,
): Promise<RegisterAgentPayload> {
  const outcome = await work;
  return { ...(await agentPayload(context, Promise.resolve(outcome))), token: outcome.secret ?? null };
}
