import { spawn, spawnSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { systemClock } from '../lib/clock.ts';
import { standardFlags } from '../lib/flags/index.ts';
import { silentLog } from '../lib/log.ts';
import { freePort } from '../lib/postgres/local.ts';
import { BreakerAgreement } from '../router/guard/agreement.ts';
import type { Circuit } from '../router/guard/circuit.ts';
import { GUARD_LIMITS, Guard } from '../router/guard/guard.ts';
import type { Wire } from '../router/wire/wire.ts';
import type { Bench, Figure } from './figure.ts';

const TURNS = 200;
const CALL = { principal: { id: 'bench', kind: 'SCRIPT', name: 'bench', scopes: [] }, requestId: 'bench' } as const;

/** How long after one router found a breaker open, or was told to hold it, the other refuses too: over a real Redis. */
export const agreementBench: Bench = {
  name: 'agreement',
  async run() {
    if (spawnSync('redis-server', ['--version']).status !== 0) return [];
    const port = await freePort();
    const args = ['--port', String(port), '--bind', '127.0.0.1', '--save', ''];
    const server = spawn('redis-server', args, { cwd: tmpdir(), stdio: 'ignore' });
    const routers = [routerOn(port), routerOn(port)] as const;
    try {
      const [one, other] = routers;
      await heard(one.circuit, other.circuit);
      const found: number[] = [];
      const forced: number[] = [];
      for (let turn = 0; turn < TURNS; turn++) {
        found.push(await until(other.circuit, 'OPEN', () => one.fail()));
        await until(other.circuit, 'CLOSED', () => one.circuit.force('AUTO', 'again'));
        forced.push(await until(other.circuit, 'OPEN', () => one.circuit.force('OPEN', 'maintenance')));
        await until(other.circuit, 'CLOSED', () => one.circuit.force('AUTO', 'again'));
      }
      return [figure('found open by its own calls', found), figure('held open by somebody', forced)];
    } finally {
      for (const router of routers) router.close();
      server.kill('SIGKILL');
    }
  },
};

/** A subgraph that is broken. */
function brokenWire(url: string): Wire {
  return {
    url,
    send: () => Promise.reject(new Error('gone')),
    open: () => Promise.reject(new Error('gone')),
    close: () => undefined,
  };
}

function routerOn(port: number) {
  const guard = new Guard({ wireOf: (_, url) => brokenWire(url), limits: GUARD_LIMITS, clock: systemClock });
  guard.setReplicas('sea', ['http://127.0.0.1:1/graphql']);
  const redisUrl = `redis://127.0.0.1:${port}`;
  const agreement = new BreakerAgreement({
    guard,
    redisUrl,
    clock: systemClock,
    log: silentLog,
    flags: standardFlags(),
  });
  return {
    circuit: guard.circuits.get('sea') as Circuit,
    async fail() {
      const { minimumCalls } = GUARD_LIMITS.breaker;
      const call = () => guard.execute('sea', { query: 'mutation { a }' }, CALL).catch(() => undefined);
      for (let time = 0; time < minimumCalls; time++) await call();
    },
    close() {
      agreement.close();
      guard.close();
    },
  };
}

/** Waits until each hears the other. */
async function heard(one: Circuit, other: Circuit): Promise<void> {
  for (const [here, there] of [
    [one, other],
    [other, one],
  ] as const) {
    while (there.state.override !== 'CLOSED') {
      here.force('CLOSED', 'heard?');
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
  await until(one, 'CLOSED', () => other.force('AUTO', 'heard'));
  while (one.state.override !== 'AUTO') await new Promise((resolve) => setTimeout(resolve, 5));
}

/** Milliseconds from what was done to the other router's knowing. */
async function until(circuit: Circuit, phase: 'OPEN' | 'CLOSED', act: () => unknown): Promise<number> {
  await act();
  const startedMs = performance.now();
  while (circuit.state.phase !== phase) await new Promise((resolve) => setImmediate(resolve));
  return performance.now() - startedMs;
}

function figure(what: string, times: number[]): Figure {
  times.sort((one, other) => one - other);
  const at = (share: number) =>
    (times[Math.min(times.length - 1, Math.floor(times.length * share))] as number).toFixed(1);
  return {
    promise: `another router knows: ${what}`,
    measured: `p99 ${at(0.99)} ms`,
    against: 'at most 1,000 ms',
    ratio: `p50 ${at(0.5)} ms, most ${at(1)} ms`,
  };
}
