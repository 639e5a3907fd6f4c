import path from 'node:path';
import { Worker } from 'node:worker_threads';
import { WebSocket } from 'ws';
import type { Figure } from '../figure.ts';
import { type House, type Router, startRouter, used, when } from './house.ts';

const QUERY = 'subscription ($after: String) { moved(after: $after) { cursor sentMs } }';
const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 10_000;
const EVENTS_PER_SECOND = 5;

/** What the one who asks queries beside it tells at its end, milliseconds. */
export interface Asked {
  p50: number;
  p99: number;
  failed: number;
}

/** A socket that comes back as stock clients do: with full jitter, after its last cursor. */
class Returning {
  /** Told of something since it was last cut. */
  isBack = false;
  #socket: WebSocket | undefined;
  #retries = 0;
  #after: string | undefined;
  #isStopped = false;

  constructor(private readonly url: string) {
    this.#open();
  }

  cut(): void {
    this.isBack = false;
    this.#socket?.terminate();
  }

  stop(): void {
    this.#isStopped = true;
    this.#socket?.terminate();
  }

  #open(): void {
    const socket = new WebSocket(this.url, 'graphql-transport-ws');
    this.#socket = socket;
    socket.on('error', () => undefined);
    socket.on('open', () => socket.send('{"type":"connection_init"}'));
    socket.on('message', (data) => this.#take(JSON.parse(String(data))));
    socket.once('close', () => {
      if (this.#isStopped) return;
      const pauseMs = Math.random() * Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** this.#retries);
      this.#retries += 1;
      setTimeout(() => this.#open(), pauseMs);
    });
  }

  #take({ type, payload }: { type: string; payload?: { data?: { moved: { cursor: string } } } }): void {
    if (type === 'connection_ack') {
      const variables = this.#after === undefined ? {} : { after: this.#after };
      this.#socket?.send(JSON.stringify({ id: '1', type: 'subscribe', payload: { query: QUERY, variables } }));
    } else if (type === 'next' && payload?.data) {
      this.#after = payload.data.moved.cursor;
      this.#retries = 0;
      this.isBack = true;
    }
  }
}

/** Sockets that are cut all at once and come back, and what somebody notices of it who asks queries meanwhile. */
export async function herd(house: House, sockets: number): Promise<Figure[]> {
  const asker = new Worker(path.join(__dirname, 'asker.js'));
  const word = () => new Promise<unknown>((resolve) => asker.once('message', resolve));
  const router = await startRouter(house.url, (await word()) as string);
  const all = Array.from({ length: sockets }, () => new Returning(`${router.url.replace('http', 'ws')}/graphql`));
  try {
    return await cutAtOnce(house, router, all, asker, word);
  } finally {
    house.stop();
    for (const each of all) each.stop();
    await asker.terminate();
    router.child.kill('SIGKILL');
  }
}

async function cutAtOnce(
  house: House,
  router: Router,
  all: readonly Returning[],
  asker: Worker,
  word: () => Promise<unknown>,
): Promise<Figure[]> {
  house.start(EVENTS_PER_SECOND);
  await when(() => all.every(({ isBack }) => isBack));
  asker.postMessage(`${router.url}/graphql`);
  await word();
  const before = used(router);
  const cutMs = performance.now();
  for (const each of all) each.cut();
  await when(() => all.every(({ isBack }) => isBack));
  const backMs = performance.now() - cutMs;
  const { cpuMs } = used(router);
  asker.postMessage('stop');
  const { p50, p99, failed } = (await word()) as Asked;
  return [
    {
      promise: `${all.length} sockets cut at once: all back after`,
      measured: `${(backMs / 1_000).toFixed(1)} s`,
      against: 'goal 30 s',
      ratio: `${((cpuMs - before.cpuMs) / all.length).toFixed(2)} ms router CPU each`,
    },
    {
      promise: '… queries meanwhile, p99',
      measured: `${p99.toFixed(0)} ms`,
      against: 'goal 500 ms',
      ratio: `p50 ${p50.toFixed(0)} ms, ${failed} failed`,
    },
  ];
}
