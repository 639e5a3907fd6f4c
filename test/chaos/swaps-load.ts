import { Agent, request as send } from 'node:http';
import { createClient as createSocketClient } from 'graphql-ws';
import { WebSocket } from 'ws';
import { type Watched, watch } from '../router/schema/support.ts';

const ASKERS = 24;
const PAUSE_MS = 20;
const OPERATIONS = 150;

/** Operations over one to four subgraphs, each with its own name and fields, and what each is answered. */
function operations(subgraphs: number): { query: string; answer: string }[] {
  return Array.from({ length: OPERATIONS }, (_, at) => {
    const [one, other] = [at % subgraphs, (at * 7 + 3) % subgraphs];
    const after = (one + 1) % subgraphs;
    const [f, g] = [`f${at % 10}`, `f${(at + 3) % 10}`];
    const query = `query Q${at} { one: s${one} { id ${f} by${after} next { ${g} } } other: s${other} { ${g}(a: ${at}) } }`;
    const data = {
      one: {
        id: `s${one}`,
        [f]: `${f} of s${one}`,
        [`by${after}`]: `by${after} of s${one}`,
        next: { [g]: `${g} of s${one}-next` },
      },
      other: { [g]: `${g} of s${other}` },
    };
    return { query, answer: JSON.stringify({ data }) };
  });
}

/** Clients that ask all the time; each answer is compared with what it must be. */
export class SwapsLoad {
  readonly wrong: string[] = [];
  /** Of requests, milliseconds, since they were taken last. */
  #tookMs: number[] = [];
  requests = 0;
  #isOver = false;
  #asking: Promise<unknown> = Promise.resolve();
  readonly #agent = new Agent({ keepAlive: true, maxSockets: ASKERS });

  constructor(
    readonly url: string,
    private readonly subgraphs: number,
  ) {}

  start(): void {
    const asked = operations(this.subgraphs);
    const asker = async (place: number) => {
      for (let at = place; !this.#isOver; at += 1) {
        const { query, answer } = asked[at % asked.length] as (typeof asked)[number];
        const startedMs = performance.now();
        const got = await this.ask(query).catch((error: Error) => error.message);
        this.#tookMs.push(performance.now() - startedMs);
        this.requests += 1;
        if (got !== answer) this.wrong.push(got);
        // A load that takes all there is would only measure itself.
        await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
      }
    };
    this.#asking = Promise.all(Array.from({ length: ASKERS }, (_, at) => asker(at * 6)));
  }

  async stop(): Promise<void> {
    this.#isOver = true;
    await this.#asking;
    this.#agent.destroy();
  }

  /** 99 of 100 requests since the last time took no longer, milliseconds. */
  takeP99Ms(): number {
    const sorted = this.#tookMs.sort((one, other) => one - other);
    this.#tookMs = [];
    return sorted[Math.floor(sorted.length * 0.99)] ?? 0;
  }

  ask(query: string): Promise<string> {
    return new Promise((resolve, reject) => {
      const headers = { 'content-type': 'application/json' };
      const request = send(`${this.url}/graphql`, { method: 'POST', agent: this.#agent, headers }, (response) => {
        let text = '';
        response.setEncoding('utf8');
        response.on('data', (part: string) => {
          text += part;
        });
        response.on('end', () => resolve(text));
        response.on('error', reject);
      });
      request.on('error', reject);
      request.end(JSON.stringify({ query }));
    });
  }
}

/** Streams of both transports: some equal, which share an upstream, some each with its own. */
export async function openStreams(url: string, count: number): Promise<Watched[]> {
  return await Promise.all(
    Array.from({ length: count }, (_, at) => {
      const query = `subscription ${at % 4 < 2 ? 'Shared' : `Own${at}`} { flashed { cursor number } }`;
      return at % 2 ? watch(url, query) : watchBySocket(url, query);
    }),
  );
}

async function watchBySocket(url: string, query: string): Promise<Watched> {
  const client = createSocketClient({
    url: `${url.replace('http', 'ws')}/graphql`,
    webSocketImpl: WebSocket,
    retryAttempts: 0,
    lazy: false,
  });
  await new Promise<void>((resolve) => client.on('connected', () => resolve()));
  const watched: Watched = { answers: [], ended: false, leave: () => void client.dispose() };
  const end = () => {
    watched.ended = true;
  };
  client.subscribe({ query }, { next: (answer) => watched.answers.push(answer), error: end, complete: end });
  return watched;
}
