import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { colourOf, escaped, flamePage } from '../../cli/profile/flame-graph.ts';
import {
  BadProfile,
  costsOf,
  flameOf,
  kindOf,
  type ProfileNode,
  type ProfileTree,
  readProfile,
  sharesOf,
} from '../../lib/profile/index.ts';
import { ContractServer } from '../sdk/contract-server.ts';
import { Terminal } from './terminal.ts';

const node = (name: string, self: number, children: ProfileNode[] = [], file = '/app/a.js'): ProfileNode => ({
  ...{ name, file, line: 1, self, children },
});
function tree(...children: ProfileNode[]): ProfileTree {
  const root = node('(root)', 0, children, '');
  const sum = (each: ProfileNode): number => each.children.reduce((all, child) => all + sum(child), each.self);
  return { kind: 'CPU', root, total: sum(root), samples: 1 };
}

describe('what a profile says', () => {
  test('a function that calls itself is counted once in its total', () => {
    const walks = tree(node('walk', 10, [node('leaf', 30), node('walk', 20, [node('leaf', 40)])]));
    expect(costsOf(walks).map(({ name, self, total }) => [name, self, total])).toEqual([
      ['leaf', 70, 70],
      ['walk', 30, 100],
    ]);
  });

  test('against a baseline each is a share of its own whole, and what is gone is told', () => {
    const before = tree(node('old', 50), node('same', 50));
    const now = tree(node('new', 500), node('same', 500));
    expect(sharesOf(now, before).map(({ name, self, selfChange }) => [name, self, selfChange])).toEqual([
      ['new', 0.5, 0.5],
      ['old', 0, -0.5],
      ['same', 0.5, 0],
    ]);
    expect(flameOf(now, before, 0).children.map(({ name, share, change }) => [name, share, change])).toEqual([
      ['new', 0.5, 0.5],
      ['same', 0.5, 0],
    ]);
  });

  test('siblings that are one function are one box; narrower ones than are seen are none', () => {
    const twice = tree(node('a', 1, [node('b', 4)]), node('a', 1, [node('b', 4)]), node('tiny', 0.001));
    expect(flameOf(twice, undefined, 0.001).children).toEqual([
      expect.objectContaining({ name: 'a', children: [expect.objectContaining({ name: 'b' })] }),
    ]);
  });

  test('memory is read as Chrome writes it; what is neither is refused', () => {
    const callFrame = { functionName: 'make', url: 'file:///app/a.js', lineNumber: 4 };
    const heap = {
      head: { callFrame: { functionName: '(root)' }, selfSize: 0, children: [{ callFrame, selfSize: 96 }] },
      samples: [{}],
    };
    expect(kindOf(heap)).toBe('HEAP');
    expect(costsOf(readProfile('HEAP', heap))).toEqual([
      { name: 'make', file: '/app/a.js', line: 5, self: 96, total: 96 },
    ]);
    for (const none of [null, 7, [], {}, { nodes: [] }]) expect(() => readProfile('CPU', none)).toThrow(BadProfile);
    expect(() => kindOf({})).toThrow(BadProfile);
    expect(() => readProfile('HEAP', { head: { ...heap.head, selfSize: '9' } })).toThrow(BadProfile);
  });
});

describe('a flame graph', () => {
  const page = { title: 'coder-01', subtitle: '10 s', amount: (share: number) => `${share * 10} s` };

  test('nothing in a name breaks out of it, and nothing but its own script may run', () => {
    const evil = '</title><script>alert(1)</script><g onclick="x">\'"&\u0000';
    const html = flamePage(flameOf(tree(node(evil, 5, [], evil)), undefined, 0), {
      ...page,
      title: evil,
      subtitle: evil,
    });
    expect(html.match(/<script/g)).toEqual(['<script']);
    expect(html).not.toContain('<g onclick');
    expect(html).not.toContain('\u0000');
    expect(html).toMatch(
      /content="default-src 'none'; style-src 'sha256-[\w+/=]+'; script-src 'sha256-[\w+/=]+'; base-uri 'none'/,
    );
    expect(html).not.toMatch(/(src|href)=/);
    expect(escaped('a\nb<')).toBe('a&#10;b&lt;');
  });

  test('red grew, blue shrank, what stayed is grey; without a baseline files have colours', () => {
    const flame = { name: 'f', file: '/a.js', line: 1, share: 0.5, children: [] };
    expect(colourOf({ ...flame, change: 0.3 })).toBe('rgb(255,75,75)');
    expect(colourOf({ ...flame, change: -0.1 })).toBe('rgb(160,160,255)');
    expect(colourOf({ ...flame, change: 0 })).toBe('rgb(240,240,240)');
    expect(colourOf(flame)).toMatch(/^hsl/);
    expect(colourOf({ ...flame, file: '' })).toMatch(/^rgb/);
  });

  test('children stand on their callers, side by side, as wide as their shares', () => {
    const html = flamePage(flameOf(tree(node('a', 25, [node('b', 25)]), node('c', 50)), undefined, 0), page);
    const boxes = [...html.matchAll(/data-x="([\d.]+)" data-w="([\d.]+)" data-d="(\d)" data-n="([^"]+)"/g)];
    expect(boxes.map(([, x, w, depth, name]) => [name, Number(x), Number(w), Number(depth)]).sort()).toEqual([
      ['(root)', 0, 1200, 0],
      ['a', 0, 600, 1],
      ['b', 0, 300, 2],
      ['c', 600, 600, 1],
    ]);
  });
});

