import { type ChildProcess, fork } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Client } from 'pg';
import { packageRoot } from '../../cli/platform/surroundings.ts';
import { loadAccessTable } from '../../lib/access.ts';
import { HouseClient } from '../../lib/call/house-client.ts';
import { systemPrincipal } from '../../lib/call/principal.ts';
import { deriveKey } from '../../lib/call/signing.ts';
import { systemClock } from '../../lib/clock.ts';
import { nodeId } from '../../lib/node-id.ts';
import { startLocalPostgres } from '../../lib/postgres/local.ts';
import { BEAT_MANY } from '../../sdk/wire/operations.ts';
import { startAgents } from '../../test/agents/support.ts';
import { emptyHouseDatabase, TEST_SECRET } from '../../test/support/database.ts';
import type { Bench, Figure } from '../figure.ts';

const AGENTS = 100_000;
const rateAt = process.argv.indexOf('--rate');
const BEATS_A_SECOND = rateAt < 0 ? 20_000 : Number(process.argv[rateAt + 1]);
/** As many as a host that runs some hundreds of agents sends at once. */
const BATCH = 250;
const TICK_MS = (1_000 * BATCH) / BEATS_A_SECOND;
const WARM_S = 12;
const SECONDS = 20;

/** 100,000 agents and 20,000 beats a second at one house: its memory, how soon a beat is answered, what reaches the database. */
export const presenceBench: Bench = {
  name: 'presence',
  async run() {
    const folder = mkdtempSync(path.join(tmpdir(), 'fleetgraph-bench-'));
    const postgres = await startLocalPostgres({ root: packageRoot(), data: folder });
    process.env['TEST_POSTGRES'] = postgres.url;
    try {
      return await presenceFigures();
    } finally {
      await postgres.stop();
      rmSync(folder, { recursive: true, force: true });
    }
  },
};

/** As `presenceBench`, in the PostgreSQL of TEST_POSTGRES. */
export async function presenceFigures(): Promise<Figure[]> {
  const databaseUrl = await emptyHouseDatabase('agents');
  const database = new Client({ connectionString: databaseUrl });
  await database.connect();
  database.on('error', () => undefined);
  await seeded(databaseUrl, database);
  const child = fork(path.join(__dirname, 'presence-house.js'), [databaseUrl], { execArgv: ['--enable-source-maps'] });
  try {
    return await measured(child, database);
  } finally {
    child.disconnect();
    await new Promise((resolve) => child.once('exit', resolve));
    await database.end();
  }
}

/** So many agents that were at work a moment ago. */
async function seeded(databaseUrl: string, database: Client): Promise<void> {
  // Its tables.
  await (await startAgents({ databaseUrl, access: loadAccessTable(packageRoot()) })).stop();
  await database.query('set search_path to agents');
  await database.query(
    `insert into agents.agent (id, name, kind, words, version, state, reported_state, desired_state, presence, health_score, health_grade,
       health_penalties, health_at, labels, endpoints, capabilities, config, config_version, observed_config_version,
       registered_at, last_seen_at, lease_expires_at, owner_id, beat_sequence, said_state, said_since)
     select gen_random_uuid(), 'agent-' || number, 'kind-' || number % 20, ' agent ', '1.0.0', 'RUNNING', 'RUNNING', 'RUNNING', 'ONLINE', 100,
       'HEALTHY', '[]', now(), '{"zone": "eu"}', '[]', '["crawl"]', '{}', 1, 1, now(), now(), now(), 'system:bench', 0, 'RUNNING', now()
       from generate_series(1, $1) number`,
    [AGENTS],
  );
  await database.query('analyze agents.agent');
}

interface Run {
  tookMs: number[];
  beats: number;
  failures: number;
  lateMs: number;
}

