import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { getOperationAST, parse } from 'graphql';
import { type Block, examplesFor } from '../examples/blocks.ts';
import { startTestPlatform, type TestPlatform } from '../support/platform.ts';

const shell = examplesFor('shell').filter(([, { notRun }]) => !notRun);
/** What later blocks of a page take from the first ones. */
const exportsOf = (file: string) =>
  shell
    .filter(([, block]) => block.file === file && block.text.startsWith('export '))
    .map(([, { text }]) => text)
    .join('');
const curls = shell.filter(([, { text }]) => text.startsWith('curl '));

describe('examples of the documents, on a whole platform', () => {
  let platform: TestPlatform;
  /** As the folder in which the platform was started: its admin token is in `.data`. */
  const folder = mkdtempSync(path.join(tmpdir(), 'fleetgraph-examples-'));
  beforeAll(async () => {
    platform = await startTestPlatform();
    mkdirSync(path.join(folder, '.data'));
    writeFileSync(path.join(folder, '.data/admin-token'), platform.token);
  });
  afterAll(async () => {
    await platform.stop();
    rmSync(folder, { recursive: true });
  });

  /** Runs a block as written, but for the port; ends it once it has said something that `enough` accepts. */
  function run({ file, text }: Block, enough: (said: string) => boolean): Promise<string> {
    return new Promise((resolve) => {
      const script = `set -e\n${exportsOf(file)}exec ${text}`.replaceAll('http://127.0.0.1:4000', platform.url);
      const bash = spawn('bash', ['-c', script], { cwd: folder });
      let said = '';
      bash.stdout.on('data', (chunk: Buffer) => {
        said += chunk.toString();
        if (enough(said)) bash.kill();
      });
      bash.once('close', () => resolve(said));
    });
  }

  /** Of a subscription that it begins, of all else what it answers. */
  async function errorsOf(query: string): Promise<unknown> {
    if (getOperationAST(parse(query))?.operation !== 'subscription') return (await platform.ask(query)).errors;
    const abort = new AbortController();
    const response = await platform.fetch('/graphql', {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'text/event-stream' },
      body: JSON.stringify({ query }),
      signal: abort.signal,
    });
    const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
    const { value = '', done } = (await reader?.read()) ?? {};
    abort.abort();
    await reader?.cancel().catch(() => undefined);
    return done || value.includes('"errors"') ? value : undefined;
  }

  test.each(examplesFor('platform'))('%s answers without errors', async (_, { text, notRun }) => {
    if (!notRun) expect(await errorsOf(text)).toBeUndefined();
  });

  test('every block of a shell is run here', () => {
    expect(shell.filter(([, { text }]) => !/^(curl|export) /.test(text)).map(([place]) => place)).toEqual([]);
    expect(curls.map(([, { file }]) => file)).toEqual(['README.md', 'README.md', 'README.md']);
  });

  test.each(curls.filter(([, { text }]) => !text.includes('-sN')))(
    '%s answers without errors, as written',
    async (_, block) => {
      expect(JSON.parse(await run(block, () => false))).toEqual({ data: expect.anything() });
    },
  );

  test.each(curls.filter(([, { text }]) => text.includes('-sN')))('%s tells of the next alert', async (_, block) => {
    const raise = () =>
      void platform.ask('mutation { raiseAlert(input: { name: "readme", severity: INFO }) { userErrors { code } } }');
    const live = await run(block, (said) => {
      if (said.startsWith(':') && !said.includes('event: next')) raise();
      return said.includes('event: next');
    });
    expect(live).toContain('"name":"readme"');
  });
});
