import { appendFileSync, existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Told } from '../../cli/dev/told.ts';
import { ContractServer } from '../sdk/contract-server.ts';
import { until } from '../support/until.ts';
import { Terminal } from './terminal.ts';

const ROOT = path.resolve(__dirname, '../..');
/** Stands in for the supervisor: ready at once, ends when it is told to or when its parent is gone. */
const SUPERVISOR = `
const { writeFileSync } = require('node:fs');
const { FLEET_TRACE_RATIO, FLEET_TOKEN, PORT, TEST_URL: url, TEST_IN_USE: isTaken } = process.env;
writeFileSync('supervisor.said', JSON.stringify({ words: process.argv.slice(2), FLEET_TRACE_RATIO, FLEET_TOKEN, PORT }));
if (isTaken) process.exit(73);
if (process.argv.includes('--split')) { console.error('fleetgraph cannot start: port 1 is taken'); process.exit(71); }
process.on('disconnect', () => process.exit(0));
process.on('message', ({ stop, restart }) => {
  if (stop) process.exit(0);
  if (restart?.includes('nobody')) process.exit(3);
});
process.send({ ready: true, url });
`;
const PROGRAM = `
console.log(process.env.FLEET_URL === process.env.TEST_URL, process.env.FLEET_TOKEN);
process.on('SIGTERM', () => { console.log('farewell'); process.exit(0); });
setInterval(() => {}, 1000);
`;

