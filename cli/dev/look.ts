import { type FleetClient, FleetFailure } from '../../sdk/index.ts';
import { type LastRequest, lastRequest, shownTrace } from '../output/last-request.ts';
import type { House, Tell } from './told.ts';

const HOUSES = `query DevHouses { router { subgraphs { name breaker { state } replicas { healthy } } } }`;
const AGENT = 'name state presence health { score }';
/** The demo's own are no news to whoever writes an agent. */
const FILTER = { labels: [{ name: 'fleet.demo', op: 'NE', value: 'true' }] };
const AGENTS = `query DevAgents($filter: AgentFilter) { agents(first: 20, filter: $filter) { changeCursor nodes { ${AGENT} } } }`;
const CHANGES = `subscription DevAgents($filter: AgentFilter, $after: String) { agentChanged(filter: $filter, after: $after) { cursor node { ${AGENT} } } }`;

const EVERY_MS = 2_000;
/** Each process sends its spans once a second: a trace is whole a little later. */
const WHOLE_MS = 2_500;
const RANGES = ['PT1M'];

interface AgentRow {
  name: string;
  state: string;
  presence: string;
  health: { score: number };
}

interface Subgraph {
  name: string;
  breaker: { state: string };
  replicas: { healthy: boolean }[];
}

/** Looks at the platform while an agent is written: houses, agents, the last request. Tells what is new. */
export class Look {
  #isAway = false;
  #houses = '';
  #agents = new Map<string, string>();
  #shown: string | undefined;

  constructor(
    private readonly client: FleetClient,
    private readonly tell: Tell,
    private readonly signal: AbortSignal,
  ) {}

  /** Looks until the signal. A platform that is away is told once, and again when it is back. */
  async run(): Promise<void> {
    await Promise.all([this.#poll(), this.#follow()]);
  }

  async #poll(): Promise<void> {
    const { surroundings } = this.client;
    // What was asked before is not the last request of this session.
    const before = await this.#lastRequest();
    this.#shown = before?.traceId;
    while (!this.signal.aborted) {
      try {
        await this.#lookAtHouses();
        await this.#lookAtRequests();
        if (this.#isAway) this.tell({ event: 'platform.back' });
        this.#isAway = false;
      } catch (error) {
        this.#away(error);
      }
      await surroundings.sleep(EVERY_MS, this.signal);
    }
  }

  async #lookAtHouses(): Promise<void> {
    const { router } = await this.client.query<{ router: { subgraphs: Subgraph[] } | null }>(HOUSES);
    const houses: House[] = (router?.subgraphs ?? []).map(({ name, breaker, replicas }) => ({
      name,
      breaker: breaker.state,
      isHealthy: replicas.some(({ healthy }) => healthy),
    }));
    const text = JSON.stringify(houses);
    if (text === this.#houses) return;
    this.#houses = text;
    this.tell({ event: 'houses', houses });
  }

  async #lookAtRequests(): Promise<void> {
    const last = await this.#lastRequest();
    if (!last || last.traceId === this.#shown) return;
    const endedMs = Date.parse(last.startedAt ?? '') + (last.durationMs ?? 0);
    if (this.client.surroundings.nowMs() - endedMs < WHOLE_MS) return;
    const trace = await shownTrace(this.client, last.traceId);
    this.#shown = last.traceId;
    if (trace && !this.signal.aborted) this.tell({ event: 'request', trace });
  }

  /** A house that cannot say is seen among the houses: it is no platform that is away. */
  async #lastRequest(): Promise<LastRequest | undefined> {
    try {
      return await lastRequest(this.client, RANGES);
    } catch (error) {
      if (error instanceof FleetFailure) return undefined;
      throw error;
    }
  }

  async #follow(): Promise<void> {
    const { surroundings } = this.client;
    while (!this.signal.aborted) {
      try {
        const { agents } = await this.client.query<{ agents: { changeCursor: string; nodes: AgentRow[] } | null }>(
          AGENTS,
          { filter: FILTER },
        );
        for (const agent of agents?.nodes ?? []) this.#agent(agent);
        const options = { signal: this.signal, ...(agents ? { after: agents.changeCursor } : {}) };
        const changes = this.client.subscribe<{ agentChanged: { node: AgentRow } | null }>(
          CHANGES,
          { filter: FILTER },
          options,
        );
        for await (const { data } of changes) if (data?.agentChanged) this.#agent(data.agentChanged.node);
      } catch (error) {
        this.#away(error);
        await surroundings.sleep(EVERY_MS, this.signal);
      }
    }
  }

  #agent({ name, state, presence, health }: AgentRow): void {
    const text = `${state} ${presence}`;
    if (this.#agents.get(name) === text || this.signal.aborted) return;
    this.#agents.set(name, text);
    this.tell({ event: 'agent', name, state, presence, health: health.score });
  }

  #away(error: unknown): void {
    if (!(error instanceof FleetFailure)) throw error;
    if (this.#isAway || this.signal.aborted) return;
    this.#isAway = true;
    this.tell({ event: 'platform.away', reason: error.message });
  }
}
