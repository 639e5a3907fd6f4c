import { fork } from 'node:child_process';
import path from 'node:path';
import { ContractServer } from '../../test/sdk/contract-server.ts';
import { type Figure, median } from '../figure.ts';
import type { OverheadOrder, OverheadResult } from './overhead-agent.ts';

const ROUNDS = 5;
const WARM_SECONDS = 4;
const SECONDS = 6;
/** Off, and on with so large a share of the traces. */
const MODES = [undefined, 1, 0.1] as const;
type Mode = (typeof MODES)[number];

/**
 * What the platform costs on an agent's host: the same work in a process with nothing of it and with all of it, in turn. Who takes
 * what it sends is this process: the platform is elsewhere.
 */
export async function overheadFigures(): Promise<Figure[]> {
  const server = new ContractServer();
  server.beatEveryMs = 2_000;
  // What was taken is not kept: this process must not grow.
  server.gate = (place) => (place.startsWith('/v1/') ? { body: {} } : undefined);
  await server.start();
  const results = new Map<Mode, OverheadResult[]>(MODES.map((mode) => [mode, []]));
  try {
    for (let round = 0; round < ROUNDS; round++) {
      // Each is first as often as the others: what comes first finds the machine cooler.
      for (let at = 0; at < MODES.length; at++) {
        const mode = MODES[(at + round) % MODES.length];
        results.get(mode)?.push(await measured(server, mode));
      }
    }
  } finally {
    await server.stop();
  }
  const off = results.get(undefined) as OverheadResult[];
  return MODES.filter((mode) => mode !== undefined).flatMap((mode) =>
    figures(`${mode * 100} % of traces`, off, results.get(mode) ?? []),
  );
}

function figures(named: string, off: OverheadResult[], on: OverheadResult[]): Figure[] {
  const share = (what: string, value: (result: OverheadResult) => number, most: string): Figure => {
    const [with_, without] = [median(on.map(value)), median(off.map(value))];
    // Each round beside its own: what else the machine did then both had.
    const more = median(on.map((result, at) => value(result) / value(off[at] as OverheadResult))) - 1;
    return {
      promise: `overhead, ${named}: ${what}`,
      measured: with_.toFixed(2),
      against: `${without.toFixed(2)} off, ${most}`,
      ratio: `${more >= 0 ? '+' : ''}${(100 * more).toFixed(1)} %`,
    };
  };
  const rss = median(on.map((result, at) => result.rssMb - (off[at] as OverheadResult).rssMb));
  return [
    share('CPU ms a task', ({ cpuMs }) => cpuMs, '≤ 5 %'),
    share('p50 of a task, ms', ({ p50Ms }) => p50Ms, '≤ 5 %'),
    share('p99 of a task, ms', ({ p99Ms }) => p99Ms, ''),
    { promise: `overhead, ${named}: memory, MB`, measured: rss.toFixed(1), against: '< 20', ratio: '' },
  ];
}

function measured(server: ContractServer, mode: Mode): Promise<OverheadResult> {
  const child = fork(path.join(__dirname, 'overhead-agent.js'));
  const platform = mode === undefined ? {} : { platform: { url: server.url, token: 'owner', traceRatio: mode } };
  const order: OverheadOrder = { ...platform, warmSeconds: WARM_SECONDS, seconds: SECONDS };
  return new Promise((resolve, reject) => {
    child.once('message', (result) => {
      resolve(result as OverheadResult);
      // Its farewell is not measured.
      child.kill();
    });
    child.once('exit', (code) => reject(new Error(`the agent ended with ${code} before it had worked`)));
    child.send(order);
  });
}
