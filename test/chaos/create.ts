import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { SpawnedPlatform, wait } from '../support/spawned-platform.ts';
import { type Scenario, timed, type Verdict, verdict } from './verdict.ts';

const ROOT = path.resolve(__dirname, '../..').replace(/\/dist$/, '');
const HEARTBEAT_MS = 10_000;
const AGENT = 'query Agent($name: String!) { agent(name: $name) { state presence version } }';

/** What `fleet create` makes, as a newcomer runs it on a platform: installed from the registry, tested, and heard within ten seconds. */
export const create: Scenario = {
  name: 'create',
  async run(short) {
    const platform = new SpawnedPlatform(['--no-demo']);
    const folder = mkdtempSync(path.join(tmpdir(), 'fleetgraph-create-'));
    try {
      await platform.start();
      const fleet = (...words: string[]) =>
        command(process.execPath, [path.join(ROOT, 'dist/cli/fleet.js'), ...words], folder, platform);
      fleet('create', 'agent', 'scout', '--kind', 'greeter', '--lang', 'ts');
      fleet('create', 'agent', 'looker', '--kind', 'watcher', '--lang', 'python');
      const [scout, looker] = [path.join(folder, 'scout'), path.join(folder, 'looker')];
      command('npm', ['ci', '--no-audit', '--no-fund'], scout, platform);
      const passed = /pass (\d+)$/m.exec(command('npm', ['test'], scout, platform))?.[1] ?? 'none';
      command('python3', ['-m', 'unittest'], looker, platform);
      const dev = { program: 'npm', args: ['run', 'dev'], folder: scout };
      return [
        verdict('npm ci, and tests that npm test passed', passed, passed !== 'none'),
        ...(await lived(platform, short, 'scout', dev, false)),
        verdict('versions published, rules applied', published(fleet), true),
        // By a version that the platform knows now.
        ...(await lived(platform, short, 'scout-again', dev, true)),
        ...(await lived(
          platform,
          short,
          'looker',
          { program: 'python3', args: ['-m', 'looker'], folder: looker },
          false,
        )),
      ];
    } finally {
      await platform.stop();
      platform.remove();
      rmSync(folder, { recursive: true, force: true });
    }
  },
};

/** How an agent is started, as its README says. */
interface Start {
  program: string;
  args: string[];
  folder: string;
}

/** Starts an agent; told is when it was heard, and how it ended: by a signal to what was started, or by Ctrl-C to all of it. */
async function lived(
  platform: SpawnedPlatform,
  short: boolean,
  name: string,
  { program, args, folder }: Start,
  byCtrlC: boolean,
): Promise<Verdict[]> {
  const startedMs = performance.now();
  // A group of its own, as a shell’s job has: what is left of it can be counted.
  const options = { cwd: folder, env: { ...bare(), AGENT_NAME: name }, detached: true } as const;
  const child = spawn(program, args, { ...options, stdio: ['ignore', 'inherit', 'inherit'] });
  const group = child.pid as number;
  const ask = () => agentNow(platform, name);
  try {
    await wait(async () => (await ask())?.presence === 'ONLINE', 60_000, `${name} is heard`);
    const heardMs = Math.round(performance.now() - startedMs);
    await wait(async () => (await ask())?.state === 'RUNNING', 30_000, `${name} runs`);
    const what = `${program} ${args.join(' ')}: first heartbeat, ms`;
    const verdicts = [timed(short, what, heardMs, heardMs <= HEARTBEAT_MS)];
    if (name === 'scout') verdicts.push(await reloaded(platform, name, folder));
    process.kill(byCtrlC ? -group : group, byCtrlC ? 'SIGINT' : 'SIGTERM');
    await wait(async () => (await ask())?.state === 'STOPPED', 30_000, `${name} says farewell`);
    await wait(() => groupOf(group) === 0, 10_000, `nothing is left of ${name}`);
    return [...verdicts, verdict(`… STOPPED by ${byCtrlC ? 'Ctrl-C' : 'SIGTERM'}, processes left`, 0, true)];
  } finally {
    if (groupOf(group)) process.kill(-group, 'SIGKILL');
  }
}

async function agentNow(platform: SpawnedPlatform, name: string) {
  const { data, errors } = await platform.ask(AGENT, { name });
  if (errors) throw new Error(JSON.stringify(errors));
  return data.agent as { state: string; presence: string; version: string } | null;
}

/** An edit is compiled, and the agent started anew with it. */
async function reloaded(platform: SpawnedPlatform, name: string, folder: string): Promise<Verdict> {
  const file = path.join(folder, 'src/agent.ts');
  writeFileSync(file, readFileSync(file, 'utf8').replace("version: '1.0.0'", "version: '1.0.1'"));
  const isNew = async () => (await agentNow(platform, name))?.version === '1.0.1';
  const tookMs = await wait(isNew, 60_000, 'the edit takes effect');
  return verdict('… an edit took effect after, ms', Math.round(tookMs), true);
}

/** What a real platform takes of what was made. @returns how many */
function published(fleet: (...words: string[]) => string): number {
  fleet('versions', 'publish', 'scout/versions/greeter-1.0.0.json');
  fleet('create', 'migration', 'scout', '--from', '1.0.0', '--to', '1.1.0', '--dir', 'scout');
  fleet('versions', 'publish', 'scout/versions/greeter-1.1.0.json');
  const conditions = ['health', 'presence', 'logs', 'errors', 'metric'];
  for (const on of conditions) {
    fleet('create', 'rule', `about-${on}`, '--on', on, '--yes', '--dir', 'scout');
    fleet('alerts', 'apply', `scout/rules/about-${on}.json`);
  }
  return 2 + conditions.length;
}

/** Runs it to its end. @throws Error with what it said when that is not 0 */
function command(program: string, args: string[], cwd: string, platform: SpawnedPlatform): string {
  const env = { ...bare(), FLEET_DATA: platform.data, FLEET_URL: platform.url };
  return execFileSync(program, args, {
    cwd,
    env,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
    timeout: 120_000,
  });
}

/** Nothing of ours: what is made finds its platform by itself. */
function bare(): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^(FLEET_|PORT$|NODE_OPTIONS$)/.test(name)),
  );
}

/** How many processes a group has: by /proc, for those that ended and are not waited for are none. */
function groupOf(pid: number): number {
  const groups = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((name) => statOf(name));
  return groups.filter(([state, group]) => group === String(pid) && state !== 'Z').length;
}

/** State and group of a process; nothing of one that is gone. */
function statOf(pid: string): string[] {
  try {
    const [state = '', , group = ''] = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
    return [state, group];
  } catch {
    return [];
  }
}
