import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { HOUSE_NAMES } from '../../cli/platform/processes.ts';
import { freePort } from '../../lib/postgres/local.ts';
import { builtOnce } from '../support/build.ts';
import { emptyDatabase, TEST_SECRET } from '../support/database.ts';
import { until } from '../support/until.ts';

const ROOT = path.resolve(__dirname, '../..');
const TOKEN = 'the-admin-token-of-parts-alone';

beforeAll(() => builtOnce(), 180_000);

describe('parts run alone, as containers do', () => {
  const parts: ChildProcess[] = [];
  let env: Record<string, string>;
  let port: number;

  const start = (...args: string[]) => {
    const child = spawn(process.execPath, ['dist/cli/start.js', ...args], { cwd: ROOT, env, stdio: 'ignore' });
    parts.push(child);
    return child;
  };
  const isReady = async (address: string) => {
    const answer = await fetch(`${address}/readyz`).catch(() => undefined);
    await answer?.arrayBuffer();
    return answer?.status === 200;
  };

  beforeAll(async () => {
    port = await freePort();
    const addresses: string[] = [];
    for (const name of HOUSE_NAMES) addresses.push(`${name}=http://127.0.0.1:${await freePort()}`);
    env = {
      PATH: process.env['PATH'] as string,
      DATABASE_URL: await emptyDatabase(),
      FLEET_SECRET: TEST_SECRET,
      FLEET_ADMIN_TOKEN: TOKEN,
      FLEET_HOUSES: addresses.join(','),
      FLEET_DATA: mkdtempSync(path.join(tmpdir(), 'fleetgraph-alone-')),
      PORT: String(port),
      // Spans are waiting when it is told to end, and nobody is there to take them.
      FLEET_TRACE_RATIO: '1',
    };
  });
  afterAll(() => {
    for (const part of parts) part.kill('SIGKILL');
  });

  test('a subgraph makes its own role and tables, serves, and refuses unsigned calls', async () => {
    start('subgraph', 'agents');
    const address = (env['FLEET_HOUSES'] as string).split(',')[0]?.split('=')[1] as string;
    await until(() => isReady(address));
    const unsigned = await fetch(`${address}/graphql`, { method: 'POST', body: '{"query":"{ fleet { total } }"}' });
    expect(unsigned.status).toBe(401);
  });

  test('a router answers from the houses that are there, and is not ready without the others', async () => {
    start('router');
    const ask = async (query: string) => {
      const response = await fetch(`http://127.0.0.1:${port}/graphql`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: `Bearer ${TOKEN}` },
        body: JSON.stringify({ query }),
      }).catch(() => undefined);
      return response
        ? ((await response.json()) as { data?: object; errors?: { extensions: { code: string } }[] })
        : undefined;
    };
    const answer = await until(() => ask('{ fleet { total } metrics { nodes { name } } }'));
    expect(answer).toMatchObject({
      data: { fleet: { total: 0 }, metrics: null },
      errors: [{ extensions: { code: 'SUBGRAPH_UNAVAILABLE' } }],
    });
    expect(await isReady(`http://127.0.0.1:${port}`)).toBe(false);
  });

  test('each ends with exit code 0 when it is told to', async () => {
    const codes = parts.map((part) => new Promise((resolve) => part.once('close', resolve)));
    for (const part of parts) part.kill('SIGTERM');
    expect(await Promise.all(codes)).toEqual([0, 0]);
  });
});
