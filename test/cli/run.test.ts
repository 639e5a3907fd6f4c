import { readLine } from '../../cli/wrap/program-line.ts';
import { ContractServer, command } from '../sdk/contract-server.ts';
import { until } from '../support/until.ts';
import { Terminal } from './terminal.ts';

type Json = Record<string, unknown>;

describe('a line of a program', () => {
  test.each([
    ['2026-01-01 12:00:00 ERROR no disk', false, 'error'],
    ['[WARN] slow', false, 'warn'],
    ['panic: runtime error', true, 'fatal'],
    ['Traceback (most recent call last):', true, 'error'],
    ['KeyError: 7', true, 'error'],
    ['debugging is fun', false, 'info'],
    ['DEBUG x', false, 'debug'],
    ['TRACE x', true, 'trace'],
    ['something odd', true, 'warn'],
    ['{not json', false, 'info'],
  ])('%s (on stderr: %s) is %s', (line, isError, level) => {
    expect(readLine(line, isError)).toEqual({ level, body: line, attributes: {} });
  });

  test('in JSON is read by the usual names', () => {
    expect(readLine('{"level":"warning","msg":"slow","ms":7,"ok":true,"none":null,"deep":{"a":1}}', false)).toEqual({
      level: 'warn',
      body: 'slow',
      attributes: { ms: 7, ok: true, none: null, deep: '{"a":1}' },
    });
    expect(readLine('{"level":50,"message":"no"}', false)).toMatchObject({ level: 'error', body: 'no' });
    expect(readLine('{"count":1}', true)).toEqual({ level: 'warn', body: '{"count":1}', attributes: { count: 1 } });
    const many = JSON.stringify(Object.fromEntries(Array.from({ length: 40 }, (_, at) => [`f${at}`, at])));
    expect(Object.keys(readLine(many, false).attributes)).toHaveLength(32);
  });
});