describe('fleet profile and fleet bottleneck', () => {
  const server = new ContractServer();
  const terminal = new Terminal();
  const folder = mkdtempSync(path.join(tmpdir(), 'fleetgraph-profile-'));
  const fleet = (...words: string[]) => terminal.run(...words);
  const before = { ...process.env };
  const AGENT = { id: 'a1', name: 'coder-01', presence: 'ONLINE', profiles: [] };
  beforeAll(async () => {
    await server.start();
    Object.assign(process.env, { FLEET_URL: server.url, FLEET_TOKEN: 'operator-token' });
  });
  afterAll(async () => {
    process.env = before;
    terminal.close();
    rmSync(folder, { recursive: true, force: true });
    await server.stop();
  });

  test('a bottleneck is named with what speaks for it', async () => {
    const found = {
      ...{
        kind: 'LOCK',
        confidence: 0.8,
        subject: 'shelf',
        tasks: 20,
        reason: 'tasks wait 70 % of their time for shelf',
      },
      evidence: [{ what: 'share of the tasks’ time', value: 0.7, bound: 0.35 }],
    };
    server.fields['agent'] = () => ({ name: 'coder-01', bottleneck: found });
    expect((await fleet('bottleneck', 'coder-01')).out).toBe(
      [
        'coder-01: LOCK, 80 % sure: tasks wait 70 % of their time for shelf (20 tasks)',
        'MEASURED  BOUND  WHAT',
        '     0.7   0.35  share of the tasks’ time',
        '',
      ].join('\n'),
    );
    expect(JSON.parse((await fleet('bottleneck', 'coder-01', '--json')).out)).toEqual({ agent: 'coder-01', ...found });
    const nothing = { ...found, kind: null, confidence: 0, reason: 'nothing stands out', evidence: [] };
    server.fields['agent'] = () => ({ name: 'coder-01', bottleneck: nothing });
    expect((await fleet('bottleneck', 'coder-01', '--since', '1h')).out).toBe(
      'coder-01: nothing stands out (20 tasks)\n',
    );
    server.fields['agent'] = () => null;
    expect(await fleet('bottleneck', 'nobody')).toMatchObject({ code: 4 });
  });

  test('what cannot be is said before an agent is asked', async () => {
    server.fields['agent'] = () => AGENT;
    const none = path.join(folder, 'none.json');
    writeFileSync(none, '{}');
    for (const [words, said, code] of [
      [['--cpu', '--heap'], 'one of --cpu and --heap', 5],
      [['--seconds', '61'], '--seconds is a whole number from 1 to 60', 5],
      [['--baseline', path.join(folder, 'absent')], 'cannot be read as JSON', 5],
      [['--baseline', none], 'neither a .cpuprofile nor a .heapprofile', 5],
      [['--baseline', 'last'], 'no profile of CPU is kept of coder-01', 4],
    ] as [string[], string, number][])
      expect(await fleet('profile', 'coder-01', ...words)).toEqual({
        out: '',
        err: expect.stringContaining(said),
        code,
      });
  });

  test('an agent that will not, and one that is not there, end the command with why', async () => {
    server.fields['agent'] = () => AGENT;
    server.fields['profileAgent'] = () => ({ profile: { id: 'p1' }, userErrors: [] });
    for (const [state, reason, code] of [
      ['REFUSED', 'its SDK is older than profiles: bring it up to date', 5],
      ['EXPIRED', 'its agent was not there to take it', 6],
    ] as [string, string, number][]) {
      server.fields['agentProfile'] = () => ({ id: 'p1', state, reason });
      expect(await fleet('profile', 'coder-01')).toMatchObject({ code, err: expect.stringContaining(reason) });
    }
  });
});
