import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { buildSchema, graphqlSync } from 'graphql';
import { ContractServer, Whole } from '../sdk/contract-server.ts';
import { until } from '../support/until.ts';
import { Terminal } from './terminal.ts';

type Json = Record<string, unknown>;

const AGENT = {
  id: 'agent-1',
  name: 'coder-01',
  kind: 'coder',
  version: '3.0.1',
  state: 'RUNNING',
  desiredState: 'RUNNING',
  presence: 'ONLINE',
  health: { score: 100, grade: 'HEALTHY' },
  labels: { team: 'atlas' },
  lastSeenAt: new Date(Date.now() - 5_400_000).toISOString(),
  restarts: 2,
};
const ALERT = {
  id: 'alert-1',
  name: 'agent-offline',
  severity: 'CRITICAL',
  state: 'FIRING',
  startedAt: new Date(Date.now() - 7_200_000).toISOString(),
  firedAt: null,
  acknowledgement: null,
  agent: { name: 'coder-01' },
};
const LINE = {
  id: 'log-1',
  time: '2026-01-01T00:00:00.000Z',
  severity: 'WARN',
  service: 'coder-01',
  body: 'slow\u001b[2J',
  attributes: { tries: 3, tool: 'git' },
  agent: null,
};
const refused = (code: string) => ({ userErrors: [{ code, message: `it is ${code}` }] });