async function measured(child: ChildProcess, database: Client): Promise<Figure[]> {
  const { url } = await new Promise<{ url: string }>((resolve) => child.once('message', resolve as never));
  const key = deriveKey(TEST_SECRET, 'call:agents');
  const house = new HouseClient('agents', url, key, () => systemClock.nowMs());
  const { rows } = await database.query<{ id: string }>('select id from agents.agent order by id');
  const load = new Load(
    house,
    rows.map(({ id }) => nodeId('Agent', id)),
  );
  await load.run(WARM_S);
  const [cpuBefore, wroteBefore] = [cpuMsOf(child), await written(database)];
  const run = await load.run(SECONDS);
  const cpuMs = cpuMsOf(child) - cpuBefore;
  const wrote = (await written(database)) - wroteBefore;
  house.close();
  const sorted = run.tookMs.sort((a, b) => a - b);
  const at = (share: number) => sorted[Math.floor(sorted.length * share)] ?? Number.NaN;
  const mb = (name: string) => (memoryKb(child, name) / 1_024).toFixed(0);
  return [
    {
      promise: `${AGENTS} agents: beats answered a second`,
      measured: (run.beats / SECONDS).toFixed(0),
      against: `asked ${BEATS_A_SECOND}`,
      ratio: `${run.failures} failed`,
    },
    {
      promise: '… a beat is answered, p99',
      measured: `${at(0.99).toFixed(1)} ms`,
      against: 'goal 50 ms',
      ratio: `p50 ${at(0.5).toFixed(1)} ms`,
    },
    {
      promise: '… beats that reach the database',
      measured: `${((100 * wrote) / run.beats).toFixed(2)} %`,
      against: 'goal 2 %',
      ratio: `${wrote} rows`,
    },
    {
      promise: '… memory of the house, most',
      measured: `${mb('VmHWM')} MB`,
      against: 'goal 1024 MB',
      ratio: `now ${mb('VmRSS')} MB`,
    },
    {
      promise: '… CPU of the house',
      measured: `${((cpuMs / SECONDS) * 0.1).toFixed(0)} %`,
      against: 'of a core',
      ratio: `${((1_000 * cpuMs) / run.beats).toFixed(1)} µs a beat; load sent up to ${run.lateMs.toFixed(0)} ms late`,
    },
  ];
}

/** Beats of all agents in turn, at the rate whatever the answers. */
class Load {
  #next = 0;
  #sequence = 0;

  constructor(
    private readonly house: HouseClient,
    private readonly ids: readonly string[],
  ) {}

  async run(seconds: number): Promise<Run> {
    const run: Run = { tookMs: [], beats: 0, failures: 0, lateMs: 0 };
    const sends: Promise<void>[] = [];
    const startedMs = performance.now();
    for (let sent = 0; sent < (seconds * 1_000) / TICK_MS; ) {
      const dueMs = startedMs + sent * TICK_MS;
      const restMs = dueMs - performance.now();
      if (restMs > 1) {
        await new Promise((resolve) => setTimeout(resolve, restMs));
        continue;
      }
      run.lateMs = Math.max(run.lateMs, -restMs);
      sends.push(this.#send(run));
      sent += 1;
    }
    await Promise.all(sends);
    return run;
  }

  async #send(run: Run): Promise<void> {
    const body = this.#body();
    const startedMs = performance.now();
    const call = { principal: systemPrincipal('bench'), requestId: systemClock.uuid() };
    const answer = await this.house.send('POST /graphql', { call, body }).catch(() => undefined);
    const isTaken = answer?.status === 200 && !answer.body.includes('"code"');
    run.tookMs.push(performance.now() - startedMs);
    if (isTaken) run.beats += BATCH;
    else run.failures += BATCH;
  }

  #body(): string {
    const beats: string[] = [];
    for (let at = 0; at < BATCH; at++) {
      if (this.#next === 0) this.#sequence += 1;
      const stats = '{"requests":12,"errors":0,"latencyMs":45.5,"cpu":0.3,"memoryBytes":120000000,"queue":2}';
      beats.push(
        `{"agentId":"${this.ids[this.#next]}","sequence":${this.#sequence},"state":"RUNNING","version":"1.0.0","configVersion":1,"checks":[{"name":"db","ok":true}],"stats":${stats}}`,
      );
      this.#next = (this.#next + 1) % this.ids.length;
    }
    return `{"query":${JSON.stringify(BEAT_MANY)},"variables":{"input":{"beats":[${beats.join(',')}]}}}`;
  }
}

/** Rows of agents that were updated, ever. */
async function written(database: Client): Promise<number> {
  // The server tells its figures a second late.
  await new Promise((resolve) => setTimeout(resolve, 1_500));
  const { rows } = await database.query(
    `select n_tup_upd::int as count from pg_stat_user_tables where relname = 'agent' and schemaname = 'agents'`,
  );
  return rows[0].count;
}

function memoryKb({ pid }: ChildProcess, name: string): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)?.[1]);
}

/** Processor time so far, milliseconds. */
function cpuMsOf({ pid }: ChildProcess): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) * 10;
}
