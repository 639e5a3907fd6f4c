import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Command } from 'commander';
import { buildSchema, parse, validate } from 'graphql';
import { parse as parseYaml } from 'yaml';
import { programOf } from '../../cli/program.ts';
import {
  type Block,
  blocks,
  blocksOf,
  examplesFor,
  linesOf,
  pages,
  ROOT,
  runnerOf,
  wordsOf,
} from '../examples/blocks.ts';
import { runLibrary } from '../examples/library.ts';
import { runPython } from '../examples/python.ts';
import { ContractServer } from '../sdk/contract-server.ts';
import { until } from '../support/until.ts';

/** What the command line says against words, without doing what they ask; empty when it takes them. */
async function saysAgainst(words: readonly string[]): Promise<string> {
  // Every word behind `start` is the supervisor's.
  if (words[0] === 'start') return '';
  let said = '';
  const write = (text: string | Uint8Array) => {
    said += text;
    return true;
  };
  const none = (async function* () {})();
  const program = programOf({
    ...{ out: { write }, err: { write }, stdin: none, root: ROOT, cwd: ROOT, exit: () => undefined },
    signal: new AbortController().signal,
  });
  const still = (command: Command) => {
    command.action(() => undefined);
    command.commands.forEach(still);
  };
  program.commands.forEach(still);
  return program.parseAsync([...words], { from: 'user' }).then(
    () => '',
    (error: Error) => said || error.message,
  );
}

/** Every mention of a command: in blocks, in indented lines, and in prose as code; but for what is made of the commands. */
const mentions = [...pages()]
  .flatMap(([file, page]) =>
    [...page.matchAll(/(?:^ *|`)((?:npx )?fleet [a-z][^\n`]*)/gm)].map((match) => [file, match[1] as string] as const),
  )
  .filter(([file]) => file !== 'CHANGELOG.md' && file !== 'docs/reference/commands.md');

/** Each tag is closed by its own. */
function tagsLeftOpen(xml: string): string[] {
  const open: string[] = [];
  for (const [, close, name, alone] of xml.matchAll(/<(\/?)([\w-]+)[^>]*?(\/?)>/g)) {
    if (close) open.splice(open.lastIndexOf(name as string), 1);
    else if (!alone) open.push(name as string);
  }
  return open;
}

/** What the compiler says against TypeScript examples, all at once, as an agent's project would be set up. */
function typeErrors(examples: readonly Block[]): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'fleetgraph-types-'));
  const files = examples.map((block) => {
    const name = `${block.file.replace(/\W/g, '-')}-${block.line}.mts`;
    writeFileSync(path.join(folder, name), `${block.given}${block.text}\nexport {};\n`);
    return name;
  });
  const compilerOptions = {
    ...{
      noEmit: true,
      rootDir: '/',
      noPropertyAccessFromIndexSignature: false,
      types: ['node'],
      typeRoots: [path.join(ROOT, 'node_modules/@types')],
    },
    paths: {
      'fleetgraph/sdk': [path.join(ROOT, 'sdk/index.ts')],
      'fleetgraph/sdk/factory': [path.join(ROOT, 'sdk/factory/index.ts')],
      'fleetgraph/sdk/lookup': [path.join(ROOT, 'sdk/lookup.ts')],
    },
  };
  writeFileSync(
    path.join(folder, 'tsconfig.json'),
    JSON.stringify({ extends: path.join(ROOT, 'tsconfig.json'), compilerOptions, include: [], files }),
  );
  const { stdout } = spawnSync(path.join(ROOT, 'node_modules/.bin/tsc'), ['-p', folder], { encoding: 'utf8' });
  rmSync(folder, { recursive: true });
  return stdout;
}

