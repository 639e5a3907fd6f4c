import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import { ContractServer, command } from '../../sdk/contract-server.ts';
import { builtOnce } from '../../support/build.ts';
import { until } from '../../support/until.ts';
import { Terminal } from '../terminal.ts';

const root = path.resolve(__dirname, '../../..');
/** What a project’s own installation would have: the lock’s, from here, so that no registry is asked. */
const INSTALLED = ['typescript', 'awilix', '@types', '.bin'];
const hasPython = spawnSync('python3', ['--version']).status === 0;

type Lock = { packages: Record<string, { version: string; integrity?: string }> };

describe('what fleet create makes', () => {
  const server = new ContractServer();
  const terminal = new Terminal();
  const before = { ...process.env };
  const home = process.cwd();
  const at = (...parts: string[]) => path.join(terminal.root, ...parts);
  const env = () => ({ ...before, FLEET_URL: server.url, FLEET_TOKEN: 'token' });

  // The SDK is packed as it was built.
  beforeAll(() => builtOnce(), 180_000);
  beforeAll(async () => {
    await server.start();
    delete process.env['FLEET_TOKEN'];
    delete process.env['FLEET_DATA'];
    process.chdir(terminal.root);
    for (const [name, lang] of [
      ['scout', 'ts'],
      ['json', 'python'],
    ] as const) {
      expect(await terminal.run('create', 'agent', name, '--kind', 'greeter', '--lang', lang)).toMatchObject({
        code: 0,
      });
      expect(await terminal.run('create', 'kind', 'deep-reader', '--dir', name)).toMatchObject({ code: 0 });
    }
    install(at('scout'));
  });
  afterAll(async () => {
    process.chdir(home);
    process.env = before;
    terminal.close();
    await server.stop();
  });

  /** As `npm ci` would, from what is here. */
  function install(project: string): void {
    const modules = path.join(project, 'node_modules');
    mkdirSync(path.join(modules, 'fleetgraph'), { recursive: true });
    for (const name of INSTALLED) symlinkSync(path.join(root, 'node_modules', name), path.join(modules, name));
    const [archive = ''] = readdirSync(path.join(project, 'vendor'));
    const words = [
      'xzf',
      path.join(project, 'vendor', archive),
      '-C',
      path.join(modules, 'fleetgraph'),
      '--strip-components=1',
    ];
    execFileSync('tar', words);
  }

  /** Starts the agent, waits until it is RUNNING, gives it a task, and asks it to end. @returns its exit code */
  async function live(name: string, program: string, args: string[]): Promise<number | null> {
    const child = spawn(program, args, { cwd: at(name), env: env(), stdio: ['ignore', 'pipe', 'inherit'] });
    const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
    child.stdout.resume();
    const agent = () => [...server.agents.values()].find((each) => each.name === name);
    await until(() => agent()?.beats.at(-1)?.['state'] === 'RUNNING', 30_000);
    const { id, commands } = server.agent(name);
    commands.push(command(id, 'greet', { name: 'Ada' }));
    await until(
      () => server.completed.some((each) => JSON.stringify(each['result']) === '{"text":"Hello, Ada!"}'),
      30_000,
    );
    expect(agent()?.beats.at(-1)).toMatchObject({ version: '1.0.0', checks: [{ name: 'tasks', ok: true }] });
    child.kill('SIGTERM');
    const code = await ended;
    expect(agent()?.beats.at(-1)).toMatchObject({ state: 'STOPPED' });
    server.completed.length = 0;
    return code;
  }

  test('a TypeScript project compiles, its tests pass, and it lives and ends as an agent', async () => {
    const npm = (script: string) =>
      spawnSync('npm', ['run', script], { cwd: at('scout'), env: env(), encoding: 'utf8' });
    const tested = npm('test');
    expect([tested.status, tested.status && tested.stdout]).toEqual([0, 0]);
    expect(tested.stdout).toMatch(/pass 7$/m);
    expect(tested.stdout).toMatch(/fail 0$/m);
    expect(await live('scout', process.execPath, ['dist/src/main.js'])).toBe(0);
  });

  test('its lock names what we have installed ourselves, and the archive that lies beside it', () => {
    const [own, lock] = [root, at('scout')].map(
      (folder) => JSON.parse(readFileSync(path.join(folder, 'package-lock.json'), 'utf8')) as Lock,
    ) as [Lock, Lock];
    const { '': project, 'node_modules/fleetgraph': sdk, ...others } = lock.packages;
    const ours = Object.entries(own.packages);
    for (const [name, { version, integrity }] of Object.entries(others)) {
      // Of some we have several versions.
      const same = ours.filter(([place, each]) => place.endsWith(name) && each.version === version);
      expect([name, same.some(([, each]) => !each.integrity || each.integrity === integrity)]).toEqual([name, true]);
    }
    expect(project).toMatchObject({ name: 'scout' });
    const digest = execFileSync('openssl', ['dgst', '-sha512', '-binary', 'vendor/fleetgraph-sdk-1.1.0.tgz'], {
      cwd: at('scout'),
    });
    expect(sdk).toMatchObject({ version: '1.1.0', integrity: `sha512-${digest.toString('base64')}` });
  });

  (hasPython ? test : test.skip)('a Python project’s tests pass, and it lives and ends as an agent', async () => {
    const tested = spawnSync('python3', ['-B', '-W', 'error', '-m', 'unittest'], {
      cwd: at('json'),
      env: env(),
      encoding: 'utf8',
    });
    expect([tested.status, tested.stderr]).toEqual([0, expect.stringMatching(/^Ran 9 tests.*^OK$/ms)]);
    // A package called json would stand before Python’s own.
    expect(await live('json', 'python3', ['-B', '-m', 'json_agent'])).toBe(0);
  });

  test('none of it is told where it was made', () => {
    for (const project of ['scout', 'json'])
      for (const file of readdirSync(at(project), { recursive: true, withFileTypes: true }))
        if (file.isFile() && !file.parentPath.includes('node_modules') && file.parentPath !== at('scout/dist')) {
          const text = readFileSync(path.join(file.parentPath, file.name), 'utf8');
          expect([file.name, text.includes(root), /\{\{\w+\}\}/.test(text)]).toEqual([file.name, false, false]);
        }
  });
});
