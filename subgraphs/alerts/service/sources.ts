import type { HouseClient } from '../../../lib/call/house-client.ts';
import { systemPrincipal } from '../../../lib/call/principal.ts';
import type { Clock } from '../../../lib/clock.ts';
import { FleetError } from '../../../lib/errors.ts';
import type { Sample } from '../entity/alert.ts';
import type { Condition } from '../entity/condition.ts';

/** One thing that breaches a rule's condition. */
export interface Instance {
  /** What it is, whatever it is called now: makes the fingerprint. */
  key: Record<string, string>;
  labels: Record<string, string>;
  value: number | null;
  threshold: number | null;
  samples: Sample[];
  /** Global id of the agent it is about. */
  agentId: string | null;
  traceId: string | null;
  /** One sentence: what was measured, against what. */
  summary: string;
}

/** What an evaluation found. */
export interface Reading {
  breaching: Instance[];
  /** Whether there was anything to look at; false for a metric without values. */
  hasData: boolean;
}

/** Where rules look. */
export interface Sources {
  /** @throws when what it needs to know cannot be learnt now: nothing follows from that for alerts */
  read(condition: Condition, nowMs: number): Promise<Reading>;
  /** uuid of the audit entry of what happened last to an agent, within the last half hour; undefined when nothing is known of it now. */
  causeOf(agentId: string): Promise<string | undefined>;
}

/** An agent as alerts name it. */
export interface KnownAgent {
  id: string;
  name: string;
  kind: string;
  state: string;
  desiredState: string;
  health: { score: number };
}

/** Asks other houses as the platform itself. */
export class Houses {
  constructor(
    private readonly clients: Readonly<Record<string, Pick<HouseClient, 'ask'>>>,
    private readonly clock: Clock,
  ) {}

  async ask<T>(house: string, query: string, variables: object, timeoutMs?: number): Promise<T> {
    const client = this.clients[house];
    if (!client)
      throw new FleetError('SUBGRAPH_UNAVAILABLE', `the address of ${house} is not known here`, { subgraph: house });
    const call = { principal: systemPrincipal('alerts'), requestId: this.clock.uuid() };
    return await client.ask<T>(call, query, variables, timeoutMs);
  }

  /** All agents that match, page by page. */
  async agents(filter: object): Promise<KnownAgent[]> {
    const found: KnownAgent[] = [];
    for (let after: string | null = null, more = true; more; ) {
      const { agents }: AgentsAnswer = await this.ask('agents', AGENTS, { filter, after });
      if (!agents) throw new FleetError('SUBGRAPH_UNAVAILABLE', 'agents gave no list', { subgraph: 'agents' });
      found.push(...agents.nodes);
      more = agents.pageInfo.hasNextPage;
      after = agents.pageInfo.endCursor;
    }
    return found;
  }
}

interface AgentsAnswer {
  agents: { nodes: KnownAgent[]; pageInfo: { hasNextPage: boolean; endCursor: string | null } } | null;
}

const AGENTS = `query AgentsForRules($filter: AgentFilter, $after: String) {
  agents(first: 100, after: $after, filter: $filter) {
    nodes { id name kind state desiredState health { score } }
    pageInfo { hasNextPage endCursor }
  }
}`;
