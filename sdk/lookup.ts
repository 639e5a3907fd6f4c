import { Backoff } from './wire/backoff.ts';
import type { FleetClient } from './wire/client.ts';
import { FleetFailure } from './wire/failure.ts';
import { EventParser } from './wire/sse.ts';

/** Which agents are looked for; unless told otherwise those alone that are there, at work and healthy. */
export interface LookupQuery {
  /** Exactly this agent. */
  name?: string;
  /** Agents of this kind. */
  kind?: string;
  /** Agents that run this version. */
  version?: string;
  /** All of these. */
  capabilities?: readonly string[];
  /** All of these, name to value. */
  labels?: Readonly<Record<string, string>>;
  /** Name of the endpoint, e.g. `http`. */
  endpoint?: string;
  /** 0 to 100. */
  minHealth?: number;
  /** Also those that are not there or not at work. */
  all?: boolean;
}

/** An address at which an agent answers. */
export interface FoundEndpoint {
  /** Global id of the agent. */
  agentId: string;
  /** The agent’s name. */
  agent: string;
  /** Its kind. */
  kind: string;
  /** The version that it runs. */
  version: string;
  /** Name of the address, e.g. `http`. */
  endpoint: string;
  /** The address. */
  url: string;
  /** The agent’s score, 0 to 100. */
  health: number;
  /** Where the agent is in its life, e.g. RUNNING. */
  state: string;
  /** ONLINE, SUSPECT or OFFLINE. */
  presence: string;
  /** Its labels, name to value. */
  labels: Record<string, string>;
  /** What it can do. */
  capabilities: string[];
}

const PATH = '/discovery/endpoints';

function parametersOf({ capabilities = [], labels = {}, ...plain }: LookupQuery): URLSearchParams {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(plain)) if (value !== undefined) parameters.append(name, String(value));
  for (const capability of capabilities) parameters.append('capability', capability);
  for (const [name, value] of Object.entries(labels)) parameters.append('label', `${name}:${value}`);
  return parameters;
}

/** The endpoints of the agents that are looked for, by agent. @throws FleetFailure */
export async function lookup(client: FleetClient, query: LookupQuery): Promise<FoundEndpoint[]> {
  const response = await client.open(`${PATH}?${parametersOf(query)}`);
  return ((await response.json()) as { endpoints: FoundEndpoint[] }).endpoints;
}

/**
 * As `lookup`, now and after each change; outlives lost connections and restarts of the platform.
 * @throws FleetFailure when the platform refuses for good
 */
export async function* watchEndpoints(
  client: FleetClient,
  query: LookupQuery,
  signal: AbortSignal,
): AsyncGenerator<FoundEndpoint[], void> {
  const { surroundings } = client;
  const backoff = new Backoff(surroundings.random);
  const path = `${PATH}?${parametersOf(query)}&watch=true`;
  while (!signal.aborted) {
    let retryAfterMs: number | undefined;
    try {
      const response = await client.open(path, signal);
      const parser = new EventParser();
      const decoder = new TextDecoder();
      for await (const chunk of response.body ?? []) {
        for (const { data } of parser.push(decoder.decode(chunk, { stream: true }))) {
          if (!data) continue;
          backoff.reset();
          yield (JSON.parse(data) as { endpoints: FoundEndpoint[] }).endpoints;
        }
      }
    } catch (error) {
      if (signal.aborted) return;
      // A stream that was cut is no refusal.
      if (error instanceof FleetFailure && !error.retryable) throw error;
      if (error instanceof FleetFailure) retryAfterMs = error.retryAfterMs;
    }
    if (!signal.aborted) await surroundings.sleep(backoff.next(retryAfterMs), signal);
  }
}
