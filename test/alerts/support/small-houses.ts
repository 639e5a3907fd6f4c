import { buildSubgraphSchema } from '@apollo/subgraph';
import { parse } from 'graphql';
import type { Clock } from '../../../lib/clock.ts';
import { silentLog } from '../../../lib/log.ts';
import { nodeId } from '../../../lib/node-id.ts';
import { type Served, serveHouse } from '../../../lib/serve/house.ts';
import { TEST_SECRET } from '../../support/database.ts';

/** An agent that a small house knows. */
export interface SmallAgent {
  id: string;
  name: string;
  kind: string;
  state: string;
  desiredState: string;
  presence: string;
  health: { score: number };
}

export interface SmallSeries {
  labels: Record<string, string>;
  times: number[];
  values: (number | null)[];
}

/** What the small houses answer with; a test changes it as the fleet would. */
export interface World {
  agents: SmallAgent[];
  /** Log entries counted by group; `traceId` of the newest. */
  logs: { group: string | null; count: number }[];
  traceId: string | null;
  series: SmallSeries[];
  /** What the metrics house says beside its series. */
  warnings: string[];
  /** Filters and queries the houses were asked with. */
  asked: { house: string; variables: Record<string, unknown> }[];
}

const AGENTS = `
  scalar JSON
  input AgentFilter { ids: [ID!] names: [String!] kinds: [String!] presences: [String!] maxHealth: Int }
  type Health { score: Int! }
  type Agent { id: ID! name: String! kind: String! state: String! desiredState: String! health: Health! }
  type PageInfo { hasNextPage: Boolean! endCursor: String }
  type AgentConnection { nodes: [Agent!]! pageInfo: PageInfo! }
  type Query { agents(first: Int, after: String, filter: AgentFilter): AgentConnection }`;

const LOGS = `
  scalar Duration
  enum LogGroup { SEVERITY SERVICE AGENT }
  input TimeRange { last: Duration }
  input LogFilter { minSeverity: String severities: [String!] services: [String!] agentIds: [ID!] range: TimeRange }
  type LogBucket { group: String count: Int! }
  type LogEntry { traceId: String }
  type LogConnection { nodes: [LogEntry!]! }
  type Query {
    logHistogram(filter: LogFilter, step: Duration, maxBuckets: Int, groupBy: LogGroup): [LogBucket!]
    logs(first: Int, filter: LogFilter): LogConnection
  }`;

const METRICS = `
  scalar Duration
  scalar JSON
  input TimeRange { last: Duration }
  input SeriesQuery { metric: String! range: TimeRange maxPoints: Int overTime: String step: Duration window: Duration }
  type Series { labels: JSON! times: [Float!]! values: [Float]! }
  type SeriesResult { series: [Series!]! warnings: [String!]! }
  type Query { series(query: SeriesQuery!): SeriesResult }`;

/** Agents, logs and metrics as the alerts house sees them: real HTTP, signed calls, answers from a `World`. */
export class SmallHouses {
  readonly world: World = { agents: [], logs: [], traceId: null, series: [], warnings: [], asked: [] };
  readonly #served = new Map<string, Served>();

  constructor(private readonly clock: Clock) {}

  async start(): Promise<void> {
    const { world } = this;
    const page = 2;
    await this.#serve('agents', AGENTS, {
      agents: (_: unknown, { filter, after }: { filter: Record<string, never>; after?: string }) => {
        world.asked.push({ house: 'agents', variables: filter });
        const all = world.agents.filter((agent) => matches(agent, filter));
        const from = Number(after ?? 0);
        const more = all.length > from + page;
        return { nodes: all.slice(from, from + page), pageInfo: { hasNextPage: more, endCursor: String(from + page) } };
      },
    });
    await this.#serve('logs', LOGS, {
      logHistogram: (_: unknown, variables: Record<string, unknown>) => {
        world.asked.push({ house: 'logs', variables });
        return world.logs;
      },
      logs: () => ({ nodes: world.traceId ? [{ traceId: world.traceId }] : [] }),
    });
    await this.#serve('metrics', METRICS, {
      series: (_: unknown, { query }: { query: Record<string, unknown> }) => {
        world.asked.push({ house: 'metrics', variables: query });
        return { series: world.series, warnings: world.warnings };
      },
    });
  }

  get addresses(): Record<string, string> {
    return Object.fromEntries([...this.#served].map(([name, { url }]) => [name, url]));
  }

  /** Stops one house; its port stays closed. */
  async leave(name: string): Promise<void> {
    await this.#served.get(name)?.stop();
  }

  async stop(): Promise<void> {
    for (const served of this.#served.values()) await served.stop();
  }

  async #serve(name: string, sdl: string, query: Record<string, unknown>): Promise<void> {
    const schema = buildSubgraphSchema({ typeDefs: parse(sdl), resolvers: { Query: query } as never });
    const subgraph = { name, schema, context: (call: never) => ({ call }) };
    this.#served.set(name, await serveHouse(subgraph, { secret: TEST_SECRET, clock: this.clock, log: silentLog }));
  }
}

interface SmallFilter {
  ids?: string[];
  names?: string[];
  kinds?: string[];
  presences?: string[];
  maxHealth?: number;
}

function matches(agent: SmallAgent, filter: SmallFilter): boolean {
  return (
    (!filter.ids || filter.ids.includes(agent.id)) &&
    (!filter.names || filter.names.includes(agent.name)) &&
    (!filter.kinds || filter.kinds.includes(agent.kind)) &&
    (!filter.presences || filter.presences.includes(agent.presence)) &&
    (filter.maxHealth === undefined || agent.health.score <= filter.maxHealth)
  );
}

/** The global id of a test's agent. */
export function agentId(number: number): string {
  return nodeId('Agent', `019a0000-0000-7000-8000-${String(number).padStart(12, '0')}`);
}

/** An agent that is well. */
export function anAgent(number: number, changes: Partial<SmallAgent> = {}): SmallAgent {
  const name = `agent-${number}`;
  const well = {
    kind: 'writer',
    state: 'RUNNING',
    desiredState: 'RUNNING',
    presence: 'ONLINE',
    health: { score: 100 },
  };
  return { id: agentId(number), name, ...well, ...changes };
}
