import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { register } from 'prom-client';
import { type Running, runHouses } from '../../cli/platform/houses.ts';
import { HOUSE_NAMES } from '../../cli/platform/processes.ts';
import { runRouter } from '../../cli/platform/router.ts';
import { processFlags } from '../../cli/platform/surroundings.ts';
import { silentLog } from '../../lib/log.ts';
import { freePort } from '../../lib/postgres/local.ts';
import { loadSettings } from '../../lib/settings/index.ts';
import { emptyDatabase, TEST_SECRET } from './database.ts';
import type { Answer } from './house.ts';
import { until } from './until.ts';

const ADMIN_TOKEN = 'the-admin-token-of-a-test-platform';

/** The whole platform in this process, on a database of its own: what a spawned one is, but its lines are covered. */
export interface TestPlatform {
  url: string;
  token: string;
  ask(query: string, variables?: object, headers?: Record<string, string>): Promise<Answer>;
  fetch(path: string, init?: RequestInit): Promise<Response>;
  stop(): Promise<void>;
}

export async function startTestPlatform(env: Record<string, string> = {}): Promise<TestPlatform> {
  const data = mkdtempSync(path.join(tmpdir(), 'fleetgraph-platform-'));
  const addresses: string[] = [];
  for (const name of HOUSE_NAMES) addresses.push(`${name}=http://127.0.0.1:${await freePort()}`);
  const settings = loadSettings({
    DATABASE_URL: await emptyDatabase(),
    FLEET_DATA: data,
    FLEET_HOUSES: addresses.join(','),
    FLEET_ADMIN_TOKEN: ADMIN_TOKEN,
    PORT: String(await freePort()),
    FLEET_FLAGS: process.env['FLEET_FLAGS'],
    ...env,
  });
  const flags = processFlags(settings, silentLog);
  const common = { settings, secret: TEST_SECRET, log: silentLog, flags, metrics: () => register.metrics() };
  const houses: Running = await runHouses({ ...common, names: HOUSE_NAMES });
  const router = await runRouter(common);
  const call = (place: string, init: RequestInit = {}) =>
    fetch(`${router.url}${place}`, { ...init, headers: { authorization: `Bearer ${ADMIN_TOKEN}`, ...init.headers } });
  await until(async () => (await call('/readyz')).status === 200);
  return {
    url: router.url,
    token: ADMIN_TOKEN,
    fetch: call,
    async ask(query, variables = {}, headers = {}) {
      const response = await call('/graphql', {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body: JSON.stringify({ query, variables }),
      });
      return (await response.json()) as Answer;
    },
    async stop() {
      await router.stop();
      await houses.stop();
      flags.close();
      rmSync(data, { recursive: true, force: true });
    },
  };
}
