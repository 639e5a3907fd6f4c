import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { Damage, verifyFile } from '../../lib/audit-export/index.ts';
import { SpawnedPlatform, wait } from '../support/spawned-platform.ts';
import { AuditWriters } from './audit-writers.ts';
import { otlpLogs } from './load.ts';
import { readAll } from './pages.ts';
import { type Scenario, timed, type Verdict, verdict } from './verdict.ts';

const VICTIMS = ['router', 'state', 'telemetry', 'postgres'];
/** Mutations that are acknowledged between two deaths, at least. */
const BETWEEN = 3;

/** Random SIGKILLs of every process under mutations of every house: each change has exactly one entry, each entry its change. */
export const audit: Scenario = {
  name: 'audit',
  async run(short, long) {
    const kills = short ? 20 : long ? 500 : 100;
    const platform = new SpawnedPlatform(['--no-demo']);
    try {
      await platform.start();
      const writers = new AuditWriters(platform, Number(process.env['CHAOS_SEED'] ?? Date.now() % 100_000));
      const startedMs = performance.now();
      const checkpoints: string[] = [];
      writers.start();
      for (let round = 0; round < kills; round += 1) {
        await killOne(platform, writers);
        if (round % 5 === 0) checkpoints.push(await checkpoint(platform));
      }
      await writers.stop();
      const seconds = Math.round((performance.now() - startedMs) / 1_000);
      return [
        verdict('seed', writers.seed, true),
        verdict('processes killed, times', `${kills} in ${seconds} s`, true),
        verdict('mutations acknowledged', writers.receipts.size, writers.receipts.size >= kills),
        ...(await changesAndEntries(platform, writers)),
        ...(await pasts(platform, checkpoints)),
        await underFlood(platform, writers.mark, short),
      ];
    } finally {
      await platform.stop();
      platform.remove();
    }
  },
};

/** SIGKILL of a process that is chosen by the seed, while mutations are under way. */
async function killOne(platform: SpawnedPlatform, writers: AuditWriters): Promise<void> {
  const victim = VICTIMS[Math.floor(writers.random() * VICTIMS.length)] as string;
  const target = writers.receipts.size + BETWEEN + Math.floor(writers.random() * BETWEEN);
  await wait(() => writers.receipts.size >= target, 120_000, 'mutations are acknowledged');
  const pid = platform.pid(victim);
  process.kill(pid, 'SIGKILL');
  await wait(() => platform.pid(victim) !== pid && platform.pid(victim) > 0, 60_000, `${victim} is started again`);
}

/** A signed checkpoint as somebody keeps it. */
async function checkpoint(platform: SpawnedPlatform): Promise<string> {
  let note = '';
  await wait(
    async () => {
      const answer = await platform.ask('{ auditCheckpoint { signedNote } }').catch(() => undefined);
      note = answer?.data?.auditCheckpoint?.signedNote ?? '';
      return note !== '';
    },
    60_000,
    'a checkpoint is given out',
  );
  return note;
}

/** What was changed against what the trail says was changed. */
async function changesAndEntries(platform: SpawnedPlatform, writers: AuditWriters): Promise<Verdict[]> {
  await wait(() => platform.isReady(), 120_000, 'all are ready');
  const filter = { outcomes: ['SUCCEEDED'], actions: [...writers.actions] };
  const fields = 'id action index after reason';
  let entries = await readAll(platform, 'auditEntries', fields, filter);
  const missing = () => {
    const found = new Set(entries.map(({ id }) => id));
    return [...writers.receipts.keys()].filter((id) => !found.has(id)).length;
  };
  await wait(
    async () => {
      entries = await readAll(platform, 'auditEntries', fields, filter);
      return missing() === 0;
    },
    30_000,
    'the relays deliver',
  ).catch(() => 0);
  const verdicts = [verdict('… receipts without their entry', missing(), missing() === 0)];
  for (const { action, what, changes, nameOf } of writers.effects) {
    const made = await changes();
    const told = entries.filter((entry) => entry['action'] === action).map(nameOf);
    const unaudited = made.filter((name) => count(told, name) === 0).length;
    const twice = made.filter((name) => count(told, name) > 1).length;
    const untrue = told.filter((name) => count(made, name) !== 1).length;
    const figure = `${made.length} changes; ${unaudited} unaudited, ${twice} twice, ${untrue} entries without a change`;
    verdicts.push(verdict(what, figure, unaudited + twice + untrue === 0 && made.length > 0));
  }
  return verdicts;
}

function count(names: readonly string[], name: string): number {
  return names.filter((each) => each === name).length;
}

/** The exported log is whole, and goes on from every checkpoint that was ever given out. */
async function pasts(platform: SpawnedPlatform, checkpoints: readonly string[]): Promise<Verdict[]> {
  const file = path.join(platform.data, 'chaos-audit.ndjson');
  const env = { ...process.env, FLEET_URL: platform.url, FLEET_TOKEN: platform.token };
  execFileSync(process.execPath, ['dist/cli/fleet.js', 'audit', 'export', file], { env });
  const faults: string[] = [];
  let size = 0;
  for (const older of checkpoints) {
    try {
      size = (await verifyFile(file, { older }, () => undefined)).size;
    } catch (error) {
      if (!(error instanceof Damage)) throw error;
      faults.push(`${error.fault}: ${error.message}`);
    }
  }
  return [
    verdict('entries in the exported log, whole', size, size > 0 && !faults.length),
    verdict(
      '… checkpoints from between that contradict it',
      `${faults.length} of ${checkpoints.length}`,
      !faults.length,
    ),
    ...faults.slice(0, 3).map((fault) => verdict('… ', fault, false)),
  ];
}

/** Mutations and their places in the tree, while logs come as fast as they are taken. */
async function underFlood(platform: SpawnedPlatform, mark: string, short: boolean): Promise<Verdict> {
  let isFlooding = true;
  let records = 0;
  const texts = Array.from({ length: 1_000 }, (_, at) => `${mark} flood ${at}`);
  const flood = Array.from({ length: 4 }, async () => {
    while (isFlooding) {
      const response = await fetch(`${platform.url}/v1/logs`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: `Bearer ${platform.token}` },
        body: JSON.stringify(otlpLogs(mark, texts)),
      });
      await response.arrayBuffer();
      if (response.status === 200) records += texts.length;
    }
  });
  const query = `mutation ($input: RaiseAlertInput!) { raiseAlert(input: $input) { auditEntry { proof { leafIndex } } } }`;
  let slowestMs = 0;
  let proved = 0;
  for (let count = 0; count < 50; count += 1) {
    const startedMs = performance.now();
    const { data } = await platform.ask(query, {
      input: { name: `${mark}-flood`, severity: 'INFO', dedupKey: `${count}` },
    });
    slowestMs = Math.max(slowestMs, performance.now() - startedMs);
    if (data?.raiseAlert?.auditEntry?.proof) proved += 1;
  }
  isFlooding = false;
  await Promise.all(flood);
  const figure = `${proved} of 50 proved, the slowest after ${Math.round(slowestMs)} ms, beside ${records} records`;
  return timed(short && proved === 50, 'mutations while logs flood', figure, proved === 50 && slowestMs < 2_000);
}
