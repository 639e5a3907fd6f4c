import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { freePort } from '../../../lib/postgres/local.ts';
import { composeSupergraph } from '../../../router/compose.ts';
import { builtOnce } from '../../support/build.ts';
import { until } from '../../support/until.ts';

const ROOT = path.join(__dirname, '../../..');
const MAIN = path.join(ROOT, 'dist/router/main.js');
/** As on a node that cannot become another program: the router works in a thread of the process. */
const OLDER = path.join(mkdtempSync(path.join(tmpdir(), 'older-')), 'older.cjs');
const SDL = `extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key"])
type Query { hello: String }`;

let folder: string;
let file: string;
beforeAll(async () => {
  await builtOnce();
  folder = mkdtempSync(path.join(tmpdir(), 'supergraph-'));
  file = path.join(folder, 'supergraph.graphql');
  writeFileSync(file, composeSupergraph([{ name: 'hello', url: 'http://127.0.0.1:9/graphql', sdl: SDL }]));
  writeFileSync(OLDER, 'process.execve = undefined;');
}, 120_000);

interface Command {
  child: ChildProcess;
  port: number;
  said: () => string;
  exited: Promise<number | null>;
}
const running: ChildProcess[] = [];
afterEach(() => {
  for (const child of running.splice(0)) child.kill('SIGKILL');
});

async function run(environment: Record<string, string>, isOlder: boolean): Promise<Command> {
  const port = await freePort();
  const child = spawn(process.execPath, [...(isOlder ? ['--require', OLDER] : []), MAIN], {
    env: { PATH: process.env['PATH'], PORT: String(port), ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  running.push(child);
  let text = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk) => {
      text += String(chunk);
    });
  }
  const exited = new Promise<number | null>((resolve) => child.once('close', (code) => resolve(code)));
  return { child, port, said: () => text, exited };
}

const FORMS = [
  ['as its own process', false],
  ['as a thread, where node is older', true],
] as const;

describe.each(FORMS)('%s', (_, isOlder) => {
  test('it says where it is, is healthy, and ends with 0 when told to', async () => {
    const { port, said, child, exited } = await run({ SUPERGRAPH_PATH: file }, isOlder);
    await until(() =>
      fetch(`http://127.0.0.1:${port}/health`).then(
        ({ status }) => status === 200,
        () => false,
      ),
    );
    expect(said()).toContain(`router: http://127.0.0.1:${port}/graphql\n`);
    const answer = await fetch(`http://127.0.0.1:${port}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"query":"{ __typename }"}',
    });
    expect(await answer.json()).toEqual({ data: { __typename: 'Query' } });
    child.kill('SIGTERM');
    expect(await exited).toBe(0);
  });

  test('it takes the supergraph anew on SIGHUP', async () => {
    const changing = path.join(folder, `changing-${isOlder}.graphql`);
    const compose = (field: string) =>
      composeSupergraph([{ name: 'hello', url: 'http://127.0.0.1:9/graphql', sdl: SDL.replace('hello', field) }]);
    writeFileSync(changing, compose('hello'));
    const quick = { FLEET_CANARY_SHARE: '0', FLEET_CANARY_MS: '1' };
    const { port, child } = await run({ SUPERGRAPH_PATH: changing, ...quick }, isOlder);
    const fields = async () => {
      const body = JSON.stringify({ query: '{ __schema { queryType { fields { name } } } }' });
      const headers = { 'content-type': 'application/json' };
      const response = await fetch(`http://127.0.0.1:${port}/graphql`, { method: 'POST', headers, body });
      return await response.text();
    };
    await until(() =>
      fields().then(
        (text) => text.includes('hello'),
        () => false,
      ),
    );
    writeFileSync(changing, compose('goodbye'));
    child.kill('SIGHUP');
    await until(() =>
      fields().then(
        (text) => text.includes('goodbye'),
        () => false,
      ),
    );
  });

  test.each([
    ['no supergraph', {}, 'SUPERGRAPH_PATH', 78],
    ['one that is none', { SUPERGRAPH_PATH: __filename }, 'router: ', 70],
    [
      'to be measured where others may come',
      { SUPERGRAPH_PATH: 'any', ROUTER_MODE: 'bench', HOST: '0.0.0.0' },
      'HOST',
      78,
    ],
  ])('with %s it does not start, and says why', async (_what, environment, why, code) => {
    const { said, exited } = await run(environment as unknown as Record<string, string>, isOlder);
    expect(await exited).toBe(code);
    expect(said()).toContain(why);
    expect(said().trim().split('\n')).toHaveLength(1);
  });
});
