import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { exitCodeOf, explain } from '../../cli/output/exit-code.ts';
import { ContractServer } from '../sdk/contract-server.ts';
import { until } from '../support/until.ts';
import { Terminal } from './terminal.ts';

const root = path.resolve(__dirname, '../..');

describe('the command line and processes', () => {
  const server = new ContractServer();
  const terminal = new Terminal();
  const children: ChildProcess[] = [];
  const before = { ...process.env };
  const script = (file: string, text: string) => {
    const full = path.join(terminal.root, file);
    mkdirSync(path.dirname(full), { recursive: true });
    writeFileSync(full, text);
    return full;
  };

  beforeAll(() => server.start());
  beforeEach(() => {
    Object.assign(process.env, { FLEET_URL: server.url, FLEET_TOKEN: 'admin-token' });
    delete process.env['FLEET_DATA'];
  });
  afterAll(async () => {
    process.env = before;
    for (const child of children) child.kill('SIGKILL');
    terminal.close();
    await server.stop();
  });

  test('usage, help and versions of failure end with their codes', async () => {
    expect((await terminal.run('nonsense')).code).toBe(2);
    expect((await terminal.run('agents', '--nonsense')).code).toBe(2);
    expect(await terminal.run('--help')).toMatchObject({ code: 0, err: '' });
    expect(terminal.out).toContain('Usage: fleet');
    for (const [code, exitCode] of Object.entries({
      UNAUTHENTICATED: 3,
      FORBIDDEN: 3,
      NOT_FOUND: 4,
      CONFLICT: 5,
      BAD_QUERY: 5,
      UNREACHABLE: 6,
      RATE_LIMITED: 7,
      INTERNAL: 1,
    })) {
      expect(exitCodeOf(code)).toBe(exitCode);
    }
    expect(explain(new Error('odd'))).toEqual({ line: 'fleet: odd', exitCode: 1 });
    expect(explain('odd')).toEqual({ line: 'fleet: odd', exitCode: 1 });
  });

  test('the token comes from the environment, else from the data folder, never from words', async () => {
    server.fields['apiKeys'] = ({ token }) => [
      { id: 'k', name: token, scopes: [], expiresAt: null, lastUsedAt: null, revokedAt: null },
    ];
    expect((await terminal.run('token', 'list')).out).toContain('admin-token');
    delete process.env['FLEET_TOKEN'];
    expect(await terminal.run('token', 'list')).toMatchObject({ code: 3 });
    expect(terminal.err).toContain('no token: set FLEET_TOKEN');
    script('.data/admin-token', 'kept-token\n');
    expect((await terminal.run('token', 'list')).out).toContain('kept-token');
    process.env['FLEET_DATA'] = path.join(terminal.root, 'else');
    script('else/admin-token', 'other-token\n');
    expect((await terminal.run('--url', server.url, 'token', 'list')).out).toContain('other-token');
    expect((await terminal.run('--token', 'x', 'token', 'list')).code).toBe(2);
  });

  test('a platform that is not there is code 6', async () => {
    const away = new ContractServer();
    await away.start();
    await away.stop();
    expect(await terminal.run('agents', '--url', away.url)).toMatchObject({ code: 6, out: '' });
  });

  test('start hands over words, environment, signals and exit code', async () => {
    const said = path.join(terminal.root, 'said.json');
    script(
      'dist/cli/start.js',
      `process.on('SIGTERM', () => process.exit(7));
       require('fs').writeFileSync(${JSON.stringify(said)}, JSON.stringify({ words: process.argv.slice(2), cwd: process.cwd(), env: process.env }));
       if (process.argv[2] === 'subgraph') process.exit(64);
       setInterval(() => {}, 1000);`,
    );
    expect((await terminal.run('start', 'subgraph', 'logs', '--help')).code).toBe(64);
    const first = JSON.parse(readFileSync(said, 'utf8')) as { words: string[]; env: Record<string, string> };
    expect(first.words).toEqual(['subgraph', 'logs', '--help']);
    expect(first.env).not.toHaveProperty('FLEET_TOKEN');
    writeFileSync(said, '');
    process.env['FLEET_DATA'] = 'relative';
    const running = terminal.run('start', '--no-demo');
    const started = await until(() => readFileSync(said, 'utf8'));
    expect((JSON.parse(started) as { env: Record<string, string> }).env['FLEET_DATA']).toBe(path.resolve('relative'));
    await until(() => process.listenerCount('SIGTERM') > 0);
    process.emit('SIGINT');
    process.emit('SIGTERM');
    expect((await running).code).toBe(7);
  });

  test('demo stop ends the demo’s process and nobody else’s', async () => {
    const folder = path.join(terminal.root, '.data');
    mkdirSync(folder, { recursive: true });
    expect((await terminal.run('demo', 'stop')).out).toBe('no demo fleet runs\n');
    const run = (file: string) => {
      const child = spawn(process.execPath, [file], { cwd: terminal.root, stdio: 'ignore' });
      children.push(child);
      writeFileSync(path.join(folder, 'demo.pid'), `${child.pid}\n`);
      return child;
    };
    script('bystander.js', 'setInterval(() => {}, 1000)');
    script('dist/fleet/main.js', 'setInterval(() => {}, 1000)');
    const bystander = run('bystander.js');
    expect((await terminal.run('demo', 'stop')).out).toBe('no demo fleet runs\n');
    expect(bystander.exitCode ?? bystander.signalCode).toBeNull();
    const demo = run('dist/fleet/main.js');
    await until(() => readFileSync(`/proc/${demo.pid}/cmdline`, 'utf8').includes('fleet/main.js'));
    expect((await terminal.run('demo', 'stop', '--json')).out).toBe('{\n  "stopped": true\n}\n');
    await until(() => demo.signalCode === 'SIGTERM');
  });

  test('demo clear deregisters every agent of the demo', async () => {
    const left = ['a', 'b', 'c'].map((id) => ({ id, name: id }));
    server.fields['agents'] = ({ variables }) => {
      expect(variables['filter']).toEqual({ labels: [{ name: 'fleet.demo', op: 'EQ', value: 'true' }] });
      return { nodes: left.slice(0, 2) };
    };
    server.fields['deregisterAgent'] = ({ variables }) => {
      left.splice(
        left.findIndex(({ id }) => id === (variables['input'] as { id: string }).id),
        1,
      );
      return { userErrors: [] };
    };
    expect((await terminal.run('demo', 'clear')).out).toBe('3 demo agents are deregistered\n');
    server.fields['agents'] = () => null;
    expect((await terminal.run('demo', 'clear')).out).toBe('0 demo agents are deregistered\n');
  });

  test('no server code is loaded: commander, the library and Node itself are all it imports', () => {
    const seen = new Set<string>();
    const packages = new Set<string>();
    const visit = (file: string) => {
      if (seen.has(file) || !existsSync(file)) return;
      seen.add(file);
      for (const [, from] of readFileSync(file, 'utf8').matchAll(
        /^(?:import|export)\s(?!type\b)[^;]*?from '([^']+)'/gms,
      )) {
        if (from?.startsWith('.')) visit(path.resolve(path.dirname(file), from));
        else packages.add(from as string);
      }
    };
    visit(path.join(root, 'cli/fleet.ts'));
    expect([...packages].filter((name) => !name.startsWith('node:'))).toEqual(['commander']);
    expect([...seen].filter((file) => !/^(cli|sdk)\//.test(path.relative(root, file)))).toEqual([]);
    expect(seen.size).toBeGreaterThan(30);
  });
});

