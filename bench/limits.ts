import { spawn, spawnSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import type { Principal } from '../lib/call/principal.ts';
import { systemClock } from '../lib/clock.ts';
import { silentLog } from '../lib/log.ts';
import { freePort } from '../lib/postgres/local.ts';
import { Limits } from '../router/limits/limits.ts';
import { RedisStore } from '../router/limits/redis-store.ts';
import { limitHeaders } from '../router/limits/standing.ts';
import { QUEUE_LIMITS, Throttle } from '../router/limits/throttle.ts';
import type { Bench, Figure } from './figure.ts';

const ROUNDS = 300_000;
const CLIENTS = 100;
const clients = Array.from({ length: CLIENTS }, (_, at): Principal => {
  return { id: `key:${at}`, kind: 'SCRIPT', name: String(at), scopes: ['viewer'], requestsPerSecond: 1e9 };
});

/** What limits cost each request: in memory, with their headers, in the queue that nobody waits in, over Redis. */
export const limitsBench: Bench = {
  name: 'limits',
  async run() {
    const limits = new Limits({ clock: systemClock, log: silentLog });
    const client = (at: number) => clients[at % CLIENTS] as Principal;
    const draw = micros((at) => limits.take(client(at), 1 + (at & 7), 'query'));
    const headers = micros((at) => {
      const standing = limits.take(client(at), 1 + (at & 7), 'query');
      if (!(standing instanceof Promise)) limitHeaders(standing);
    });
    const throttle = new Throttle(QUEUE_LIMITS, systemClock);
    const queue = micros(() => {
      throttle.enter(undefined as never, undefined as never, undefined as never);
      throttle.leave();
    });
    return [
      figure('a draw in memory, processor time', draw),
      figure('with its RateLimit headers', headers),
      figure('a turn that need not be waited for', queue),
      ...(await overRedis(client)),
    ];
  },
};

/** Microseconds of processor time for each call. */
function micros(call: (at: number) => void): number {
  for (let at = 0; at < ROUNDS / 10; at += 1) call(at);
  const { user, system } = process.cpuUsage();
  for (let at = 0; at < ROUNDS; at += 1) call(at);
  const spent = process.cpuUsage({ user, system });
  return (spent.user + spent.system) / ROUNDS;
}

function figure(promise: string, measured: number): Figure {
  return {
    promise,
    measured: `${measured.toFixed(2)} µs`,
    against: 'at most 50 µs',
    ratio: `1/${Math.round(50 / measured)}`,
  };
}

async function overRedis(client: (at: number) => Principal): Promise<Figure[]> {
  if (spawnSync('redis-server', ['--version']).status !== 0) return [];
  const port = await freePort();
  const args = ['--port', String(port), '--bind', '127.0.0.1', '--save', ''];
  const server = spawn('redis-server', args, { cwd: tmpdir(), stdio: 'ignore' });
  const store = new RedisStore(`redis://127.0.0.1:${port}`, () => undefined);
  const limits = new Limits({ clock: systemClock, log: silentLog, store });
  try {
    for (let tries = 0; tries < 100; tries += 1) {
      if (
        await Promise.resolve(limits.take(client(0), 1, 'query')).then(
          () => true,
          () => false,
        )
      )
        break;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    const times: number[] = [];
    for (let at = 0; at < 3_000; at += 1) {
      const startedMs = performance.now();
      await limits.take(client(at), 1, 'query');
      times.push(performance.now() - startedMs);
    }
    times.sort((one, other) => one - other);
    const at = (share: number) => ((times[Math.floor(times.length * share)] as number) * 1_000).toFixed(0);
    return [
      {
        promise: 'a draw over Redis, one at a time',
        measured: `${at(0.5)} µs`,
        against: `p99 ${at(0.99)} µs`,
        ratio: '',
      },
    ];
  } finally {
    limits.close();
    server.kill('SIGKILL');
  }
}