describe('fleet run', () => {
  const server = new ContractServer();
  const terminals: Terminal[] = [];
  const before = { ...process.env };
  beforeAll(async () => {
    await server.start();
    Object.assign(process.env, { FLEET_URL: server.url, FLEET_TOKEN: 'planted-owner-token' });
  });
  afterEach(() => {
    server.agents.clear();
    for (const list of [server.bodies, server.completed, server.calls]) list.length = 0;
    for (const terminal of terminals.splice(0)) terminal.close();
  });
  afterAll(async () => {
    process.env = { ...before };
    await server.stop();
  });

  const start = (program: string, ...options: string[]) => {
    const terminal = new Terminal();
    terminals.push(terminal);
    const ran = terminal.run('run', '--name', 'wrapped', ...options, '--', process.execPath, '-e', program);
    return { terminal, ran };
  };
  const beats = () => server.agent('wrapped').beats;
  const is = (state: string) => until(() => server.agents.size && beats().at(-1)?.['state'] === state);
  const ask = (name: string) => {
    server.agent('wrapped').commands.push(command('id-wrapped', name));
    return until(() => server.completed.find(({ id }) => id === `command-${name}`));
  };
  const told = () => beats().flatMap(({ events }) => (events as Json[] | undefined) ?? []);
  const lines = () =>
    server.records('logs').map((line) => [line['severityText'], (line['body'] as Json)['stringValue']]);

  test('a program’s lines are its own and logs, its exit code is ours, and no token reaches it', async () => {
    const { ran } = start(
      `console.log('one'); console.error('ERROR two'); console.log(JSON.stringify({ level: 'debug', msg: 'three', n: 3 }));
       process.stdout.write('last' + process.env.FLEET_TOKEN + process.env.FLEET_AGENT_ID)`,
      ...['--kind', 'job', '--program-version', '2.1.0', '--label', 'team=atlas,shift=night=early'],
    );
    expect(await ran).toMatchObject({
      out: expect.stringContaining('lastundefinedid-wrapped'),
      err: 'ERROR two\n',
      code: 0,
    });
    expect(lines()).toEqual(
      expect.arrayContaining([
        ['INFO', 'one'],
        ['ERROR', 'ERROR two'],
        ['DEBUG', 'three'],
        ['INFO', 'lastundefinedid-wrapped'],
      ]),
    );
    expect(beats().at(-1)).toMatchObject({ state: 'STOPPED', version: '2.1.0' });
    const registered = server.calls.find(({ query }) => query.includes('registerAgent'));
    expect(registered?.variables['input']).toMatchObject({
      kind: 'job',
      labels: { team: 'atlas', shift: 'night=early' },
    });
  });

  test('one that crashes is FAILED with its code, which is ours too', async () => {
    const { ran, terminal } = start(`console.log('up'); setTimeout(() => process.exit(7), 100)`);
    await until(() => terminal.out === 'up\n');
    // The platform restarts it at once, as its recovery does.
    server.gate = (_, body) => {
      if (body.includes('FAILED')) server.agent('wrapped').commands.push(command('id-wrapped', 'restart'));
      return undefined;
    };
    expect((await ran).code).toBe(7);
    server.gate = () => undefined;
    expect(terminal.out).toBe('up\n');
    expect(beats().some(({ state }) => state === 'FAILED')).toBe(true);
    expect(lines()).toContainEqual(['ERROR', 'the agent failed']);
    expect(told()).toContainEqual(
      expect.objectContaining({ name: 'own.program.ended', detail: { code: 7, signal: null, wasAsked: false } }),
    );
  });

  test('one that stays after a crash is started anew by the platform, and ends by our signal', async () => {
    const { ran, terminal } = start(
      `console.log('up'); process.on('SIGUSR2', () => process.exit(3)); process.on('SIGTERM', () => process.exit(0)); setInterval(() => {}, 1000)`,
      '--stay',
    );
    await until(() => terminal.out === 'up\n');
    process.emit('SIGUSR2');
    await is('FAILED');
    expect(await ask('restart')).toMatchObject({ outcome: 'DONE', result: { state: 'RUNNING' } });
    await until(() => terminal.out === 'up\nup\n');
    process.emit('SIGTERM');
    expect((await ran).code).toBe(0);
  });

  test('it is held, goes on, and is stopped though it will not hear', async () => {
    const { ran, terminal } = start(
      `let at = 0; process.on('SIGTERM', () => console.log('deaf')); setInterval(() => console.log(at++), 20)`,
      ...['--grace', '0.2'],
    );
    await until(() => terminal.out.includes('3\n'));
    server.agent('wrapped').desiredState = 'PAUSED';
    expect(await ask('pause')).toMatchObject({ outcome: 'DONE' });
    const held = await until(async () => {
      const text = terminal.out;
      await new Promise((resolve) => setTimeout(resolve, 100));
      return text === terminal.out ? text : undefined;
    });
    server.agent('wrapped').desiredState = 'RUNNING';
    await ask('resume');
    await until(() => terminal.out.length > held.length);
    server.agent('wrapped').desiredState = 'STOPPED';
    await ask('stop');
    await until(() => told().some(({ detail }) => (detail as Json)['signal'] === 'SIGKILL'));
    expect(terminal.out).toContain('deaf');
    process.emit('SIGINT');
    expect((await ran).code).toBe(137);
  });

  test('one that cannot be started ends with 127; an agent that is deregistered ends its program', async () => {
    const terminal = new Terminal();
    terminals.push(terminal);
    expect((await terminal.run('run', '--name', 'wrapped', '--', '/no/such/program')).code).toBe(127);
    expect(lines()).toContainEqual(['ERROR', 'start failed']);
    server.agents.clear();
    const { ran, terminal: other } = start(`console.log('up'); setInterval(() => {}, 1000)`);
    await until(() => other.out === 'up\n');
    server.agents.clear();
    expect((await ran).code).toBe(143);
  });
});
