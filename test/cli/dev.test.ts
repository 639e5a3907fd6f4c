import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { FolderWatch } from '../../cli/dev/folder-watch.ts';
import { FRESH, type ProgramEffect, type ProgramEvent, type ProgramState, step } from '../../cli/dev/policy.ts';
import { pathFor, programOf, programsBy } from '../../cli/dev/program.ts';
import { partsOf } from '../../cli/dev/repository.ts';
import { blockOf, EMPTY, fold, linesOf } from '../../cli/dev/screen.ts';
import type { Told } from '../../cli/dev/told.ts';
import { dueMs, gather, globOf, isFileWatched } from '../../cli/dev/watched.ts';
import { Footer } from '../../cli/output/footer.ts';
import { waterfall } from '../../cli/output/waterfall.ts';
import { machine } from '../../sdk/index.ts';
import { until } from '../support/until.ts';

const folders: string[] = [];
const folderWith = (files: Record<string, string>) => {
  const folder = mkdtempSync(path.join(tmpdir(), 'fleetgraph-dev-'));
  folders.push(folder);
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(path.join(folder, path.dirname(name)), { recursive: true });
    writeFileSync(path.join(folder, name), text);
  }
  return folder;
};
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true });
});

/** Takes a program through events, a second apart. */
function live(...events: ProgramEvent[]): { phases: string[]; effects: ProgramEffect[] } {
  let state: ProgramState = FRESH;
  const effects: ProgramEffect[] = [];
  const phases = events.map((event, at) => {
    const [next, done] = step(state, event, at * 1_000);
    state = next;
    effects.push(...done);
    return state.phase;
  });
  return { phases, effects };
}

const START = { kind: 'start' } as const;
const STARTED = { kind: 'started', pid: 7 } as const;
const CHANGED = { kind: 'changed', files: ['a.ts'] } as const;
const CLOSE = { kind: 'close' } as const;
const ENDED = { kind: 'ended', code: 0, signal: null, said: '' } as const;
const BROKEN = { kind: 'ended', code: 1, signal: null, said: 'Error: no' } as const;
const told = (files: string[] = [], tookMs: number | null = null) => ({
  ...{ do: 'tell', what: 'started', pid: 7 },
  ...{ files, tookMs },
});

describe('when a program is started and stopped', () => {
  test('a change stops it and starts it again, and its duration counts from the first change', () => {
    const more = { kind: 'changed', files: ['a.ts', 'b.ts'] } as const;
    expect(live(START, STARTED, CHANGED, more, ENDED, STARTED)).toEqual({
      phases: ['starting', 'running', 'stopping', 'stopping', 'starting', 'running'],
      effects: [{ do: 'start' }, told(), { do: 'stop' }, { do: 'start' }, told(['a.ts', 'b.ts'], 3_000)],
    });
  });

  test('one that breaks is told once with its last words, and only a change starts it again', () => {
    const reason = { do: 'tell', what: 'broken', reason: 'ended with 1', said: 'Error: no' };
    expect(live(START, STARTED, BROKEN, START, CHANGED, STARTED)).toEqual({
      phases: ['starting', 'running', 'resting', 'resting', 'starting', 'running'],
      effects: [{ do: 'start' }, told(), reason, { do: 'start' }, told(['a.ts'], 1_000)],
    });
    expect(live(START, STARTED, { ...BROKEN, code: 137, signal: 'SIGKILL' }).effects.at(-1)).toMatchObject({
      reason: 'ended by SIGKILL',
    });
    expect(live(START, STARTED, ENDED).effects.at(-1)).toEqual({ do: 'tell', what: 'ended' });
    expect(live(START, { kind: 'failed', reason: 'ENOENT' }).effects.at(-1)).toMatchObject({ reason: 'ENOENT' });
  });

  test('what changes while it is being started is not missed', () => {
    expect(live(START, CHANGED, STARTED, ENDED, STARTED)).toMatchObject({
      phases: ['starting', 'starting', 'stopping', 'starting', 'running'],
      effects: [{ do: 'start' }, { do: 'stop' }, { do: 'start' }, told(['a.ts'], 3_000)],
    });
    expect(live(START, CHANGED, { kind: 'failed', reason: 'no' }).phases.at(-1)).toBe('starting');
  });

  test.each<[string, ProgramEvent[], ProgramEffect[]]>([
    ['before it was started', [CLOSE, START], []],
    ['while it is started', [START, CLOSE, STARTED, CHANGED, ENDED], [{ do: 'start' }, { do: 'stop' }]],
    [
      'while it runs',
      [START, STARTED, CLOSE, CHANGED, ENDED, CHANGED],
      [{ do: 'start' }, told() as ProgramEffect, { do: 'stop' }],
    ],
    [
      'while it is stopped for a change',
      [START, STARTED, CHANGED, CLOSE, { kind: 'hurry' }, ENDED],
      [{ do: 'start' }, told() as ProgramEffect, { do: 'stop' }, { do: 'kill' }],
    ],
    [
      'while it rests',
      [START, { kind: 'failed', reason: 'no' }, CLOSE, { kind: 'hurry' }],
      [{ do: 'start' }, { do: 'tell', what: 'broken', reason: 'no', said: '' }],
    ],
  ])('closed %s, it is gone for good', (_, events, effects) => {
    const lived = live(...events);
    expect(lived.phases.at(-1)).toBe('gone');
    expect(lived.effects).toEqual(effects);
  });
});

