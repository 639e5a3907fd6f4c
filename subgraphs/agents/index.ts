import { hasScope } from '../../lib/call/principal.ts';
import type { Call } from '../../lib/call/signing.ts';
import { buildSubgraph } from '../../lib/federation.ts';
import type { HouseRuntime } from '../../lib/house.ts';
import { readNodeId } from '../../lib/node-id.ts';
import type { HouseRoute, Subgraph } from '../../lib/subgraph.ts';
import { Agent } from './entity/agent.ts';
import { AgentEvent } from './entity/agent-event.ts';
import { AgentVersion } from './entity/agent-version.ts';
import { AgentCommand } from './entity/command.ts';
import { AgentToken, ApiKey } from './entity/credential.ts';
import { HealthModel } from './entity/health-model.ts';
import { Job, JobTarget } from './entity/job.ts';
import { RecoveryPolicy } from './entity/recovery.ts';
import { Rollout } from './entity/rollout.ts';
import { agentLoaders } from './loaders.ts';
import { AgentResolver } from './resolver/agents.ts';
import { BeatRoad } from './resolver/beat-road/index.ts';
import { ChangeResolver } from './resolver/changes.ts';
import type { AgentsContext } from './resolver/context.ts';
import { CredentialResolver } from './resolver/credentials.ts';
import { discoveryRoutes } from './resolver/discovery.ts';
import { HealthResolver } from './resolver/health.ts';
import { JobResolver, JobTargetResolver } from './resolver/jobs.ts';
import { LifeResolver } from './resolver/lives.ts';
import { MailResolver } from './resolver/mail.ts';
import { PolicyResolver } from './resolver/policies.ts';
import { profileRoutes } from './resolver/profile-routes.ts';
import { ProfileResolver } from './resolver/profiles.ts';
import { RolloutResolver } from './resolver/rollouts.ts';
import { VersionResolver } from './resolver/versions.ts';
import { mayRead } from './service/access.ts';
import { assemble } from './service/assembly.ts';
import type { Credentials } from './service/credentials.ts';

export const entities = [
  ...[Agent, AgentCommand, AgentEvent, AgentToken, AgentVersion, ApiKey],
  ...[HealthModel, Job, JobTarget, RecoveryPolicy, Rollout],
];

/** Agents: who is in the fleet, how each is doing, what is asked of it, and who may call. */
export async function agentsSubgraph(runtime: HouseRuntime): Promise<Subgraph> {
  const { agents, fleet, services, rounds } = assemble(runtime);
  const { access } = runtime;
  const schema = await buildSubgraph({
    access,
    resolvers: [
      AgentResolver,
      ChangeResolver,
      CredentialResolver,
      HealthResolver,
      JobResolver,
      JobTargetResolver,
      LifeResolver,
      MailResolver,
      PolicyResolver,
      ProfileResolver,
      RolloutResolver,
      VersionResolver,
    ],
    references: { Agent: resolveAgent as never, Job: resolveJob as never, Rollout: resolveRollout as never },
  });
  const context = (call: Call): AgentsContext => ({
    call,
    runtime,
    services,
    agents: agentLoaders(agents, fleet, services.profiles),
  });
  const beatRoad = new BeatRoad(schema, access, context);
  return {
    name: 'agents',
    schema,
    context,
    shortcut: (query, operationName) => beatRoad.shortcut(query, operationName),
    routes: {
      'POST /internal/credentials': credentialsRoute(services.credentials),
      ...discoveryRoutes(services.directory),
      ...profileRoutes(services.profiles),
    },
    async start() {
      await rounds.start();
      services.directory.start();
    },
    async stop() {
      await services.directory.stop();
      await rounds.stop();
    },
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

/** A rollout by its id. */
async function resolveRollout({ id }: { id: string }, { services }: AgentsContext): Promise<Rollout | null> {
  const read = readNodeId(id);
  return read?.type === 'Rollout' ? services.rollouts.find(read.uuid) : null;
}

/** A job by its id, for those who may read of all agents. */
async function resolveJob({ id }: { id: string }, { call, services }: AgentsContext): Promise<Job | null> {
  const read = readNodeId(id);
  return read?.type === 'Job' && hasScope(call.principal, 'viewer') ? services.jobs.find(read.uuid) : null;
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
