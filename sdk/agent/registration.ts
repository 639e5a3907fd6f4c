import { traceDigits } from '../telemetry/traceparent.ts';
import { Backoff } from '../wire/backoff.ts';
import type { FleetClient } from '../wire/client.ts';
import { FleetFailure } from '../wire/failure.ts';
import type { AgentState } from '../wire/lifecycle.ts';
import { FIND, REGISTER, ROTATE, type UserError } from '../wire/operations.ts';

/** What an agent says of itself. */
export interface AgentDefinition {
  /** Unique in the fleet. */
  name: string;
  /** What sort of agent it is, 1 to 64 characters. */
  kind: string;
  /** The version of its program, a semantic version where versions are rolled out. */
  version: string;
  /** Where it answers: an address for each name, e.g. `http`. */
  endpoints?: { name: string; url: string }[];
  /** What it can do, by which others find it. */
  capabilities?: string[];
  /** Labels, name to value, by which it is filtered. */
  labels?: Record<string, string>;
  /** The configuration it starts with; the platform's own wins once it has one. */
  config?: Record<string, unknown>;
}

/** What the platform knows an agent as. */
export interface Identity {
  /** Its global id, the same for life. */
  id: string;
  /** Its own token, by which it beats and is given its commands. */
  token: string;
  /** What was asked of it when it registered. */
  desiredState: AgentState;
  /** The configuration it is to work by. */
  config: Record<string, unknown>;
  /** The version of that configuration, from 1. */
  configVersion: number;
}

interface IdentityPayload {
  agent: { id: string; desiredState: AgentState; config: Record<string, unknown> | null; configVersion: number } | null;
  token: string | null;
  userErrors: UserError[];
}

/** The failure that a mutation's first user error states. */
export function refusal(errors: readonly UserError[]): FleetFailure | undefined {
  const first = errors[0];
  return first ? new FleetFailure(first.code, first.message) : undefined;
}

/**
 * Makes an agent known and gets its own token, waiting for the platform as long as it takes. A token is shown once: when it was, because an
 * answer was lost or the agent was here before, a new one is asked for.
 * @throws FleetFailure when the platform refuses (CONFLICT: the name is another's)
 */
export async function register(
  client: FleetClient,
  definition: AgentDefinition,
  signal: AbortSignal,
): Promise<Identity> {
  const clientMutationId = traceDigits(32, client.surroundings.random);
  const { registerAgent } = await patiently(client, signal, () =>
    client.query<{ registerAgent: IdentityPayload }>(REGISTER, { input: { ...definition, clientMutationId } }),
  );
  const refused = refusal(registerAgent.userErrors);
  if (refused && refused.code !== 'SECRET_ALREADY_SHOWN') throw refused;
  if (registerAgent.agent && registerAgent.token) return identity(registerAgent);
  const id = registerAgent.agent?.id ?? (await find(client, definition.name, signal));
  const { rotateAgentToken } = await patiently(client, signal, () =>
    client.query<{ rotateAgentToken: IdentityPayload }>(ROTATE, { input: { id, reason: 'registered again' } }),
  );
  const kept = refusal(rotateAgentToken.userErrors);
  if (kept) throw kept;
  return identity(rotateAgentToken);
}

async function find(client: FleetClient, name: string, signal: AbortSignal): Promise<string> {
  const { agent } = await patiently(client, signal, () =>
    client.query<{ agent: { id: string } | null }>(FIND, { name }),
  );
  if (!agent) throw new FleetFailure('NOT_FOUND', `agent ${name} was registered and is gone`);
  return agent.id;
}

function identity({ agent, token }: IdentityPayload): Identity {
  if (!agent || !token) throw new FleetFailure('INTERNAL', 'the platform gave no agent or no token');
  return {
    id: agent.id,
    token,
    desiredState: agent.desiredState,
    config: agent.config ?? {},
    configVersion: agent.configVersion,
  };
}

/** Tries until it succeeds, fails for good, or is given up by the signal. */
export async function patiently<Result>(
  client: FleetClient,
  signal: AbortSignal,
  attempt: () => Promise<Result>,
): Promise<Result> {
  const { surroundings } = client;
  const backoff = new Backoff(surroundings.random);
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      const failure = error as FleetFailure;
      if (!failure.retryable || signal.aborted) throw failure;
      await surroundings.sleep(backoff.next(failure.retryAfterMs), signal);
      if (signal.aborted) throw failure;
    }
  }
}