describe('examples of the SDKs, on a platform’s public port', () => {
  const server = new ContractServer();
  const folder = mkdtempSync(path.join(tmpdir(), 'fleetgraph-examples-'));
  beforeAll(() => server.start());
  beforeEach(() => {
    server.bodies.length = 0;
    server.agents.clear();
  });
  afterAll(async () => {
    await server.stop();
    rmSync(folder, { recursive: true });
  });
  const toRun = (runner: 'library' | 'python') => examplesFor(runner).filter(([, { notRun }]) => !notRun);

  test.each(toRun('library'))('%s runs', async (_, block) => {
    await runLibrary(block, server.url, folder);
    expect([...server.agents.values()].map(({ beats }) => beats.at(-1))).toEqual([
      expect.objectContaining({ version: '1.4.0' }),
    ]);
  });

  test.each(toRun('python'))('%s runs', async (_, block) => {
    const names = [...block.text.matchAll(/(?:name=|create\()"([^"]+)"/g)].map(([, name]) => name);
    const isHeard = () =>
      until(() => [...server.agents.values()].every(({ beats }) => beats.length) && server.agents.size);
    expect(await runPython(block, server.url, isHeard)).toEqual({ code: 0, complained: '' });
    expect([...server.agents.values()].map(({ name }) => name)).toEqual(names);
  });
});

describe('the examples of the documents', () => {
  test('each has exactly one who runs or checks it', () => {
    expect(
      blocks()
        .map(runnerOf)
        .filter((runner) => runner === 'library').length,
    ).toBeGreaterThanOrEqual(4);
    const [unknown] = blocksOf('docs/a.md', '# A\n\n```cobol\nx\n```\n');
    expect(() => runnerOf(unknown as Block)).toThrow('docs/a.md:3 nobody runs a block of “cobol”');
  });

  test('say before them what they take for granted, or why they are not run', () => {
    const page =
      '<!-- of the page -->\ntext\n<!-- given\nconst a = 1;\n-->\n<!-- not run: it\nwaits -->\n```ts\na;\n```\n';
    expect(blocksOf('docs/a.md', page)).toEqual([
      { file: 'docs/a.md', line: 8, info: 'ts', text: 'a;\n', given: 'const a = 1;\n', notRun: 'it\nwaits' },
    ]);
  });

  test('in TypeScript have types that fit the SDK', () => {
    const [wrong] = blocksOf(
      'wrong.md',
      "```ts\nimport { connect } from 'fleetgraph/sdk';\nawait connect({ url: 7 });\n```\n",
    );
    const said = typeErrors([...examplesFor('library').map(([, block]) => block), wrong as Block]);
    const faults = said.split('\n').filter((line) => line.includes(': error TS'));
    expect(faults).toEqual([expect.stringMatching(/wrong-md-1\.mts\(2,17\): error TS2322/)]);
  });

  test('in GraphQL are valid for the API, those that are not run too', () => {
    const schema = buildSchema(readFileSync(path.join(ROOT, 'schema/api.graphql'), 'utf8'));
    const faults = examplesFor('platform').flatMap(([place, { text }]) =>
      validate(schema, parse(text)).map(({ message }) => `${place} ${message}`),
    );
    expect(faults).toEqual([]);
  });

  test.each(examplesFor('reader'))('%s can be read', (_, { info, text }) => {
    if (info === 'json') expect(JSON.parse(text)).toBeInstanceOf(Object);
    else if (info === 'yaml') expect(parseYaml(text)).toBeInstanceOf(Object);
    else expect(tagsLeftOpen(text)).toEqual([]);
  });

  test('that name a command of `fleet`, in prose too, have only words that it takes', async () => {
    const lines = [
      ...mentions,
      ...examplesFor('command line').flatMap(([place, { text }]) =>
        linesOf(text).map((line) => [place, line] as const),
      ),
    ];
    const refused: string[] = [];
    for (const [place, line] of lines) {
      const words = wordsOf(line.replace(/ [<>|] .*$/, ''));
      const said = await saysAgainst(words.slice(words.indexOf('fleet') + 1));
      // Prose names a command without all that it needs.
      if (said && !/argument missing|missing required|not specified/.test(said))
        refused.push(`${place}: ${line}: ${said.trim()}`);
    }
    expect(lines.length).toBeGreaterThan(80);
    expect(refused).toEqual([]);
    expect(await saysAgainst(['agents', '--nonsense'])).toContain("unknown option '--nonsense'");
  });
});
