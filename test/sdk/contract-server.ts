import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

type Json = Record<string, unknown>;
type Call = { query: string; variables: Json; token: string; lastEventId: string | undefined };
type Answer = { status?: number; headers?: Record<string, string>; body: unknown };
/** Speaks one root field of the contract; gives what stands under it, or the whole answer. */
export type Field = (call: Call) => unknown;

interface KnownAgent {
  id: string;
  name: string;
  token: string;
  desiredState: string;
  config: Json;
  configVersion: number;
  beats: Json[];
  commands: Json[];
}

/** A whole HTTP answer rather than a field's value. */
export class Whole {
  constructor(readonly answer: Answer) {}
}

/** A platform's public port for tests of its clients: real HTTP, the contract's names, as much state as a conversation needs. */
export class ContractServer {
  readonly agents = new Map<string, KnownAgent>();
  readonly completed: Json[] = [];
  readonly bodies: { signal: string; body: string; token: string }[] = [];
  readonly calls: Call[] = [];
  readonly fields: Record<string, Field> = {};
  readonly streams = new Set<ServerResponse>();
  /** Answers before anything else does; undefined lets the request through. */
  gate: (path: string, body: string, token: string) => Answer | 'cut' | undefined = () => undefined;
  beatEveryMs = 50;
  #server: Server;
  #tokens = 0;
  #port = 0;

  constructor() {
    this.#server = createServer((request, response) => void this.#serve(request, response));
    Object.assign(this.fields, this.#agentFields());
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  async start(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(this.#port, '127.0.0.1', resolve));
    this.#port = (this.#server.address() as AddressInfo).port;
  }

  async stop(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.#server.closeAllConnections();
    this.streams.clear();
    await closed;
    this.#server = createServer((request, response) => void this.#serve(request, response));
  }

  agent(name: string): KnownAgent {
    const found = [...this.agents.values()].find((agent) => agent.name === name);
    if (!found) throw new Error(`no agent ${name} has registered`);
    return found;
  }

  /** Every record of a signal that was answered with 200, in order. */
  records(signal: string): Json[] {
    const walk = {
      logs: ['resourceLogs', 'scopeLogs', 'logRecords'],
      traces: ['resourceSpans', 'scopeSpans', 'spans'],
    }[signal] ?? ['resourceMetrics', 'scopeMetrics', 'metrics'];
    return this.bodies
      .filter((each) => each.signal === signal)
      .flatMap(({ body }) =>
        walk.reduce<Json[]>((level, key) => level.flatMap((each) => each[key] as Json[]), [JSON.parse(body) as Json]),
      );
  }

  /** Puts an event on every open stream. */
  push(text: string): void {
    for (const stream of this.streams) stream.write(text);
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks).toString();
    const path = request.url ?? '/';
    const token = (request.headers.authorization ?? '').replace('Bearer ', '');
    const refused = this.gate(path, body, token);
    if (refused === 'cut') return void request.socket.destroy();
    if (refused) return send(response, refused);
    if (path.startsWith('/v1/')) {
      this.bodies.push({ signal: path.slice(4), body, token });
      return send(response, { body: {} });
    }
    const { query, variables = {} } = JSON.parse(body) as { query: string; variables?: Json };
    const call: Call = { query, variables, token, lastEventId: request.headers['last-event-id'] as string | undefined };
    this.calls.push(call);
    if (request.headers.accept === 'text/event-stream' && !this.fields[fieldOf(query)]) {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(':\n\n');
      this.streams.add(response);
      return;
    }
    this.#answer(response, call);
  }

  #answer(response: ServerResponse, call: Call): void {
    const name = fieldOf(call.query);
    const unknown = { errors: [{ message: `no field ${name}`, extensions: { code: 'BAD_INPUT' } }] };
    const field = this.fields[name] ?? (() => new Whole({ body: unknown }));
    const value = field(call);
    send(response, value instanceof Whole ? value.answer : { body: { data: { [name]: value } } });
  }

  #agentFields(): Record<string, Field> {
    const identity = (agent: KnownAgent, token: string | null) => ({ agent, token, userErrors: [] });
    return {
      registerAgent: ({ variables }) => {
        const { name, config = {} } = variables['input'] as { name: string; config?: Json };
        const known = [...this.agents.values()].find((agent) => agent.name === name);
        if (known) return identity(known, null);
        const token = `agent-token-${++this.#tokens}`;
        const agent = {
          id: `id-${name}`,
          name,
          token,
          desiredState: 'RUNNING',
          config,
          configVersion: 1,
          beats: [],
          commands: [],
        };
        this.agents.set(agent.id, agent);
        return identity(agent, token);
      },
      rotateAgentToken: ({ variables }) => {
        const agent = this.agents.get((variables['input'] as { id: string }).id) as KnownAgent;
        agent.token = `agent-token-${++this.#tokens}`;
        return identity(agent, agent.token);
      },
      agent: ({ variables }) =>
        this.agents.get(variables['id'] as string) ??
        [...this.agents.values()].find(({ name }) => name === variables['name']) ??
        null,
      agentBeat: ({ variables }) => this.#beat(variables['input'] as Json),
      agentBeats: ({ variables }) => ({
        beats: (variables['input'] as { beats: Json[] }).beats.map((beat) => this.#beat(beat)),
      }),
      completeCommand: ({ variables }) => {
        const input = variables['input'] as Json;
        this.completed.push(input);
        for (const agent of this.agents.values())
          agent.commands = agent.commands.filter(({ id }) => id !== input['id']);
        return { userErrors: [] };
      },
    };
  }

  #beat(beat: Json): Json {
    const agent = this.agents.get(beat['agentId'] as string);
    const rest = { agentId: beat['agentId'], beatEveryMs: this.beatEveryMs, leaseMs: 6_000 };
    if (!agent) {
      const gone = { code: 'NOT_FOUND', message: 'no such agent', field: ['agentId'] };
      return { ...rest, desiredState: 'RETIRED', configVersion: 0, commands: [], userErrors: [gone] };
    }
    agent.beats.push(beat);
    return {
      ...rest,
      desiredState: agent.desiredState,
      configVersion: agent.configVersion,
      commands: agent.commands,
      userErrors: [],
    };
  }
}

/** The root field of a one-field operation. */
function fieldOf(query: string): string {
  return /\{\s*(?:\w+\s*:\s*)?(\w+)/.exec(query.replace(/\([^)]*\)/g, ''))?.[1] ?? '';
}

function send(response: ServerResponse, { status = 200, headers = {}, body }: Answer): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(typeof body === 'string' ? body : JSON.stringify(body));
}

/** A command as the mailbox gives it. */
export function command(agentId: string, name: string, args: Json = {}, id = `command-${name}`): Json {
  return {
    id,
    cursor: `cursor-${id}`,
    agentId,
    name,
    arguments: args,
    fence: `fence-${id}`,
    issuedAt: '2026-01-01T00:00:00.000Z',
  };
}