describe('what is watched', () => {
  test.each(['src/a.ts', 'a.py', 'prompts/system.md', '.env', '.env.local', 'package.json', 'a.mjs'])(
    '%s is',
    (file) => {
      expect(isFileWatched(file)).toBe(true);
    },
  );
  test.each([
    ...['node_modules/x/a.js', 'dist/a.js', '.git/a.js', '.data/a.json', 'src/__pycache__/a.py', 'venv/a.py'],
    ...['a.ts~', '.#a.ts', '4913', '.a.ts.swp', 'a.png', 'data.db', 'x.egg-info/a.txt', 'app.log'],
  ])('%s is not', (file) => {
    expect(isFileWatched(file)).toBe(false);
  });

  test('globs leave more out, and name programs', () => {
    expect(isFileWatched('state.json', [globOf('*.json')])).toBe(false);
    expect(isFileWatched('src/state.json', [globOf('*.json')])).toBe(true);
    for (const [glob, yes, no] of [
      ['agents/*.ts', 'agents/a.ts', 'agents/b/a.ts'],
      ['**/*.{ts,py}', 'a.ts', 'a.js'],
      ['src/**/agent-?.js', 'src/x/y/agent-1.js', 'src/agent-12.js'],
      ['a,b.ts', 'a,b.ts', 'a.ts'],
      ['src/**', 'src/x/y', 'source'],
      ['a}.ts', 'a}.ts', 'a.ts'],
    ] as const) {
      expect([glob, globOf(glob).test(yes), globOf(glob).test(no)]).toEqual([glob, true, false]);
    }
  });

  test('changes are one when they come together, and told within a second when they do not end', () => {
    let gathered = gather(undefined, 'a', 0);
    gathered = gather(gathered, 'b', 50);
    gathered = gather(gathered, 'a', 70);
    expect([gathered.files, dueMs(gathered)]).toEqual([['a', 'b'], 150]);
    expect(dueMs({ files: [], firstMs: 0, lastMs: 990 })).toBe(1_000);
  });

  test('a folder is watched with those that come later, without those left out, until it is closed', async () => {
    const folder = folderWith({ 'src/a.js': '', 'node_modules/x/a.js': '' });
    const seen: string[] = [];
    const options = {
      folder,
      ignored: [],
      surroundings: machine(),
      onError: (error: Error) => seen.push(String(error)),
    };
    const watch = new FolderWatch({ ...options, onChange: (files) => seen.push(...files) });
    writeFileSync(path.join(folder, 'node_modules/x/a.js'), 'changed');
    writeFileSync(path.join(folder, 'src/.a.new.js.swp'), 'x');
    writeFileSync(path.join(folder, 'src/a.new.js'), 'changed');
    renameSync(path.join(folder, 'src/a.new.js'), path.join(folder, 'src/a.js'));
    await until(() => seen.includes('src/a.js'));
    mkdirSync(path.join(folder, 'later/deep'), { recursive: true });
    writeFileSync(path.join(folder, 'later/deep/b.js'), '');
    await until(() => seen.includes('later/deep/b.js'));
    rmSync(path.join(folder, 'later'), { recursive: true });
    mkdirSync(path.join(folder, 'later'));
    writeFileSync(path.join(folder, 'later/c.js'), '');
    await until(() => seen.includes('later/c.js'));
    watch.close();
    expect(seen.filter((file) => /node_modules|swp|Error/.test(file))).toEqual([]);
  });
});

