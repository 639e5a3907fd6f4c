import { randomUUID } from 'node:crypto';
import type { Principal } from '../../lib/call/principal.ts';
import type { Call } from '../../lib/call/signing.ts';
import type { Clock } from '../../lib/clock.ts';
import { systemClock } from '../../lib/clock.ts';
import { agentsSubgraph, entities } from '../../subgraphs/agents/index.ts';
import { type AnyShape, callOf, startTestHouse, type TestHouse, type TestHouseOptions } from '../support/house.ts';

/** A clock that a test can move. */
export interface MovableClock extends Clock {
  skip(ms: number): void;
}

export function movableClock(): MovableClock {
  let aheadMs = 0;
  return {
    ...systemClock,
    nowMs: () => systemClock.nowMs() + aheadMs,
    skip: (ms) => {
      aheadMs += ms;
    },
  };
}

export function startAgents(options: Partial<TestHouseOptions> = {}): Promise<TestHouse> {
  return startTestHouse({ name: 'agents', entities, make: agentsSubgraph, ...options });
}

export const OPERATOR: Principal = { id: 'operator', kind: 'PERSON', name: 'Olga', scopes: ['operator'] };
export const VIEWER: Principal = { id: 'viewer', kind: 'PERSON', name: 'Vera', scopes: ['viewer'] };
/** A script that may register agents and speak for those, and no more. */
export const SCRIPT: Principal = { id: 'script', kind: 'SCRIPT', name: 'deploy', scopes: ['agent'] };

export interface TestAgent {
  id: string;
  name: string;
  token: string;
  /** The agent itself, calling. */
  itself: Principal;
}

/** What tests ask of the house. */
export class AgentsDriver {
  #sequence = 0;

  constructor(readonly house: TestHouse) {}

  async register(input: object = {}, principal: Principal = SCRIPT): Promise<TestAgent> {
    const name = `agent-${randomUUID()}`;
    const { registerAgent } = await this.do(
      'mutation ($input: RegisterAgentInput!) { registerAgent(input: $input) { agent { id name } token userErrors { code message field } } }',
      { input: { name, kind: 'worker', version: '1.0.0', ...input } },
      { principal },
    );
    const { agent, token } = registerAgent;
    const itself: Principal = { id: agent.id, kind: 'AGENT', name: agent.name, scopes: ['agent'], agentId: agent.id };
    return { id: agent.id, name: agent.name, token, itself };
  }

  /** Asks and gives the data. @throws when the answer has errors */
  async do(query: string, variables: object = {}, call: Partial<Call> = {}): Promise<AnyShape> {
    const { data, errors } = await this.house.ask(query, variables, call);
    if (errors) throw new Error(JSON.stringify(errors));
    return data;
  }

  async beat(agent: TestAgent, beat: object = {}, principal: Principal = agent.itself): Promise<AnyShape> {
    this.#sequence += 1;
    const { agentBeat } = await this.do(
      `mutation ($input: AgentBeatInput!) { agentBeat(input: $input) {
         agentId beatEveryMs leaseMs desiredState configVersion
         commands { id cursor agentId name arguments fence issuedAt issuedBy { id kind name } completedAt outcome }
         userErrors { code message field } } }`,
      { input: { agentId: agent.id, sequence: this.#sequence, state: 'RUNNING', ...beat } },
      { principal },
    );
    return agentBeat;
  }

  /** Does one of the moves of an agent's life. */
  async act(action: string, id: string, more: object = {}, principal: Principal = OPERATOR): Promise<AnyShape> {
    const data = await this.do(
      `mutation ($input: AgentActionInput!) { ${action}Agent(input: $input) {
         agent { id state desiredState configVersion } userErrors { code message field } auditEntry { id } } }`,
      { input: { id, ...more } },
      { principal },
    );
    return data[`${action}Agent`];
  }

  async agent(id: string, fields = 'name state desiredState presence restarts'): Promise<AnyShape> {
    const { agent } = await this.do(`query ($id: ID!) { agent(id: $id) { ${fields} } }`, { id });
    return agent;
  }

  /** Audit entries of one target, oldest first. */
  async entries(targetId: string): Promise<AnyShape[]> {
    const rows: { entry: AnyShape }[] = await this.house.runtime.database.query(
      `select entry from audit_outbox where entry->>'targetId' = $1 order by seq`,
      [targetId],
    );
    return rows.map(({ entry }) => entry);
  }

  /** Opens a subscription. */
  async subscribe(query: string, variables: object = {}, call: Partial<Call> = {}): Promise<Live> {
    const cut = new AbortController();
    const response = await this.house.client.open('POST /graphql', {
      call: callOf(call),
      headers: { accept: 'text/event-stream' },
      body: JSON.stringify({ query, variables }),
      signal: cut.signal,
    });
    const live: Live = { payloads: [], errors: [], ids: [], end: () => cut.abort() };
    response.setEncoding('utf8');
    let text = '';
    response.on('error', () => undefined);
    response.on('data', (chunk: string) => {
      text += chunk;
      const blocks = text.split('\n\n');
      text = blocks.pop() as string;
      for (const block of blocks) take(block, live);
    });
    return live;
  }
}

export interface Live {
  payloads: AnyShape[];
  errors: AnyShape[];
  ids: string[];
  end(): void;
}

function take(block: string, live: Live): void {
  const lines = block.split('\n');
  const data = lines.find((line) => line.startsWith('data: '));
  const id = lines.find((line) => line.startsWith('id: '));
  if (!lines.includes('event: next') || !data) return;
  const answer = JSON.parse(data.slice(6));
  if (id) live.ids.push(id.slice(4));
  if (answer.errors) live.errors.push(...answer.errors);
  if (answer.data) live.payloads.push(Object.values(answer.data)[0]);
}
