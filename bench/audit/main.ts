import { hash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { packageRoot } from '../../cli/platform/surroundings.ts';
import { loadAccessTable } from '../../lib/access.ts';
import { verifyFile } from '../../lib/audit-export/index.ts';
import { GrowingTree, leafHash } from '../../lib/merkle/index.ts';
import { startLocalPostgres } from '../../lib/postgres/local.ts';
import { entities as agentEntities, agentsSubgraph } from '../../subgraphs/agents/index.ts';
import { auditSubgraph, entities } from '../../subgraphs/audit/index.ts';
import { startTestHouse, type TestHouse } from '../../test/support/house.ts';
import { type Bench, type Figure, median } from '../figure.ts';
import { mutationRates } from './mutations.ts';
import { sampleLeaves, writeExport } from './sample.ts';
import { consistencyTimes, proofTimes, storedLog } from './stored.ts';

const SIZE = 1_000_000;
const TURNS = 5;

/** What it costs to prove everything: growing the tree, verifying a whole log, proofs from the database, an entry for each mutation. */
export const auditBench: Bench = {
  name: 'audit',
  async run() {
    const folder = mkdtempSync(path.join(tmpdir(), 'fleetgraph-bench-'));
    const postgres = await startLocalPostgres({ root: packageRoot(), data: folder });
    process.env['TEST_POSTGRES'] = postgres.url;
    try {
      return [...(await inMemory(folder)), ...(await inDatabase(folder)), await ofMutations(folder)];
    } finally {
      await postgres.stop();
      rmSync(folder, { recursive: true, force: true });
    }
  },
};

async function inMemory(folder: string): Promise<Figure[]> {
  const leaves = sampleLeaves();
  const bare: number[] = [];
  const grown: number[] = [];
  for (let turn = 0; turn < TURNS; turn += 1) {
    bare.push(nanos((at) => Buffer.from(hash('sha256', leaves[at % leaves.length] as Buffer, 'binary'), 'latin1')));
    const tree = new GrowingTree(0, []);
    grown.push(nanos((at) => tree.append(leafHash(leaves[at % leaves.length] as Buffer))));
  }
  const file = path.join(folder, 'audit.ndjson');
  writeExport(file, leaves, SIZE);
  const started = process.cpuUsage();
  const startedMs = performance.now();
  await verifyFile(file);
  const tookS = (performance.now() - startedMs) / 1_000;
  const { user, system } = process.cpuUsage(started);
  return [
    {
      promise: 'an append, of bare SHA-256 of the leaves, CPU',
      measured: (median(bare) / median(grown)).toFixed(2),
      against: '0.45',
      ratio: `${median(grown).toFixed(0)} ns`,
    },
    {
      promise: `${SIZE} entries verified, s`,
      measured: tookS.toFixed(2),
      against: '5',
      ratio: `CPU ${((user + system) / 1e6).toFixed(2)} s`,
    },
  ];
}

/** Nanoseconds of processor time of each call. */
function nanos(call: (at: number) => unknown): number {
  const started = process.cpuUsage();
  for (let at = 0; at < SIZE; at += 1) call(at);
  const { user, system } = process.cpuUsage(started);
  return ((user + system) * 1e3) / SIZE;
}

function auditHouse(folder: string): Promise<TestHouse> {
  const access = loadAccessTable(packageRoot());
  return startTestHouse({ name: 'audit', entities, make: auditSubgraph, access, settings: { FLEET_DATA: folder } });
}

async function inDatabase(folder: string): Promise<Figure[]> {
  const house = await auditHouse(folder);
  const { database } = house.runtime;
  const log = await storedLog(database, path.join(folder, 'audit'), SIZE);
  const proofs = await proofTimes(database, log, SIZE);
  const consistency = await consistencyTimes(log, SIZE);
  await house.stop();
  return [figure('a proof of an entry', proofs), figure('a consistency proof', consistency)];
}

function figure(what: string, times: readonly number[]): Figure {
  const at = (share: number) => times[Math.floor(times.length * share)] as number;
  return {
    promise: `${what} among ${SIZE}, p99 ms`,
    measured: at(0.99).toFixed(1),
    against: '10',
    ratio: `p50 ${at(0.5).toFixed(1)}`,
  };
}

async function ofMutations(folder: string): Promise<Figure> {
  const audit = await auditHouse(folder);
  const house = await startTestHouse({
    name: 'agents',
    entities: agentEntities,
    make: async (runtime) => {
      const { name, schema, context } = await agentsSubgraph(runtime);
      return { name, schema, context };
    },
    access: loadAccessTable(packageRoot()),
    addresses: { audit: audit.url },
  });
  const { bare, audited } = await mutationRates(house.runtime);
  await house.stop();
  await audit.stop();
  return {
    promise: 'audited mutations of 8 clients, of unaudited',
    measured: (audited / bare).toFixed(2),
    against: '0.75',
    ratio: `${audited.toFixed(0)}/s of ${bare.toFixed(0)}/s`,
  };
}
