import { readdirSync, readFileSync } from 'node:fs';
import { SpawnedPlatform } from '../test/support/spawned-platform.ts';
import type { Bench } from './figure.ts';

/** First and warm start to ready, and the memory of all processes with the demo fleet. */
export const startBench: Bench = {
  name: 'start',
  async run() {
    const platform = new SpawnedPlatform([]);
    try {
      const firstMs = await platform.start();
      await platform.stop();
      const warmMs = await platform.start();
      const minutes = Number(process.env['BENCH_MINUTES'] ?? 1);
      await new Promise((resolve) => setTimeout(resolve, minutes * 60_000));
      const mb = footprintMb(platform);
      const stopStart = performance.now();
      await platform.stop();
      return [
        {
          promise: 'first start to ready, s',
          measured: (firstMs / 1_000).toFixed(1),
          against: '25',
          ratio: (25_000 / firstMs).toFixed(1),
        },
        {
          promise: 'warm start to ready, s',
          measured: (warmMs / 1_000).toFixed(1),
          against: '8',
          ratio: (8_000 / warmMs).toFixed(1),
        },
        {
          promise: `PSS of all after ${minutes} min, MB`,
          measured: mb.toFixed(0),
          against: '1536',
          ratio: (1_536 / mb).toFixed(1),
        },
        {
          promise: 'stop, s',
          measured: ((performance.now() - stopStart) / 1_000).toFixed(1),
          against: '10',
          ratio: '',
        },
      ];
    } finally {
      await platform.stop();
      platform.remove();
    }
  },
};

/** Proportional set size of the supervisor, its children and PostgreSQL's processes. */
function footprintMb(platform: SpawnedPlatform): number {
  const roots = [platform.supervisorPid, platform.pid('postgres')];
  const parents = new Map<number, number>();
  for (const pid of readdirSync('/proc').map(Number).filter(Boolean)) parents.set(pid, parentOf(pid));
  const isOurs = (pid: number): boolean => roots.includes(pid) || (pid > 1 && isOurs(parents.get(pid) ?? 0));
  const pids = [...parents.keys()].filter(isOurs);
  return pids.reduce((sum, pid) => sum + pssKb(pid), 0) / 1_024;
}

function parentOf(pid: number): number {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
  } catch {
    return 0;
  }
}

function pssKb(pid: number): number {
  try {
    return Number(/^Pss:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1] ?? 0);
  } catch {
    return 0;
  }
}