describe('the commands', () => {
  const server = new ContractServer();
  const terminal = new Terminal();
  const fleet = (...words: string[]) => terminal.run(...words);
  const before = { ...process.env };

  beforeAll(async () => {
    await server.start();
    Object.assign(process.env, { FLEET_URL: server.url, FLEET_TOKEN: 'viewer-token' });
    delete process.env['FLEET_DATA'];
  });
  afterEach(() => {
    server.gate = () => undefined;
    server.calls.length = 0;
    server.streams.clear();
    terminal.columns = undefined;
    terminal.stdin = '';
  });
  afterAll(async () => {
    process.env = before;
    terminal.close();
    await server.stop();
  });
  const asked = (): Json => server.calls.at(-1)?.variables as Json;
  const page = (nodes: object[], more: Json = {}) => ({
    totalCount: nodes.length,
    changeCursor: 'here',
    pageInfo: { hasNextPage: false, endCursor: null },
    nodes,
    ...more,
  });

  test('agents are shown as a table, filtered as asked, page after page', async () => {
    const pages = [
      page([AGENT], { totalCount: 3, pageInfo: { hasNextPage: true, endCursor: 'p1' } }),
      page([{ ...AGENT, name: 'coder-02', state: 'STARTING', lastSeenAt: null }], { totalCount: 3 }),
    ];
    server.fields['agents'] = () => pages.shift();
    const shown = await fleet(
      'agents',
      'kind:coder',
      '--state',
      'running,starting',
      '--kind',
      'coder',
      '--presence',
      'online',
      '--label',
      'team=atlas',
      '--label',
      'zone!=eu,rank=~[1-3],odd',
    );
    expect(shown.out).toBe(
      [
        'NAME      KIND   VERSION  STATE               PRESENCE  HEALTH       RESTARTS  SEEN',
        'coder-01  coder  3.0.1    RUNNING             ONLINE    100 HEALTHY         2    1h',
        'coder-02  coder  3.0.1    STARTING → RUNNING  ONLINE    100 HEALTHY         2     -',
        '',
      ].join('\n'),
    );
    expect(shown).toMatchObject({ err: '2 of 3\n', code: 0 });
    expect(server.calls[0]?.token).toBe('viewer-token');
    expect(asked()).toEqual({
      first: 100,
      after: 'p1',
      filter: {
        query: 'kind:coder',
        kinds: ['coder'],
        states: ['RUNNING', 'STARTING'],
        presences: ['ONLINE'],
        labels: [
          { name: 'team', op: 'EQ', value: 'atlas' },
          { name: 'zone', op: 'NE', value: 'eu' },
          { name: 'rank', op: 'RE', value: '[1-3]' },
          { name: 'odd', op: 'EQ', value: '' },
        ],
      },
    });
  });

  test('scripts get JSON, terminals get lines no wider than they are', async () => {
    server.fields['agents'] = () => page([AGENT]);
    const { out } = await fleet('agents', '--json', '--limit', '1');
    expect(JSON.parse(out)).toEqual([AGENT]);
    expect(JSON.parse((await fleet('--json', 'agents')).out)).toEqual([AGENT]);
    terminal.columns = 20;
    expect((await fleet('agents')).out).toBe('NAME      KIND   VE…\ncoder-01  coder  3.…\n');
  });

  test('what a dead house owes is told beside what the others gave', async () => {
    const agents = new Whole({
      body: {
        data: { agents: null },
        errors: [
          { message: 'agents cannot answer now', path: ['agents'], extensions: { code: 'SUBGRAPH_UNAVAILABLE' } },
        ],
      },
    });
    server.fields['agents'] = () => agents;
    expect(await fleet('agents', '--json')).toEqual({
      out: '[]\n',
      err: 'fleet: agents: agents cannot answer now\n',
      code: 6,
    });
    server.fields['router'] = () =>
      new Whole({
        body: {
          data: { router: null, fleet: null, alerts: null, auditCheckpoint: null },
          errors: [{ message: 'odd' }],
        },
      });
    expect(await fleet('status')).toEqual({ out: '', err: 'fleet: the answer: odd\n', code: 1 });
  });

  test('status shows the fleet and each subgraph', async () => {
    const times = { loadedAt: new Date(Date.now() - 3 * 86_400_000).toISOString() };
    const breaker = { state: 'OPEN', override: 'OPEN' };
    const figures = {
      requestsPerSecond: 12.34,
      errorRatio: 0.015,
      p50Ms: 1.26,
      p99Ms: 9.9,
      replicas: [{ healthy: true }, { healthy: false }],
    };
    server.fields['router'] = () =>
      new Whole({
        body: {
          data: {
            router: {
              version: '0.1.0',
              subscriptions: 3,
              ...times,
              subgraphs: [
                { name: 'logs', breaker, ...figures },
                { name: 'audit', breaker: { state: 'CLOSED', override: 'AUTO' }, ...figures },
              ],
            },
            fleet: {
              total: 2,
              health: 99.6,
              byState: [
                { state: 'RUNNING', count: 2 },
                { state: 'FAILED', count: 0 },
              ],
              byPresence: [],
              kinds: [{ kind: 'coder', count: 2 }],
            },
            alerts: { totalCount: null },
            auditCheckpoint: { size: '17', createdAt: new Date().toISOString() },
          },
        },
      });
    const { out, code } = await fleet('status');
    expect(code).toBe(0);
    expect(out).toContain('agents    2, health 100 of 100\n          2 running\n          none\n          2 coder\n');
    expect(out).toContain(
      'alerts    many firing\naudit     17 entries, checkpoint 0s ago\nrouter    0.1.0, up 3d, 3 subscriptions\n',
    );
    expect(out).toContain('logs      OPEN (forced)       1/2   12.3    1.5%  1.3ms  9.9ms\n');
    expect(out).toContain('audit     CLOSED              1/2');
  });

  test('logs are shown newest last, without what would play with the terminal', async () => {
    server.fields['logs'] = () => page([{ ...LINE, id: 'log-2', agent: { name: 'the agent' }, attributes: {} }, LINE]);
    const { out } = await fleet(
      'logs',
      'severity:WARN',
      'slow',
      '--service',
      'coder-01',
      '--severity',
      'warn',
      '--since',
      '15m',
      '--trace',
      'abc',
      '--limit',
      '2',
    );
    expect(out).toBe(
      '2026-01-01T00:00:00.000Z WARN  coder-01  slow [2J  tries=3 tool=git\n2026-01-01T00:00:00.000Z WARN  the agent  slow [2J\n',
    );
    expect(asked()).toEqual({
      first: 2,
      filter: {
        query: 'severity:WARN slow',
        services: ['coder-01'],
        minSeverity: 'WARN',
        traceId: 'abc',
        range: { last: 'PT15M' },
      },
    });
    await fleet('logs', '--since', '2d');
    expect(asked()).toMatchObject({ filter: { range: { last: 'P2D' } } });
    await fleet('logs', '--since', 'P1W');
    expect(asked()).toMatchObject({ filter: { range: { last: 'P1W' } } });
  });

  test('following logs goes on where the page ended, over a lost connection', async () => {
    server.fields['logs'] = () => page([LINE]);
    const following = fleet('logs', '--follow', '--json');
    const tail = (cursor: string, missed: number) =>
      `event: next\nid: ${cursor}\ndata: ${JSON.stringify({ data: { logTail: { cursor, missed, entries: [{ ...LINE, id: cursor }] } } })}\n\n`;
    await until(() => server.streams.size === 1);
    server.push(tail('c1', 0));
    await until(() => terminal.out.includes('"c1"'));
    for (const stream of server.streams) stream.destroy();
    server.streams.clear();
    await until(() => server.streams.size === 1);
    server.push(`${tail('c2', 4)}event: complete\n\n`);
    const { out, err, code } = await following;
    expect(
      out
        .trim()
        .split('\n')
        .map((line) => (JSON.parse(line) as Json)['id']),
    ).toEqual(['log-1', 'c1', 'c2']);
    expect({ err, code }).toEqual({ err: 'fleet: 4 lines were not sent\n', code: 0 });
    expect(server.calls.slice(1).map(({ variables }) => variables['after'])).toEqual(['here', 'c1']);
  });

  test('alerts are shown, and watched from where the page ended', async () => {
    server.fields['alerts'] = () => page([ALERT]);
    const { out } = await fleet('alerts');
    expect(out).toBe(
      'SEVERITY  STATE   SINCE  NAME           AGENT     ACKNOWLEDGED  ID\nCRITICAL  FIRING     2h  agent-offline  coder-01  -             alert-1\n',
    );
    expect(asked()).toEqual({ first: 50, filter: { states: ['PENDING', 'FIRING', 'RECOVERING'] } });
    await fleet('alerts', 'offline', '--all', '--severity', 'critical');
    expect(asked()).toEqual({ first: 50, filter: { query: 'offline', severities: ['CRITICAL'] } });
    const watching = fleet('alerts', '--watch', '--state', 'firing');
    await until(() => server.streams.size === 1);
    expect(asked()).toEqual({ filter: { states: ['FIRING'] }, after: 'here' });
    const node = { ...ALERT, agent: null, acknowledgement: { by: { name: 'Ada' } } };
    server.push(
      `event: next\ndata: ${JSON.stringify({ data: { alertChanged: { cursor: '2', occurredAt: '2026-01-01T00:00:01.000Z', kind: 'UPDATED', node } } })}\n\n`,
    );
    server.push(
      `event: next\ndata: ${JSON.stringify({ data: { alertChanged: null }, errors: [{ message: 'join' }] })}\n\n`,
    );
    await until(() => terminal.out.includes('Ada'));
    terminal.hangUp();
    expect((await watching).out).toBe(
      `${ALERT.startedAt} CRITICAL FIRING     agent-offline  coder-01  alert-1\n2026-01-01T00:00:01.000Z CRITICAL FIRING     agent-offline  -  acknowledged by Ada  alert-1\n`,
    );
  });

  test('an alert is acknowledged, or the refusal ends the command', async () => {
    server.fields['acknowledgeAlert'] = () => ({
      alert: { ...ALERT, acknowledgement: { by: { name: 'Ada' } } },
      userErrors: [],
    });
    expect((await fleet('ack', 'alert-1', '--note', 'mine')).out).toBe(
      'agent-offline is FIRING, acknowledged by Ada\n',
    );
    expect(asked()).toEqual({ input: { id: 'alert-1', note: 'mine' } });
    server.fields['acknowledgeAlert'] = () => ({ alert: ALERT, userErrors: [] });
    expect((await fleet('ack', 'alert-1')).out).toContain('nobody');
    server.fields['acknowledgeAlert'] = () => refused('NOT_FOUND');
    expect(await fleet('ack', 'nope')).toEqual({ out: '', err: 'fleet: it is NOT_FOUND (NOT_FOUND)\n', code: 4 });
    server.fields['acknowledgeAlert'] = () => null;
    expect((await fleet('ack', 'nope')).code).toBe(1);
  });

  test('a query is printed whole, with its errors, from words or standard input', async () => {
    server.fields['viewer'] = ({ variables }) => variables;
    expect(
      JSON.parse((await fleet('query', 'query A { viewer }', '--variables', '{"a":1}', '--operation', 'A')).out),
    ).toEqual({ data: { viewer: { a: 1 } } });
    const file = path.join(terminal.root, 'variables.json');
    writeFileSync(file, '{"b":2}');
    terminal.stdin = '{ viewer }';
    expect(JSON.parse((await fleet('query', '-', '--variables', `@${file}`)).out)).toEqual({
      data: { viewer: { b: 2 } },
    });
    expect((await fleet('query', '{ viewer }', '--variables', '{')).code).toBe(2);
    const failed = await fleet('query', '{ nothing }');
    expect(failed).toMatchObject({ code: 5, err: 'fleet: no field nothing (BAD_INPUT)\n' });
    expect(JSON.parse(failed.out)).toEqual({
      errors: [{ message: 'no field nothing', extensions: { code: 'BAD_INPUT' } }],
    });
  });

  test('a subscription prints a line for each event', async () => {
    const running = fleet('query', '# news\nsubscription { news { cursor } }');
    await until(() => server.streams.size === 1);
    server.push('event: next\ndata: {"data":{"news":{"cursor":"1"}}}\n\nevent: complete\n\n');
    expect(await running).toEqual({ out: '{"data":{"news":{"cursor":"1"}}}\n', err: '', code: 0 });
  });

  test('a key’s secret stands alone on standard output', async () => {
    const apiKey = {
      id: 'key-1',
      name: 'ci',
      scopes: ['viewer', 'agent'],
      expiresAt: null,
      lastUsedAt: null,
      revokedAt: null,
    };
    server.fields['createApiKey'] = () => ({ secret: 'once', apiKey, userErrors: [] });
    const made = await fleet(
      'token',
      'create',
      'ci',
      '--scopes',
      'viewer,agent',
      '--rps',
      '5',
      '--expires',
      '2027-01-01T00:00:00Z',
    );
    expect(made.out).toBe('once\n');
    expect(made.err).toContain('key ci (viewer, agent), id key-1');
    expect(asked()).toEqual({
      input: { name: 'ci', scopes: ['viewer', 'agent'], requestsPerSecond: 5, expiresAt: '2027-01-01T00:00:00Z' },
    });
    expect(JSON.parse((await fleet('token', 'create', 'ci', '--scopes', 'viewer', '--json')).out)).toEqual({
      ...apiKey,
      secret: 'once',
    });
    server.fields['apiKeys'] = () => [apiKey];
    expect((await fleet('token', 'list')).out).toContain('ci    viewer,agent  -        -          -        key-1');
    server.fields['apiKeys'] = () => null;
    expect((await fleet('token', 'list')).code).toBe(0);
    server.fields['revokeApiKey'] = () => ({ apiKey, userErrors: [] });
    expect((await fleet('token', 'revoke', 'key-1', '--reason', 'leaked')).out).toBe('key ci is revoked\n');
    expect((await fleet('token', 'create', 'ci')).code).toBe(2);
  });

  test('the schema comes as SDL by introspection', async () => {
    const schema = buildSchema('"All there is." type Query { word: String }');
    server.fields['__schema'] = ({ query }) =>
      new Whole({ body: JSON.stringify(graphqlSync({ schema, source: query })) });
    expect((await fleet('schema')).out).toContain('"""All there is."""\ntype Query {\n  word: String\n}');
    expect(JSON.parse((await fleet('schema', '--json')).out)).toHaveProperty('__schema');
  });
});
