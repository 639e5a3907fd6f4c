import { FleetError } from '../../../lib/errors.ts';
import { AgentPresence } from '../../../lib/graphql/agent-presence.ts';
import type { AgentEndpoint } from '../entity/agent.ts';
import { AgentState } from '../entity/enums.ts';

/** An agent as far as finding it goes. */
export interface Listed {
  uuid: string;
  id: string;
  name: string;
  kind: string;
  version: string;
  labels: Readonly<Record<string, string>>;
  capabilities: readonly string[];
  endpoints: readonly AgentEndpoint[];
  state: AgentState;
  presence: AgentPresence;
  health: number;
}

/** Which endpoints are asked for: of each list any, and all parts must hold. */
export interface EndpointQuery {
  names: readonly string[];
  kinds: readonly string[];
  /** Each is a name or a kind. */
  services: readonly string[];
  versions: readonly string[];
  /** All of these. */
  capabilities: readonly string[];
  labels: readonly (readonly [string, string])[];
  /** Names of endpoints. */
  endpoints: readonly string[];
  minHealth: number;
  /** Also those that are not there, or not at work. */
  all: boolean;
}

const MOST_VALUES = 100;
/** From this score on an agent is HEALTHY. */
const HEALTHY = 80;
const LISTS = {
  names: 'name',
  kinds: 'kind',
  services: 'service',
  versions: 'version',
  capabilities: 'capability',
  endpoints: 'endpoint',
} as const;
const KNOWN: ReadonlySet<string> = new Set([
  ...Object.values(LISTS),
  ...['label', 'minHealth', 'all', 'index', 'wait', 'watch', 'domain'],
]);

/**
 * The query of a request's parameters: `kind=a&kind=b&capability=x&label=zone:eu&minHealth=50`.
 * @throws BAD_INPUT for a parameter that is unknown or cannot be read
 */
export function endpointQueryOf(parameters: URLSearchParams): EndpointQuery {
  const refuse = (sentence: string, name: string): never => {
    throw new FleetError('BAD_INPUT', sentence, { field: [name] });
  };
  for (const name of parameters.keys()) if (!KNOWN.has(name)) refuse(`there is no parameter ${name}`, name);
  if (parameters.size > MOST_VALUES) refuse(`at most ${MOST_VALUES} parameters`, 'parameters');
  const all = parameters.get('all') ?? 'false';
  if (all !== 'true' && all !== 'false') refuse('all is true or false', 'all');
  const minHealth = Number(parameters.get('minHealth') ?? (all === 'true' ? 0 : HEALTHY));
  if (!(minHealth >= 0 && minHealth <= 100)) refuse('minHealth is a number from 0 to 100', 'minHealth');
  const labels = parameters.getAll('label').map((text): [string, string] => {
    const at = text.indexOf(':');
    return at > 0 ? [text.slice(0, at), text.slice(at + 1)] : refuse('a label is name:value', 'label');
  });
  const lists = Object.entries(LISTS).map(([list, parameter]) => [list, parameters.getAll(parameter)]);
  return {
    ...(Object.fromEntries(lists) as Record<keyof typeof LISTS, string[]>),
    labels,
    minHealth,
    all: all === 'true',
  };
}

const among = (values: readonly string[], value: string) => values.length === 0 || values.includes(value);

/** Whether an agent is one of those. */
export function isAsked(query: EndpointQuery, agent: Listed): boolean {
  const { names, kinds, services, versions, capabilities, labels, minHealth, all } = query;
  if (!all && (agent.presence !== AgentPresence.ONLINE || agent.state !== AgentState.RUNNING)) return false;
  return (
    agent.health >= minHealth &&
    among(names, agent.name) &&
    among(kinds, agent.kind) &&
    (among(services, agent.name) || among(services, agent.kind)) &&
    among(versions, agent.version) &&
    capabilities.every((capability) => agent.capabilities.includes(capability)) &&
    labels.every(([name, value]) => Object.hasOwn(agent.labels, name) && agent.labels[name] === value)
  );
}

/** One address of one agent, as it is told. */
export interface FoundEndpoint {
  agentId: string;
  agent: string;
  kind: string;
  version: string;
  endpoint: string;
  url: string;
  health: number;
  state: AgentState;
  presence: AgentPresence;
  labels: Readonly<Record<string, string>>;
  capabilities: readonly string[];
}

/** The addresses of an agent that are asked for. */
export function endpointsOf({ endpoints: named }: EndpointQuery, agent: Listed): FoundEndpoint[] {
  const { id: agentId, name, kind, version, health, state, presence, labels, capabilities } = agent;
  return agent.endpoints
    .filter(({ name: endpoint }) => among(named, endpoint))
    .map(({ name: endpoint, url }) => ({
      ...{ agentId, agent: name, kind, version, endpoint, url },
      ...{ health, state, presence, labels, capabilities },
    }));
}