describe('what is run', () => {
  test('the script agent, else main, else the Python package', () => {
    const manifest = (more: object) => JSON.stringify({ name: 'translator', ...more });
    const script = folderWith({ 'package.json': manifest({ scripts: { agent: 'tsx a.ts' }, main: 'a.js' }) });
    expect(programOf(script)).toEqual({ name: 'translator', words: ['/bin/sh', '-c', 'tsx a.ts'], folder: script });
    const main = folderWith({ 'package.json': manifest({ main: 'a.js' }), 'a.js': '' });
    expect(programOf(main)?.words).toEqual([process.execPath, 'a.js']);
    expect(programOf(folderWith({ 'package.json': manifest({ main: 'absent.js' }) }))).toBeUndefined();
    const python = folderWith({
      'pyproject.toml': 'name = "my-agent"',
      'a/__main__.py': '',
      'my_agent/__main__.py': '',
    });
    expect(programOf(python)).toEqual({ name: 'my_agent', words: ['python3', '-m', 'my_agent'], folder: python });
    expect(programOf(folderWith({ 'pyproject.toml': '', 'b/x.py': '' }))).toBeUndefined();
    expect(programOf(folderWith({}))).toBeUndefined();
  });

  test('each file that a glob matches, and packages’ commands are found', () => {
    const folder = folderWith({ 'agents/a.js': '', 'agents/b.py': '', 'node_modules/agents/c.js': '', 'other.js': '' });
    expect(programsBy('./agents/*', folder).map(({ name, words }) => [name, words[0]])).toEqual([
      ['agents/a.js', process.execPath],
      ['agents/b.py', 'python3'],
    ]);
    expect(pathFor('/a/b', '/bin').split(':')).toEqual([
      ...['/a/b/node_modules/.bin', '/a/node_modules/.bin', '/node_modules/.bin', '/bin'],
    ]);
  });

  test.each([
    ['subgraphs/alerts/index.ts', ['alerts']],
    ['router/engine.ts', ['router']],
    ['sdk/agent.ts', ['demo']],
    ['sdk/python/x.py', []],
    ['fleet/main.ts', ['demo']],
    ['lib/errors.ts', ['router', 'agents', 'logs', 'audit', 'alerts', 'metrics']],
    ['cli/platform/houses.ts', ['router', 'agents', 'logs', 'audit', 'alerts', 'metrics']],
    ['cli/start.ts', 'by hand'],
    ['schema/supergraph.graphql', []],
    ['subgraphs/README.ts', []],
  ])('%s is run by %s', (file, parts) => {
    expect(partsOf(file)).toEqual(parts);
  });
});

