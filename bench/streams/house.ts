import { type ChildProcess, fork } from 'node:child_process';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { freePort } from '../../lib/postgres/local.ts';
import { composeSupergraph } from '../../router/compose.ts';

const LINK = 'extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key"])';
const SDL: Record<string, string> = {
  sea: `type Move { cursor: String! sentMs: Float! ship: Ship! filler: String }
    type Ship @key(fields: "id") { id: ID! }
    type Query { sea: Int }
    type Subscription { moved(after: String): Move }`,
  crews: 'type Ship @key(fields: "id") { id: ID! crew: String } type Query { crews: Int }',
  ports: 'type Ship @key(fields: "id") { id: ID! port: String } type Query { ports: Int }',
};
const SHIPS = 200;
const TICK_MS = 10;

/** A subgraph whose stream goes at the rate that is asked, and that answers for entities. */
export class House {
  readonly #readers = new Set<ServerResponse>();
  #events = 0;
  #timer: NodeJS.Timeout | undefined;
  readonly #server = createServer((asked, response) => void this.#answer(asked, response));

  listen(): Promise<void> {
    return new Promise((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/graphql`;
  }

  close(): void {
    this.stop();
    this.#server.closeAllConnections();
    this.#server.close();
  }

  get events(): number {
    return this.#events;
  }

  /** Upstreams that run now. */
  get readers(): number {
    return this.#readers.size;
  }

  start(perSecond: number, filler?: string): void {
    const startedMs = performance.now();
    let sent = 0;
    this.#timer = setInterval(() => {
      for (; sent < ((performance.now() - startedMs) / 1_000) * perSecond; sent += 1) this.#tell(filler);
    }, TICK_MS);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #tell(filler: string | undefined): void {
    this.#events += 1;
    const cursor = `c${this.#events}`;
    const ship = { __typename: 'Ship', id: String(this.#events % SHIPS) };
    const moved = { cursor, sentMs: Date.now(), ship, ...(filler === undefined ? {} : { filler }) };
    const text = `event: next\nid: ${cursor}\ndata: ${JSON.stringify({ data: { moved } })}\n\n`;
    for (const reader of this.#readers) reader.write(text);
  }

  async #answer(asked: IncomingMessage, response: ServerResponse): Promise<void> {
    if (asked.headers.accept?.startsWith('text/event-stream')) {
      asked.resume();
      response.writeHead(200, { 'content-type': 'text/event-stream' }).write(':\n\n');
      this.#readers.add(response);
      response.once('close', () => this.#readers.delete(response));
      return;
    }
    let body = '';
    for await (const chunk of asked.setEncoding('utf8')) body += chunk;
    const { variables = {} } = JSON.parse(body) as { variables?: Record<string, { id: string }[]> };
    const [representations = []] = Object.values(variables);
    const _entities = representations.map(({ id }) => ({ __typename: 'Ship', crew: `crew ${id}`, port: `port ${id}` }));
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ data: { _entities } }));
  }
}

/** A router of its own process. */
export interface Router {
  url: string;
  child: ChildProcess;
}

/** @param crews where that subgraph is, if not at the house */
export async function startRouter(house: string, crews = house): Promise<Router> {
  const file = path.join(mkdtempSync(path.join(tmpdir(), 'fleetgraph-bench-')), 'supergraph.graphql');
  const sources = Object.entries(SDL).map(([name, sdl]) => ({
    name,
    url: name === 'crews' ? crews : house,
    sdl: `${LINK}\n${sdl}`,
  }));
  writeFileSync(file, composeSupergraph(sources));
  const port = await freePort();
  const env = {
    ...process.env,
    SUPERGRAPH_PATH: file,
    PORT: String(port),
    ROUTER_MODE: 'bench',
    FLEET_LOG_LEVEL: 'error',
  };
  const child = fork(path.join(__dirname, '../../router/main.js'), {
    env,
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  const url = `http://127.0.0.1:${port}`;
  await when(async () => (await fetch(`${url}/health`).catch(() => undefined))?.ok === true);
  return { url, child };
}

export async function when(condition: () => boolean | Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 600; tries += 1) {
    if (await condition()) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`this did not become true: ${condition.toString()}`);
}

/** One reader that only looks at when its events were sent. */
export function subscribe(router: Router, query: string, take: (sentMs: number) => void, reads = true) {
  const asked = request(`${router.url}/graphql`, {
    method: 'POST',
    agent: false,
    headers: { 'content-type': 'application/json', accept: 'text/event-stream' },
  });
  asked.on('error', () => undefined);
  asked.end(JSON.stringify({ query }));
  asked.once('response', (response) => {
    if (!reads) return;
    let rest = '';
    response.setEncoding('latin1').on('data', (piece: string) => {
      const lines = (rest + piece).split('\n');
      rest = lines.pop() as string;
      for (const line of lines) {
        const at = line.startsWith('data:') ? line.indexOf('"sentMs":') : -1;
        if (at >= 0) take(Number.parseFloat(line.slice(at + 9)));
      }
    });
  });
  return { stop: () => asked.destroy() };
}

/** CPU the router took so far, milliseconds, and its memory, MB. */
export function used({ child }: Router): { cpuMs: number; rssMb: number } {
  const fields = readFileSync(`/proc/${child.pid}/stat`, 'latin1').split(') ')[1]?.split(' ') ?? [];
  const rss = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, 'latin1'))?.[1];
  return { cpuMs: (Number(fields[11]) + Number(fields[12])) * 10, rssMb: Number(rss) / 1_024 };
}
