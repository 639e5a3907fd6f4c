import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { packageRoot } from '../../cli/platform/surroundings.ts';
import { startLocalPostgres } from '../../lib/postgres/local.ts';
import type { Bench, Figure } from '../figure.ts';
import { bottleneckFigures } from './bottlenecks.ts';
import { bulkFigures } from './bulk.ts';
import { gatewayFigures } from './gateway.ts';
import { overheadFigures } from './overhead.ts';
import { pastFigures } from './past.ts';
import { presenceFigures } from './presence.ts';

/** Each on a database of its own in one PostgreSQL. */
const PARTS: Record<string, () => Promise<Figure[]>> = {
  bulk: bulkFigures,
  past: pastFigures,
  presence: presenceFigures,
};

/** Each at a platform of its own, or at none. */
const ALONE: Record<string, () => Promise<Figure[]>> = {
  bottlenecks: bottleneckFigures,
  gateway: gatewayFigures,
  overhead: overheadFigures,
};

/** What the agents house promises at scale; `-- agents --part past` for one part. */
export const agentsBench: Bench = {
  name: 'agents',
  async run() {
    const at = process.argv.indexOf('--part');
    const wanted = at < 0 ? undefined : process.argv[at + 1];
    const alone: Figure[] = [];
    for (const [name, part] of Object.entries(ALONE)) {
      if (wanted === undefined || wanted === name) alone.push(...(await part()));
    }
    if (wanted !== undefined && wanted in ALONE) return alone;
    const folder = mkdtempSync(path.join(tmpdir(), 'fleetgraph-bench-'));
    const postgres = await startLocalPostgres({ root: packageRoot(), data: folder });
    process.env['TEST_POSTGRES'] = postgres.url;
    try {
      const figures = alone;
      for (const [name, part] of Object.entries(PARTS)) {
        if (wanted === undefined || wanted === name) figures.push(...(await part()));
      }
      return figures;
    } finally {
      await postgres.stop();
      rmSync(folder, { recursive: true, force: true });
    }
  },
};
