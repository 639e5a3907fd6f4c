import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { systemClock } from '../../../lib/clock.ts';
import { fixedFlags } from '../../../lib/flags/index.ts';
import { silentLog } from '../../../lib/log.ts';
import { composeSupergraph } from '../../../router/compose.ts';
import { serverSentEvents } from '../../../router/guard/event-stream.ts';
import { type RouterOptions, type ServedRouter, serveRouter } from '../../../router/server.ts';
import type { AnyShape } from '../../support/house.ts';

const LINK =
  'extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key", "@shareable", "@inaccessible"])';

/** A lighthouse's schema; each version may have fields of its own. */
export const lightSdl = (fields = '') => `${LINK}
type Query { light: String ${fields} }
type Subscription { flashed(after: String): Flash }
type Flash { cursor: String! number: Int! colour: String }`;

/** As `lightSdl`, without the colour of a flash. */
export const colourlessSdl = lightSdl().replace('colour: String', 'shade: String');

export interface Lighthouse {
  router: ServedRouter;
  /** The address of its one subgraph. */
  subgraphUrl: string;
  supergraph(sdl: string): string;
  /** Sends one flash to every stream; each has the next number as its cursor. */
  flash(): void;
  /** Flashes so far. */
  readonly flashed: number;
  /** What the subgraph answers to a query; `hello` unless set. */
  answer: (query: string) => object;
  /** Streams that are open at the subgraph. */
  readonly running: number;
  ask(query: string): Promise<AnyShape>;
  stop(): Promise<void>;
}

/** A subgraph that answers what it is told to, with a stream by cursor, and a router over it that is open to everybody. */
export async function openLighthouse(options: Partial<RouterOptions> = {}): Promise<Lighthouse> {
  const state = { flashed: 0, answer: (_query: string): object => ({ data: { light: 'on' } }) };
  const streams = new Set<() => void>();
  const server = createServer((request, response) => void serve(request, response));
  const serve = async (request: IncomingMessage, response: ServerResponse) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const { query, variables } = JSON.parse(Buffer.concat(chunks).toString() || '{}');
    if (!String(request.headers.accept).includes('text/event-stream')) {
      response.setHeader('content-type', 'application/json');
      return response.end(JSON.stringify(state.answer(query)));
    }
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write(':\n\n');
    const after = request.headers['last-event-id'] ?? variables?.after;
    let sent = after === undefined || after === null ? state.flashed : Number(after);
    const send = () => {
      while (sent < state.flashed) {
        sent += 1;
        const flashed = { cursor: `${sent}`, number: sent, colour: 'white' };
        response.write(`event: next\nid: ${sent}\ndata: ${JSON.stringify({ data: { flashed } })}\n\n`);
      }
    };
    streams.add(send);
    response.on('close', () => streams.delete(send));
    send();
  };
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const subgraphUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/graphql`;
  const supergraph = (sdl: string) => composeSupergraph([{ name: 'light', url: subgraphUrl, sdl }]);
  const router = await serveRouter({
    supergraphSdl: supergraph(lightSdl()),
    clock: systemClock,
    log: silentLog,
    flags: fixedFlags({ 'router.canary': true }),
    heartbeatMs: 50,
    limits: { adminPerSecond: Number.POSITIVE_INFINITY, guard: { limitPerSecond: Number.POSITIVE_INFINITY } },
    ...options,
  });
  return {
    router,
    subgraphUrl,
    supergraph,
    flash() {
      state.flashed += 1;
      for (const send of streams) send();
    },
    get flashed() {
      return state.flashed;
    },
    get running() {
      return streams.size;
    },
    get answer() {
      return state.answer;
    },
    set answer(answer) {
      state.answer = answer;
    },
    ask: (query) => askAt(router.url, query),
    async stop() {
      await router.stop();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

export async function askAt(url: string, query: string): Promise<AnyShape> {
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query }),
  });
  return { status: response.status, ...((await response.json()) as object) };
}

export interface Watched {
  /** Whole answers, in the order they came. */
  answers: AnyShape[];
  ended: boolean;
  leave(): void;
}

/** A subscription by server-sent events, read as it comes. */
export async function watch(url: string, query: string): Promise<Watched> {
  const leaving = new AbortController();
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'text/event-stream' },
    body: JSON.stringify({ query }),
    signal: leaving.signal,
  });
  const watched: Watched = { answers: [], ended: false, leave: () => leaving.abort() };
  void (async () => {
    for await (const { event, data } of serverSentEvents(response.body as never, 10_000_000)) {
      if (event === 'next') watched.answers.push(JSON.parse(data ?? ''));
    }
  })()
    .catch(() => undefined)
    .finally(() => {
      watched.ended = true;
    });
  return watched;
}