describe('the entry', () => {
  const before = process.argv;
  const start = (...words: string[]) => {
    process.argv = ['node', 'fleet', ...words];
    jest.isolateModules(() => require('../../cli/fleet.ts') as unknown);
  };
  let out: string;

  beforeEach(() => {
    out = '';
    jest.spyOn(process.stdout, 'write').mockImplementation((text) => {
      out += String(text);
      return true;
    });
    jest.spyOn(process.stderr, 'write').mockReturnValue(true);
  });
  afterEach(() => {
    process.argv = before;
    process.exitCode = 0;
    process.stdout.removeAllListeners('error');
    jest.restoreAllMocks();
  });

  test('it runs the words it is given and ends with their code', async () => {
    start('--help');
    await until(() => out.includes('Usage: fleet'));
    start('nonsense');
    await until(() => process.exitCode === 2);
  });

  test('a reader who goes away ends it without a complaint', async () => {
    const exit = jest.spyOn(process, 'exit').mockReturnValue(undefined as never);
    start('--help');
    process.stdout.emit('error', Object.assign(new Error('gone'), { code: 'EPIPE' }));
    expect(exit).toHaveBeenCalled();
    expect(() => process.stdout.emit('error', new Error('disk full'))).toThrow('disk full');
    await until(() => out.includes('Usage: fleet'));
  });
});