describe('a session of fleet dev', () => {
  const server = new ContractServer();
  const terminal = new Terminal();
  const before = { ...process.env };
  const file = (name: string, text: string) => {
    mkdirSync(path.dirname(path.join(terminal.root, name)), { recursive: true });
    writeFileSync(path.join(terminal.root, name), text);
  };
  const told = () =>
    terminal.out
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line) as Told);
  const of = (event: string) => told().filter((each) => each.event === event);
  const program = 'project/agent.js';

  beforeAll(async () => {
    await server.start();
    Object.assign(process.env, { TEST_URL: server.url });
    for (const name of ['FLEET_URL', 'FLEET_TOKEN', 'FLEET_DATA', 'FLEET_TRACE_RATIO']) delete process.env[name];
    file('dist/cli/start.js', SUPERVISOR);
    mkdirSync(path.join(terminal.root, 'dist/cli/dev'));
    symlinkSync(path.join(ROOT, 'dist/cli/dev/tie.js'), path.join(terminal.root, 'dist/cli/dev/tie.js'));
    file('.data/admin-token', 'the-token\n');
  });
  beforeEach(() => {
    file(program, PROGRAM);
    file('project/package.json', JSON.stringify({ name: 'translator', main: 'agent.js' }));
    const subgraph = { name: 'logs', breaker: { state: 'CLOSED' }, replicas: [{ healthy: true }] };
    const ok = () => ({ userErrors: [], alert: { id: 'alert' } });
    Object.assign(server.fields, {
      router: () => ({ subgraphs: [subgraph] }),
      agents: () => ({ changeCursor: 'c', nodes: [] }),
      traces: () => ({ nodes: [] }),
      savedLogSearches: () => [],
      ...Object.fromEntries(
        ['ingestLogs', 'applyAlertRule', 'raiseAlert', 'acknowledgeAlert', 'resolveAlert', 'applySavedLogSearch'].map(
          (name) => [name, ok],
        ),
      ),
    });
  });
  afterAll(async () => {
    process.env = before;
    terminal.close();
    await server.stop();
  });
  const isThere = (pid: number) =>
    existsSync(`/proc/${pid}/stat`) && !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'latin1'));

  test('a program runs beside the platform, is started anew as it changes, and all ends with Ctrl-C', async () => {
    const running = terminal.run('dev', 'project', '--json', '--port', '4711', '--grace', '1');
    await until(() => of('line').length);
    const said = JSON.parse(readFileSync(path.join(terminal.root, 'supervisor.said'), 'utf8')) as object;
    expect(said).toEqual({ words: [], FLEET_TRACE_RATIO: '1', PORT: '4711' });
    expect(of('line')[0]).toEqual({ event: 'line', program: 'translator', text: 'true the-token', isError: false });
    appendFileSync(path.join(terminal.root, program), '//\n');
    // Up to its first line it does not listen to signals yet.
    await until(() => of('line').length === 3);
    expect(of('program.started')[1]).toMatchObject({ files: ['agent.js'], tookMs: expect.any(Number) });
    file(program, 'process.exit(3)');
    await until(() => of('program.broken').length);
    expect(of('program.broken')).toEqual([
      { event: 'program.broken', program: 'translator', reason: 'ended with 3', said: '' },
    ]);
    file(program, PROGRAM);
    await until(() => of('line').length === 5);
    await until(() => of('seeded').length);
    const { pid } = of('program.started').at(-1) as unknown as { pid: number };
    expect(isThere(pid)).toBe(true);
    process.emit('SIGINT');
    expect(await running).toMatchObject({ code: 0, err: '' });
    expect(told().slice(-3)).toEqual([
      { event: 'stopping' },
      { event: 'line', program: 'translator', text: 'farewell', isError: false },
      { event: 'stopped' },
    ]);
    expect(isThere(pid)).toBe(false);
    expect(process.listenerCount('SIGINT')).toBe(0);
  });

  test('a second Ctrl-C does not wait for a program that will not end, nor for what it started', async () => {
    const stubborn = `process.on('SIGTERM', () => {}); setInterval(() => {}, 1000);`;
    file(
      program,
      `require('child_process').spawn(process.execPath, ['-e', ${JSON.stringify(stubborn)}]); ${stubborn} console.log('here')`,
    );
    const running = terminal.run('dev', 'project', '--json', '--no-demo', '--grace', '600');
    await until(() => of('line').length);
    process.emit('SIGINT');
    await until(() => of('stopping').length);
    process.emit('SIGINT');
    expect((await running).code).toBe(0);
    expect(server.calls.filter(({ query }) => query.includes('SeedLogs'))).toHaveLength(1);
  });

  test('what is there to see is told: houses, agents, the last request, and a platform that is away for a while', async () => {
    const startedAt = new Date(Date.now() - 60_000).toISOString();
    const trace = { traceId: 'a'.repeat(32), startedAt, durationMs: 3, errors: 0, spans: [], logs: null };
    const agent = { name: 'translator-7', state: 'RUNNING', presence: 'ONLINE', health: { score: 97 } };
    server.fields['agents'] = () => ({ changeCursor: 'c', nodes: [agent] });
    server.fields['savedLogSearches'] = () => [{ name: 'dev-failing' }];
    server.fields['trace'] = () => trace;
    mkdirSync(path.join(terminal.root, 'empty'), { recursive: true });
    terminal.columns = 60;
    const running = terminal.run('dev', 'empty');
    await until(() => terminal.out.includes('houses    logs ✓'));
    await until(() => server.streams.size);
    server.push(
      `event: next\ndata: ${JSON.stringify({ data: { agentChanged: { cursor: 'd', node: { ...agent, state: 'PAUSED' } } } })}\n\n`,
    );
    server.fields['traces'] = () => ({ nodes: [trace] });
    await until(() => terminal.out.includes(`request   no span  3.0 ms`));
    server.gate = () => ({
      status: 503,
      body: { errors: [{ message: 'drains', extensions: { code: 'UNAVAILABLE', retryable: true } }] },
    });
    await until(() => terminal.out.includes('platform  does not answer: drains'));
    server.gate = () => undefined;
    await until(() => terminal.out.includes('platform  answers again'));
    process.emit('SIGTERM');
    expect((await running).code).toBe(0);
    terminal.columns = undefined;
    for (const line of [
      'program   none in empty',
      'agent     translator-7 RUNNING',
      'agent     translator-7 PAUSED',
      'seeds     are there already',
    ])
      expect(terminal.out).toContain(line);
  });

  test('a platform that runs on the data folder, or is named, is joined and left alone; one that cannot start is told', async () => {
    process.env['TEST_IN_USE'] = 'yes';
    file('.data/supervisor.json', JSON.stringify({ pid: 1, url: server.url }));
    server.gate = (place) => (place === '/readyz' ? { body: {} } : undefined);
    const joining = terminal.run('dev', '--json', '--no-demo', '--', process.execPath, '-e', PROGRAM);
    await until(() => of('line').length);
    expect(of('platform.ready')).toMatchObject([{ url: server.url, isJoined: true }]);
    process.emit('SIGINT');
    expect((await joining).code).toBe(0);
    delete process.env['TEST_IN_USE'];
    rmSync(path.join(terminal.root, 'supervisor.said'));
    const named = terminal.run('dev', 'project', '--json', '--url', server.url, '--agents', '*.js');
    await until(() => of('line').length);
    process.emit('SIGHUP');
    expect([(await named).code, existsSync(path.join(terminal.root, 'supervisor.said'))]).toEqual([0, false]);
    expect(await terminal.run('dev', 'project', '--split')).toMatchObject({
      code: 6,
      err: 'fleet: fleetgraph cannot start: port 1 is taken (UNAVAILABLE)\n',
    });
  });

  test.each([
    [['dev', 'nowhere'], 4],
    [['dev', 'project', '--agents', 'nothing/*.js'], 4],
    [['dev', 'project', '.', '--', 'node'], 5],
    [['dev', '--port', '70000'], 2],
  ])('%j is refused with %s', async (words, code) => {
    expect((await terminal.run(...words)).code).toBe(code);
  });
});