const span = (
  spanId: string,
  parentSpanId: string | null,
  name: string,
  fromMs: number,
  durationMs: number,
  more = {},
) => ({
  ...{ spanId, parentSpanId, name, durationMs, service: 'fleetgraph.router', error: false },
  startedAt: `2026-01-01T00:00:00.${String(fromMs).padStart(3, '0')}500000Z`,
  ...more,
});
const TRACE = {
  ...{ traceId: 'a'.repeat(32), startedAt: null, durationMs: 40, errors: 1 },
  spans: [
    span('a', null, 'query Fleet', 0, 40),
    span('c', 'a', 'fetch logs', 20, 20, { error: true }),
    span('b', 'a', 'plan', 0, 4),
    span('d', 'c', 'logs graphql', 24, 12, { service: 'fleetgraph.telemetry' }),
    span('e', 'missing', 'elsewhere', 30, 0.4),
  ],
  logs: {
    nodes: [{ time: '2026-01-01T00:00:00.030500000Z', severity: 'WARN', service: 'logs', body: 'slow\u001b[2J' }],
  },
};

describe('what is shown', () => {
  test('a trace is a waterfall: whole, cut, and empty', () => {
    expect(waterfall(TRACE, { spans: 10 })).toEqual([
      `query Fleet  40.0 ms, 1 failed  ${'a'.repeat(32)}`,
      'query Fleet                                      ▕████████████████████████▏   40.0 ms  fleetgraph.router',
      '  plan                                           ▕██                      ▏    4.0 ms  fleetgraph.router',
      '  ✗ fetch logs                                   ▕            ████████████▏   20.0 ms  fleetgraph.router',
      '    logs graphql                                 ▕              ███████   ▏   12.0 ms  fleetgraph.telemetry',
      'elsewhere                                        ▕                  █     ▏    0.4 ms  fleetgraph.router',
      'WARN  +30.0 ms logs: slow [2J',
    ]);
    expect(waterfall(TRACE, { spans: 1, width: 20 })).toEqual([
      ...['query Fleet  40.0 m…', 'query Fleet        …', '… and 4 more spans', 'WARN  +30.0 ms logs…'],
    ]);
    expect(waterfall({ ...TRACE, spans: [], logs: null, errors: 0, durationMs: 12_345 }, { spans: 1 })).toEqual([
      `no span  12.3 s  ${'a'.repeat(32)}`,
    ]);
  });

  const EVENTS: Told[] = [
    { event: 'platform.starting' },
    { event: 'platform.ready', url: 'http://127.0.0.1:4000', isJoined: true, tookMs: 0 },
    {
      event: 'houses',
      houses: [
        { name: 'logs', breaker: 'CLOSED', isHealthy: true },
        { name: 'audit', breaker: 'OPEN', isHealthy: true },
      ],
    },
    { event: 'no-program', folder: 'empty' },
    { event: 'watch.failed', folder: 'src', reason: 'ENOSPC' },
    { event: 'seeded', what: 'are there already' },
    { event: 'program.started', program: 'translator', pid: 7, files: [], tookMs: null },
    { event: 'line', program: 'translator', text: 'hello', isError: false },
    { event: 'agent', name: 'translator-7', state: 'RUNNING', presence: 'ONLINE', health: 100 },
    { event: 'program.started', program: 'translator', pid: 8, files: ['a.ts', 'b.ts', 'c.ts', 'd.ts'], tookMs: 412 },
    { event: 'program.ended', program: 'other' },
    { event: 'program.broken', program: 'third', reason: 'ended with 1', said: 'Error' },
    { event: 'compile.failed', files: ['lib/a.ts'], said: 'lib/a.ts(1,1): error' },
    { event: 'by-hand', files: ['cli/start.ts'] },
    { event: 'compiled', files: ['lib/a.ts'], tookMs: 2_345, restarted: ['router', 'state'] },
    { event: 'request', trace: { ...TRACE, spans: TRACE.spans.slice(0, 1), logs: null } },
    { event: 'platform.away', reason: 'nobody answers' },
  ];

  test('on a terminal: one block', () => {
    expect(blockOf(EVENTS.reduce(fold, EMPTY), 79)).toEqual([
      '─'.repeat(79),
      'platform  http://127.0.0.1:4000 (joined), away',
      'houses    logs ✓  audit ✗',
      'program   translator runs, process 8',
      'program   other has ended; waits for a change',
      'program   third ✗ ended with 1; waits for a change',
      'agents    translator-7 RUNNING 100',
      'reload    2.3 s (lib/a.ts → router, state started anew)',
      `request   query Fleet  40.0 ms, 1 failed  ${'a'.repeat(32)}`,
      '  query Fleet                                      ▕████████████████████████▏ …',
      'Ctrl-C    ends it',
    ]);
    const later: Told[] = [
      { event: 'platform.back' },
      { event: 'compile.failed', files: ['x.ts'], said: '' },
      { event: 'stopping' },
    ];
    expect(blockOf(later.reduce(fold, EMPTY), 40)).toEqual([
      ...['─'.repeat(40), 'platform  stopping …', 'reload    ✗ x.ts does not compile', 'Ctrl-C    ends it'],
    ]);
    expect(blockOf(EMPTY, 30)[1]).toBe('platform  starting …');
    const many = Array.from(
      { length: 6 },
      (_, at): Told => ({
        event: 'agent',
        name: `a${at}`,
        state: at ? 'RUNNING' : 'RETIRED',
        presence: 'OFFLINE',
        health: 1,
      }),
    );
    expect(blockOf(many.reduce(fold, EMPTY), 200)).toContainEqual(
      expect.stringMatching(/a5 RUNNING, OFFLINE 1 {2}and 1 more$/),
    );
  });

  test('elsewhere: a line for each', () => {
    const more: Told[] = [
      { event: 'platform.ready', url: 'http://x', isJoined: false, tookMs: 4_200 },
      ...[{ event: 'platform.lost', reason: 'why' } as const, { event: 'platform.back' } as const],
      { event: 'houses', houses: [] },
      { event: 'seeds.failed', reason: 'full' },
      { event: 'compiled', files: ['sdk/a.ts'], tookMs: 1, restarted: [] },
      ...[{ event: 'stopping' } as const, { event: 'stopped' } as const],
    ];
    expect([...EVENTS, ...more].flatMap(linesOf)).toEqual([
      'platform  starts, or is joined where one runs …',
      'platform  http://127.0.0.1:4000 joined',
      'houses    audit does not answer (breaker OPEN)',
      'program   none in empty: package.json has neither a script “agent” nor a “main”, pyproject.toml no package to run',
      'watch     not all of src is watched: ENOSPC',
      'seeds     are there already',
      'program   translator runs, process 7',
      'translator | hello',
      'agent     translator-7 RUNNING, ONLINE, health 100',
      'program   translator runs, process 8, 412 ms after a.ts, b.ts, c.ts and 1 more changed',
      'program   other has ended by itself; it is started again when its source changes',
      'program   third ended with 1; it is started again when its source changes',
      'compile   lib/a.ts does not compile; what runs stays',
      'lib/a.ts(1,1): error',
      'compile   cli/start.ts is of the supervisor or the command line: start fleet dev anew for it',
      'compile   lib/a.ts: router, state started anew after 2.3 s',
      `request   query Fleet  40.0 ms, 1 failed  ${'a'.repeat(32)}`,
      '          query Fleet                                      ▕████████████████████████▏   40.0 ms  fleetgraph.router',
      'platform  does not answer: nobody answers',
      'platform  http://x is ready after 4.2 s',
      ...[
        'platform  has ended: why',
        'platform  answers again',
        'houses    all answer',
        'seeds     could not be made: full',
      ],
      'compile   sdk/a.ts: nothing to start anew after 1 ms',
      ...['stopping  agents first, then the platform', 'stopped'],
    ]);
  });

  test('the block stays beneath the lines: it is taken away and written anew', () => {
    let written = '';
    const footer = new Footer({ write: (text) => (written += text), columns: 41 }, (width) => ['─', String(width)]);
    footer.write(['one']);
    footer.write(['two', 'three']);
    footer.clear();
    footer.clear();
    expect(written).toBe('one\n─\n40\n\u001b[2A\r\u001b[Jtwo\nthree\n─\n40\n\u001b[2A\r\u001b[J');
  });
});
