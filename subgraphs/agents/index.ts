import { buildSubgraph } from '../../lib/federation.ts';
import type { HouseRuntime } from '../../lib/house.ts';
import { readNodeId } from '../../lib/node-id.ts';
import type { HouseRoute, Subgraph } from '../../lib/subgraph.ts';
import { Agent } from './entity/agent.ts';
import { AgentEvent } from './entity/agent-event.ts';
import { AgentCommand } from './entity/command.ts';
import { AgentToken, ApiKey } from './entity/credential.ts';
import { HealthModel } from './entity/health-model.ts';
import { RecoveryPolicy } from './entity/recovery.ts';
import { agentLoaders } from './loaders.ts';
import { AgentResolver } from './resolver/agents.ts';
import { ChangeResolver } from './resolver/changes.ts';
import type { AgentsContext } from './resolver/context.ts';
import { CredentialResolver } from './resolver/credentials.ts';
import { HealthResolver } from './resolver/health.ts';
import { LifeResolver } from './resolver/lives.ts';
import { MailResolver } from './resolver/mail.ts';
import { PolicyResolver } from './resolver/policies.ts';
import { mayRead } from './service/access.ts';
import { assemble } from './service/assembly.ts';
import type { Credentials } from './service/credentials.ts';

export const entities = [Agent, AgentCommand, AgentEvent, AgentToken, ApiKey, HealthModel, RecoveryPolicy];

/** Agents: who is in the fleet, how each is doing, what is asked of it, and who may call. */
export async function agentsSubgraph(runtime: HouseRuntime): Promise<Subgraph> {
  const { agents, services, rounds } = assemble(runtime);
  return {
    name: 'agents',
    schema: await buildSubgraph({
      access: runtime.access,
      resolvers: [
        AgentResolver,
        ChangeResolver,
        CredentialResolver,
        HealthResolver,
        LifeResolver,
        MailResolver,
        PolicyResolver,
      ],
      references: { Agent: resolveAgent as never },
    }),
    context: (call): AgentsContext => ({ call, runtime, services, agents: agentLoaders(agents) }),
    routes: { 'POST /internal/credentials': credentialsRoute(services.credentials) },
    start: () => rounds.start(),
    stop: () => rounds.stop(),
    ready: () => agents.ready(),
  };
}

/** An agent by either of its keys, as far as the caller may read of it. */
async function resolveAgent(
  { id, name }: { id?: string; name?: string },
  { call, agents }: AgentsContext,
): Promise<Agent | null> {
  const read = id === undefined ? undefined : readNodeId(id);
  const found =
    read?.type === 'Agent'
      ? await agents.byUuid.load(read.uuid)
      : id === undefined && name !== undefined
        ? await agents.byName.load(name)
        : null;
  return found && mayRead(call.principal, found) ? found : null;
}

/** Tells the router who a bearer token is: `{ token }` → 200 `{ principal }`, or 404; `{ tokens }` → 200 `{ principals }`, null for nobody. */
function credentialsRoute(credentials: Credentials): HouseRoute {
  return async ({ body }) => {
    const { token, tokens } = JSON.parse(body.toString()) as { token?: unknown; tokens?: unknown };
    if (Array.isArray(tokens)) {
      const principals = await credentials.principalsOf(tokens.map(String));
      return { status: 200, body: JSON.stringify({ principals }) };
    }
    const principal = typeof token === 'string' ? await credentials.principalOf(token) : undefined;
    return principal ? { status: 200, body: JSON.stringify({ principal }) } : { status: 404, body: '{}' };
  };
}
