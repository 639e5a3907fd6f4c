import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { freePort } from '../../lib/postgres/local.ts';
import { isAlive } from '../../lib/postgres/processes.ts';
import { builtOnce } from '../support/build.ts';
import { SpawnedPlatform } from '../support/spawned-platform.ts';
import { until } from '../support/until.ts';

const ROOT = path.resolve(__dirname, '../..');

beforeAll(() => builtOnce(), 180_000);

/** The pids of a process and all below it. */
function treeOf(root: number): number[] {
  const parents = readdirSync('/proc')
    .map(Number)
    .filter(Boolean)
    .map((pid) => {
      try {
        const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
        return [pid, Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1])] as const;
      } catch {
        return [pid, 0] as const;
      }
    });
  const below = (pid: number): number[] => [
    pid,
    ...parents.filter(([, parent]) => parent === pid).flatMap(([child]) => below(child)),
  ];
  return below(root);
}

function commandLine(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replace(/\0/g, ' ');
  } catch {
    return '';
  }
}

function refusal(env: Record<string, string>, args: string[] = []) {
  const result = spawnSync(process.execPath, ['dist/cli/start.js', ...args], {
    cwd: ROOT,
    env: { PATH: process.env['PATH'], ...env } as NodeJS.ProcessEnv,
    encoding: 'utf8',
  });
  return { code: result.status, lines: `${result.stdout}${result.stderr}`.trim().split('\n') };
}

describe('a start', () => {
  const platform = new SpawnedPlatform(['--no-demo']);
  let pids: number[] = [];

  beforeAll(async () => {
    await platform.start();
    pids = treeOf(platform.supervisorPid);
  });
  afterAll(async () => {
    await platform.stop();
    platform.remove();
  });

  test('says in at most seven lines what it is, where it is, and how to go on', () => {
    const lines = platform.said.trim().split('\n');
    expect(lines.length).toBeLessThanOrEqual(7);
    expect(platform.said).toContain(`${platform.url}/#token=${platform.token}`);
    expect(platform.said).toContain('Ctrl-C');
  });

  test('makes a token that only its owner can read', () => {
    expect(platform.token.length).toBeGreaterThanOrEqual(32);
    expect(statSync(path.join(platform.data, 'admin-token')).mode & 0o777).toBe(0o600);
  });

  test('runs one process for each part, and shows no secret in any argument list', () => {
    const lines = pids.map(commandLine);
    // The router's planner is native code, in a process of its own.
    for (const script of ['run.js router', 'run.js state', 'run.js telemetry', 'native-child.js']) {
      expect({ script, found: lines.filter((line) => line.includes(script)).length }).toEqual({ script, found: 1 });
    }
    const secrets = ['admin-token', 'secret', 'postgres.password'].map((file) =>
      readFileSync(path.join(platform.data, file), 'utf8').trim(),
    );
    for (const secret of secrets) expect(lines.filter((line) => line.includes(secret))).toEqual([]);
  });

  test('is ready when one query over all five subgraphs answers', async () => {
    expect(await platform.isReady()).toBe(true);
    const answer = await platform.ask(
      '{ fleet { total } logs(first: 1) { nodes { id } } auditCheckpoint { size } alertRules(first: 1) { nodes { name } } metrics(first: 1) { nodes { name } } }',
    );
    expect(answer.errors).toBeUndefined();
  });

  test('refuses what cannot work, in one line and with its exit code', async () => {
    const elsewhere = mkdtempSync(path.join(tmpdir(), 'fleetgraph-refused-'));
    const port = new URL(platform.url).port;
    expect(refusal({ FLEET_DATA: platform.data, PORT: '0' })).toMatchObject({
      code: 73,
      lines: [expect.stringContaining('in use')],
    });
    expect(refusal({ FLEET_DATA: elsewhere, PORT: port })).toMatchObject({
      code: 71,
      lines: [expect.stringContaining(`port ${port} is taken`)],
    });
    expect(refusal({ FLEET_DATA: elsewhere, FLEET_TYPO: '1' })).toMatchObject({
      code: 78,
      lines: [expect.stringContaining('FLEET_TYPO')],
    });
    expect(refusal({ FLEET_DATA: elsewhere, HOST: '0.0.0.0' })).toMatchObject({
      code: 78,
      lines: [expect.stringContaining('FLEET_ADMIN_TOKEN')],
    });
    const flagless = path.resolve(__dirname, '../../package.json');
    expect(refusal({ FLEET_DATA: elsewhere, PORT: '0', FLEET_FLAGS_FILE: flagless })).toMatchObject({
      code: 78,
      lines: [expect.stringContaining('the flags file is wrong')],
    });
    expect(refusal({}, ['subgraph', 'nothing'])).toMatchObject({ code: 64 });
    expect(refusal({}, ['router'])).toMatchObject({ code: 78, lines: [expect.stringContaining('FLEET_SECRET')] });
    expect(refusal({}, ['--nonsense'])).toMatchObject({ code: 64 });
    writeFileSync(path.join(elsewhere, 'format.json'), '{"format":999}');
    expect(refusal({ FLEET_DATA: elsewhere, PORT: String(await freePort()) })).toMatchObject({
      code: 74,
      lines: [expect.stringContaining('999')],
    });
  });

  test('a child that is killed comes back', async () => {
    for (const name of ['telemetry', 'router']) {
      const pid = platform.pid(name);
      process.kill(pid, 'SIGTERM');
      await until(() => platform.pid(name) > 0 && platform.pid(name) !== pid);
    }
    await until(() => platform.isReady());
  });

  test('killed itself, it leaves nothing that hinders the next start, which has all data', async () => {
    const raised = await platform.ask(
      'mutation { raiseAlert(input: { name: "kept", severity: INFO }) { alert { id } } }',
    );
    process.kill(platform.supervisorPid, 'SIGKILL');
    await platform.start();
    const { data } = await platform.ask('query ($id: ID!) { alert(id: $id) { name } }', {
      id: raised.data.raiseAlert.alert.id,
    });
    expect(data.alert).toEqual({ name: 'kept' });
    expect(platform.said).not.toContain(platform.token);
    expect(pids.filter((pid) => isAlive(pid) && commandLine(pid).includes('run.js'))).toEqual([]);
  });

  test('stops with exit code 0 and leaves no process', async () => {
    const all = [...treeOf(platform.supervisorPid), platform.pid('postgres')];
    expect(all.length).toBeGreaterThan(4);
    expect(await platform.stop('SIGINT')).toBe(0);
    expect(all.filter(isAlive)).toEqual([]);
  });

  test('stopped while it starts, it leaves no database behind, and the folder free', async () => {
    const before = platform.pid('postgres');
    const refused = expect(platform.start()).rejects.toThrow('did not start');
    const postgres = await until(() => (platform.pid('postgres') === before ? 0 : platform.pid('postgres')));
    expect(await platform.stop('SIGINT')).toBe(0);
    await refused;
    expect([isAlive(postgres), existsSync(path.join(platform.data, 'supervisor.json'))]).toEqual([false, false]);
  });
});
