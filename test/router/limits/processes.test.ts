import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { freePort } from '../../../lib/postgres/local.ts';
import { composeSupergraph } from '../../../router/compose.ts';
import { builtOnce } from '../../support/build.ts';
import { emptyDatabase } from '../../support/database.ts';
import { hasRedis, startRedis, type TestRedis } from '../../support/redis.ts';
import { until } from '../../support/until.ts';
import { plainServer } from '../edge/support.ts';

const ROOT = path.resolve(__dirname, '../../..');
const TOKEN = 'sixteen-characters-or-more';
const LIMIT = 100;
const ROUTERS = 4;
/** A hundred points, of which one comes back in a thousand seconds. */
const RATES = { FLEET_ADMIN_RPS: '1000', FLEET_COST_PER_REQUEST: '0.000001', FLEET_COST_BURST_S: '100000' };

let subgraph: Awaited<ReturnType<typeof plainServer>>;
let supergraph: string;
/** Calls that came to the subgraph. */
let received = 0;
let redis: TestRedis | undefined;
beforeAll(async () => {
  await builtOnce();
  redis = hasRedis ? await startRedis() : undefined;
  subgraph = await plainServer((_request, response) => {
    received += 1;
    response.setHeader('content-type', 'application/json');
    response.end('{"data":{"hello":"you"}}');
  });
  supergraph = path.join(mkdtempSync(path.join(tmpdir(), 'limits-')), 'supergraph.graphql');
  const sdl = 'extend schema @link(url: "https://specs.apollo.dev/federation/v2.9") type Query { hello: String }';
  writeFileSync(supergraph, composeSupergraph([{ name: 'hello', url: `${subgraph.url}/graphql`, sdl }]));
}, 180_000);
afterAll(async () => {
  await subgraph.stop();
  await redis?.kill();
});

const spawned: ChildProcess[] = [];
afterEach(async () => {
  const ended = spawned.map((child) => new Promise((resolve) => child.once('exit', resolve)));
  for (const child of spawned.splice(0)) child.kill('SIGKILL');
  await Promise.all(ended);
});

async function routersOn(store: Record<string, string>): Promise<string[]> {
  const ports = await Promise.all(Array.from({ length: ROUTERS }, () => freePort()));
  for (const port of ports) {
    const env = { ...process.env, ...RATES, ...store, PORT: String(port), SUPERGRAPH_PATH: supergraph };
    const child = spawn(process.execPath, [path.join(ROOT, 'dist/router/main.js')], {
      env: { ...env, FLEET_ADMIN_TOKEN: TOKEN, FLEET_LOG_LEVEL: 'error' },
      stdio: 'ignore',
    });
    spawned.push(child);
  }
  const urls = ports.map((port) => `http://127.0.0.1:${port}`);
  await Promise.all(
    urls.map((url) =>
      until(async () =>
        fetch(`${url}/health`).then(
          ({ ok }) => ok,
          () => false,
        ),
      ),
    ),
  );
  return urls;
}

const ask = (url: string, query = '{ hello }') =>
  fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${TOKEN}` },
    body: JSON.stringify({ query }),
  });

/** Sends many requests to all routers at once. @returns how many each router answered with each status */
async function flood(urls: readonly string[]): Promise<{ admitted: number; limited: number; perRouter: number[] }> {
  const perRouter = urls.map(() => 0);
  let limited = 0;
  await Promise.all(
    Array.from({ length: 6 * LIMIT }, async (_, at) => {
      const { status, headers, body } = await ask(urls[at % urls.length] as string);
      await body?.cancel();
      expect(headers.get('ratelimit')).toMatch(/"cost";r=\d+;t=\d+/);
      if (status === 200) perRouter[at % urls.length] = (perRouter[at % urls.length] ?? 0) + 1;
      else if (status === 429 && Number(headers.get('retry-after')) >= 1) limited += 1;
    }),
  );
  return { admitted: perRouter.reduce((sum, each) => sum + each, 0), limited, perRouter };
}

test('four routers on one PostgreSQL admit exactly the limit together', async () => {
  const urls = await routersOn({ FLEET_LIMITS_URL: await emptyDatabase() });
  expect(await flood(urls)).toMatchObject({ admitted: LIMIT, limited: 5 * LIMIT });
});

const ON_REDIS = 'four routers on one Redis admit exactly the limit together';
test(
  hasRedis ? ON_REDIS : 'there is no redis-server here (.ci/run installs one): four routers on it are not tested',
  async () => {
    if (!redis) return expect(hasRedis).toBe(false);
    const urls = await routersOn({ FLEET_LIMITS_URL: redis.url });
    expect(await flood(urls)).toMatchObject({ admitted: LIMIT, limited: 5 * LIMIT });
  },
);

test('four routers on one PostgreSQL count their calls to a subgraph together', async () => {
  const [perSecond, calls] = [5, 100];
  const urls = await routersOn({
    FLEET_LIMITS_URL: await emptyDatabase(),
    FLEET_COST_PER_REQUEST: '100',
    FLEET_SUBGRAPHS: JSON.stringify({ hello: { callsPerSecond: perSecond } }),
  });
  const startedMs = Date.now();
  received = 0;
  const answers = await Promise.all(
    Array.from({ length: calls }, async (_, at) => {
      const answer = await ask(urls[at % urls.length] as string, `{ a${at}: hello }`);
      return (await answer.json()) as { errors?: { extensions: { code: string } }[] };
    }),
  );
  const mostBack = perSecond * (2 + (Date.now() - startedMs) / 1_000);
  const limited = answers.flatMap(({ errors = [] }) =>
    errors.filter(({ extensions }) => extensions.code === 'RATE_LIMITED'),
  );
  expect(limited.length).toBeGreaterThan(0);
  expect(received).toBeLessThanOrEqual(Math.min(mostBack, 200 - limited.length));
  expect(received).toBeGreaterThanOrEqual(perSecond);
  for (const { extensions } of limited) {
    expect(extensions).toMatchObject({ subgraph: 'hello', retryAfterMs: expect.any(Number) });
  }
});

test('four routers without a store admit exactly the limit each', async () => {
  const { perRouter } = await flood(await routersOn({}));
  expect(perRouter).toEqual(Array(ROUTERS).fill(LIMIT));
});
