import { Known } from '../../cli/debug/live.ts';
import { type Examination, type Patient } from '../../cli/debug/patient.ts';
import { sectionsOf } from '../../cli/debug/sections.ts';
import { STANDARD_COLUMNS } from '../../cli/output/log-line.ts';
import { nearNames } from '../../cli/output/near-names.ts';
import { ContractServer, Whole } from '../sdk/contract-server.ts';
import { until } from '../support/until.ts';
import { Terminal } from './terminal.ts';

const AT = '2026-01-01T00:00:00.000Z';
const NOW_MS = Date.parse(AT) + 60_000;
const AGENT: Patient = {
  ...{ id: 'id-1', name: 'coder-01', kind: 'coder', version: '1.0.0', desiredVersion: '2.0.0', restarts: 2 },
  ...{ state: 'FAILED', desiredState: 'RUNNING', presence: 'ONLINE', lastSeenAt: AT },
  ...{ config: { model: 'small\u001b[2J' }, configVersion: 3, observedConfigVersion: 2 },
  drift: { since: AT, toldAt: AT },
  health: {
    score: 60,
    grade: 'DEGRADED',
    penalties: [{ factor: 'ERRORS', reason: 'requests fail', points: 40, evidence: '5 of 10' }],
  },
  rootCause: { name: 'database-1', state: 'FAILED' },
  events: {
    nodes: [
      { id: 'e1', occurredAt: AT, name: 'command.issued', detail: { command: 'reindex' }, actor: { name: 'Olga' } },
    ],
  },
};
const MAIL = [{ id: 'm1', name: 'reindex', arguments: { shard: 3 }, issuedAt: AT, issuedBy: { name: 'Olga' } }];
const LINE = {
  ...{ id: 'l1', time: AT, severity: 'ERROR', service: 'coder-01', body: 'no disk', attributes: {} },
  ...{ traceId: null, spanId: null, agent: { name: 'coder-01' } },
};
const GROUP = {
  ...{
    id: 'g1',
    state: 'UNRESOLVED',
    message: 'no disk',
    place: 'disk.ts:7',
    code: 'ENOSPC',
    count: 4,
    lastSeenAt: AT,
  },
  trace: { traceId: 'b'.repeat(32) },
};
const NOTHING_WRONG: Patient = {
  ...AGENT,
  ...{ desiredVersion: null, state: 'RUNNING', drift: null, rootCause: null, observedConfigVersion: null },
  ...{ health: { score: 100, grade: 'HEALTHY', penalties: [] }, events: { nodes: [] } },
};
const SPAN = {
  spanId: 's1',
  parentSpanId: null,
  name: 'task',
  service: 'coder-01',
  startedAt: AT,
  durationMs: 12.34,
  error: false,
};
const style = { nowMs: NOW_MS, width: undefined, lines: { columns: STANDARD_COLUMNS, isColoured: false } };

describe('the sections of an agent', () => {
  const examined: Examination = { agent: AGENT, mailbox: MAIL, errors: [GROUP], logs: [LINE], cursor: 'c' };

  test('say what is wrong, what waits, and what was said', () => {
    expect(sectionsOf(examined, style)).toEqual([
      'STATE',
      '  coder-01, a coder 1.0.0, should run 2.0.0',
      '  FAILED, asked to be RUNNING, ONLINE, last beat 1m ago, 2 restarts',
      'HEALTH',
      '  DEGRADED, 60 of 100',
      '  POINTS  FACTOR  WHY            EVIDENCE',
      '     -40  ERRORS  requests fail  5 of 10',
      '  the cause is database-1 (FAILED)',
      'CONFIG',
      '  version 3, it works by version 2',
      '  drifts since 1m, told 1m ago',
      '  {"model":"small\\u001b[2J"}',
      'MAILBOX (1)',
      '  COMMAND  WAITS  FROM  ARGUMENTS',
      '  reindex     1m  Olga  {"shard":3}',
      'ERRORS of the last day',
      '  TIMES  LAST  STATE       ERROR            PLACE      TRACE',
      `      4    1m  UNRESOLVED  ENOSPC: no disk  disk.ts:7  ${'b'.repeat(32)}`,
      'STORY',
      `  ${AT} command.issued {"command":"reindex"} by Olga`,
      'LOG',
      `  ${AT} ERROR coder-01  no disk`,
    ]);
  });

  test('say that there is none, and what could not be asked', () => {
    expect(sectionsOf({ ...examined, agent: NOTHING_WRONG, mailbox: [], errors: [], logs: [] }, style)).toEqual([
      ...['STATE', '  coder-01, a coder 1.0.0', '  RUNNING, ONLINE, last beat 1m ago, 2 restarts'],
      ...['HEALTH', '  HEALTHY, 100 of 100', 'CONFIG', '  version 3, it has not said by which it works'],
      ...['  {"model":"small\\u001b[2J"}', 'MAILBOX (0)', '  none', 'ERRORS of the last day', '  none'],
      ...['STORY', '  none', 'LOG', '  none'],
    ]);
    const inEffect = { ...NOTHING_WRONG, observedConfigVersion: 3 };
    const bare = sectionsOf(
      { ...examined, agent: inEffect, mailbox: null, errors: null, logs: null },
      { ...style, width: 40 },
    );
    expect(bare.filter((line) => line === '  could not be asked')).toHaveLength(3);
    expect(bare).toContain('  version 3, in effect');
  });

  test('near names are those that differ little, or begin so', () => {
    expect(nearNames('coder-1', ['coder-01', 'coder-10', 'planner-01', 'decoder-1'])).toEqual([
      'coder-10',
      'coder-01',
      'decoder-1',
    ]);
    expect(nearNames('xyz', ['coder-01'])).toEqual([]);
    const known = new Known(2);
    expect(['a', 'a', 'b', 'c', 'a'].map((id) => known.isNew(id))).toEqual([true, false, true, true, true]);
  });
});

