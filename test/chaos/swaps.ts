import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import type { SwapsFigures } from './swaps-load.ts';
import type { Scenario, Verdict } from './verdict.ts';

const LIMIT_MS = 600_000;
const MEMORY = 0.05;

/** A schema that changes a hundred times under load: nobody is refused, no stream ends, and nothing is left behind. */
export const swaps: Scenario = {
  name: 'swaps',
  async run(short): Promise<Verdict[]> {
    const child = path.join(__dirname, 'swaps-load.js');
    const given = ['--expose-gc', child, short ? '20' : '100'];
    const { stdout } = await promisify(execFile)(process.execPath, given, { timeout: LIMIT_MS });
    const figures = JSON.parse(stdout) as SwapsFigures;
    const grown = figures.heapAfter / figures.heapBefore - 1;
    const rss = figures.rssAfter / figures.rssBefore - 1;
    return [
      {
        what: `failed requests over ${figures.swaps} swaps`,
        figure: `${figures.failed} of ${figures.requests}`,
        passed: figures.failed === 0 && figures.requests > figures.swaps,
      },
      {
        what: 'streams dropped, or with a hole or a double',
        figure: `${figures.broken}; ${figures.flashes} events each`,
        passed: figures.broken === 0,
      },
      {
        what: 'memory after collection within 5 %',
        figure: `${percent(grown)} of ${megabytes(figures.heapBefore)}; resident ${percent(rss)} of ${megabytes(figures.rssBefore)}`,
        passed: grown <= MEMORY,
      },
    ];
  },
};

function percent(share: number): string {
  return `${share >= 0 ? '+' : ''}${(100 * share).toFixed(1)} %`;
}

function megabytes(bytes: number): string {
  return `${(bytes / 1_000_000).toFixed(1)} MB`;
}