describe('fleet debug and fleet trace', () => {
  const server = new ContractServer();
  const terminal = new Terminal();
  const fleet = (...words: string[]) => terminal.run(...words);
  const before = { ...process.env };
  beforeAll(async () => {
    await server.start();
    Object.assign(process.env, { FLEET_URL: server.url, FLEET_TOKEN: 'operator-token' });
  });
  beforeEach(() => {
    Object.assign(server.fields, {
      agent: ({ query }: { query: string }) => (query.includes('pendingCommands') ? { pendingCommands: MAIL } : AGENT),
      errorGroups: () => ({ nodes: [GROUP] }),
      logs: () => ({ changeCursor: 'here', totalCount: 0, nodes: [LINE] }),
      agents: () => ({ nodes: [{ name: 'coder-01' }], pageInfo: { hasNextPage: false, endCursor: null } }),
    });
  });
  afterAll(async () => {
    process.env = before;
    terminal.close();
    await server.stop();
  });

  test('--once says it all and ends; --json is one object', async () => {
    const { out, code } = await fleet('debug', 'coder-01', '--once');
    expect([code, out.split('\n').filter((line) => /^[A-Z]/.test(line))]).toEqual([
      0,
      ['STATE', 'HEALTH', 'CONFIG', 'MAILBOX (1)', 'ERRORS of the last day', 'STORY', 'LOG'],
    ]);
    const json = JSON.parse((await fleet('debug', 'coder-01', '--once', '--json')).out) as object;
    expect(json).toEqual({ agent: AGENT, mailbox: MAIL, errors: [GROUP], logs: [LINE] });
  });

  test('an unknown agent is told with the names that are near, a part that may not be had with its code', async () => {
    server.fields['agent'] = () => null;
    expect(await fleet('debug', 'coder-1', '--once')).toMatchObject({
      code: 4,
      err: 'fleet: there is no agent coder-1; did you mean coder-01? (NOT_FOUND)\n',
    });
    const forbidden = [{ message: 'not yours', path: ['agent'], extensions: { code: 'FORBIDDEN' } }];
    server.fields['agent'] = () => new Whole({ body: { data: { agent: null }, errors: forbidden } });
    expect(await fleet('debug', 'coder-01')).toMatchObject({ code: 3, out: '', err: 'fleet: not yours (FORBIDDEN)\n' });
    server.fields['agent'] = ({ query }) =>
      query.includes('pendingCommands') ? new Whole({ body: { errors: forbidden } }) : AGENT;
    const { out, err, code } = await fleet('debug', 'coder-01', '--once');
    expect([code, err]).toEqual([3, 'fleet: the answer: not yours\n']);
    expect(out).toContain('MAILBOX\n  could not be asked\n');
  });

  test('then it goes on with what happens, over a platform that is away for a while', async () => {
    let spans: object[] = [];
    let events = AGENT.events.nodes;
    const asked = server.fields['agent'] as (call: { query: string }) => unknown;
    server.fields['agent'] = (call) =>
      call.query.includes('DebugLive')
        ? { events: { nodes: events }, traces: { nodes: [{ traceId: 'b'.repeat(32), spans }] } }
        : asked(call);
    const running = fleet('debug', 'coder-01');
    await until(() => server.streams.size === 2);
    expect(server.calls.find(({ query }) => query.includes('DebugLog'))?.variables).toEqual({
      ...{ filter: { agentIds: ['id-1'] }, after: 'here' },
    });
    const node = { ...NOTHING_WRONG, state: 'STARTING', desiredState: 'RUNNING' };
    const data = {
      logTail: { cursor: '2', missed: 3, entries: [{ ...LINE, id: 'l2', body: 'there is room' }] },
      agentChanged: { cursor: '2', occurredAt: AT, kind: 'UPDATED', node },
    };
    server.push(`event: next\ndata: ${JSON.stringify({ data })}\n\n`);
    await until(() => terminal.out.includes('agent  ') && terminal.out.includes('there is room'));
    await until(() => server.calls.some(({ query }) => query.includes('DebugLive')));
    server.gate = () => ({
      status: 503,
      body: { errors: [{ message: 'drains', extensions: { code: 'UNAVAILABLE', retryable: true } }] },
    });
    await until(() => terminal.out.includes('!      drains'));
    const own = { ...SPAN, agent: { id: 'id-1' } };
    spans = [own, { ...SPAN, spanId: 's2', name: 'another agent’s', agent: null }];
    events = [
      { id: 'e2', occurredAt: AT, name: 'command.completed', detail: { outcome: 'DONE' }, actor: { name: 'coder-01' } },
      ...events,
    ];
    server.gate = () => undefined;
    await until(() => terminal.out.includes('span   '));
    server.push('event: complete\n\n');
    expect((await running).code).toBe(0);
    const live = terminal.out.split('\n').filter((line) => /^(log|agent|story|span|!) /.test(line));
    // Logs and changes come by two streams: which is first is chance.
    expect([...live.slice(0, 3).sort(), ...live.slice(3)]).toEqual([
      `agent  ${AT} STARTING, asked to be RUNNING, ONLINE, HEALTHY 100, configuration - of 3`,
      `log    ${AT} ERROR coder-01  there is room`,
      'log    3 lines were not sent',
      '!      drains',
      '!      the platform answers again',
      `story  ${AT} command.completed {"outcome":"DONE"} by coder-01`,
      `span   ${AT} task 12.3 ms ${'b'.repeat(32)}`,
    ]);
  });

  test('a trace is drawn by its id, or the last one; one that was not recorded is said to be', async () => {
    const trace = {
      traceId: 'b'.repeat(32),
      startedAt: AT,
      durationMs: 12.34,
      errors: 0,
      spans: [SPAN],
      logs: { nodes: [] },
    };
    server.fields['trace'] = () => trace;
    server.fields['traces'] = () => ({ nodes: [trace] });
    const drawn = `task  12.3 ms  ${'b'.repeat(32)}\n${'task'.padEnd(48)} ▕${'█'.repeat(24)}▏   12.3 ms  coder-01\n`;
    expect(await fleet('trace', 'B'.repeat(32))).toEqual({ out: drawn, err: '', code: 0 });
    expect((await fleet('trace', 'last')).out).toBe(drawn);
    expect(server.calls.find(({ query }) => query.includes('LastRequest'))?.variables['filter']).toMatchObject({
      range: { last: 'PT1M' },
      query: expect.stringContaining('service:fleetgraph.router kind:SERVER -name:"mutation AgentBeat"'),
    });
    expect(JSON.parse((await fleet('trace', 'last', '--json')).out)).toEqual(trace);
    server.fields['traces'] = () => ({ nodes: [] });
    expect(await fleet('trace', 'last')).toMatchObject({ code: 4, err: expect.stringContaining('FLEET_TRACE_RATIO') });
    server.fields['trace'] = () => ({ ...trace, spans: [] });
    expect((await fleet('trace', 'b'.repeat(32))).err).toContain('nothing is kept of trace');
    server.fields['logs'] = () => ({ totalCount: 2 });
    expect(await fleet('trace', 'b'.repeat(32))).toMatchObject({
      code: 4,
      err: expect.stringContaining('2 lines were logged'),
    });
    expect((await fleet('trace', 'first')).code).toBe(2);
  });
});
