import { uuidV7 } from '../../lib/clock.ts';
import { CursorSealer } from '../../lib/cursor.ts';
import { durationMs, isoDuration, SCALARS } from '../../lib/graphql/scalars.ts';
import { nodeId, readNodeId, uuidOf } from '../../lib/node-id.ts';
import { pageOf, readPage } from '../../lib/page.ts';
import { canonicalJson } from '../../lib/write/canonical.ts';

const UUID = uuidV7(1_700_000_000_000, new Uint8Array(10).fill(255));
const cursors = new CursorSealer([Buffer.alloc(32, 1)]);

test('a uuid bears its time, version and variant', () => {
  expect(UUID).toBe('018bcfe5-6800-7fff-bfff-ffffffffffff');
});

describe('a node id', () => {
  test('says whom to ask, and is told from anything else', () => {
    expect(readNodeId(nodeId('Agent', UUID))).toEqual({ type: 'Agent', uuid: UUID });
    for (const id of [
      '',
      'x',
      nodeId('agent', UUID),
      nodeId('Agent', 'x'),
      Buffer.from(`Agent:${UUID}\n`).toString('base64url'),
    ]) {
      expect(readNodeId(id)).toBeUndefined();
    }
    expect(() => uuidOf('Alert', nodeId('Agent', UUID))).toThrow('no id of the type Alert');
  });
});

describe('a cursor', () => {
  test('opens on its own list only, and under an older key while keys rotate', () => {
    const sealed = cursors.seal('logs', ['2026', 1]);
    expect(cursors.open('logs', sealed)).toEqual(['2026', 1]);
    expect(new CursorSealer([Buffer.alloc(32, 2), Buffer.alloc(32, 1)]).open('logs', sealed)).toEqual(['2026', 1]);
    for (const forged of ['', 'x', `${sealed}A`, sealed.slice(2)]) {
      expect(() => cursors.open('logs', forged)).toThrow('not one of this list');
    }
    expect(() => cursors.open('alerts', sealed)).toThrow('not one of this list');
  });
});

describe('a page', () => {
  const rows = [1, 2, 3, 4];
  const key = (row: number) => [row];

  test('knows whether more follow, forward and backward', () => {
    const forward = pageOf(rows, readPage({ first: 3 }, cursors, 'n'), cursors, 'n', key);
    expect(forward).toMatchObject({ nodes: [1, 2, 3], pageInfo: { hasNextPage: true, hasPreviousPage: false } });
    const backward = pageOf(rows, readPage({ last: 3 }, cursors, 'n'), cursors, 'n', key);
    expect(backward).toMatchObject({ nodes: [2, 3, 4], pageInfo: { hasNextPage: false, hasPreviousPage: true } });
    const after = readPage({ after: forward.pageInfo.endCursor }, cursors, 'n');
    expect(after).toEqual({ limit: 50, backward: false, after: [3] });
    expect(pageOf([4], after, cursors, 'n', key).pageInfo).toMatchObject({ hasNextPage: false, hasPreviousPage: true });
    expect(
      pageOf([], readPage({ before: forward.pageInfo.endCursor }, cursors, 'n'), cursors, 'n', key).pageInfo.endCursor,
    ).toBeNull();
  });

  test.each([[{ first: 0 }], [{ first: 101 }], [{ last: -1 }], [{ first: 1, last: 1 }]])('%j is refused', (args) => {
    expect(() => readPage(args, cursors, 'n')).toThrow();
  });
});

describe('a scalar', () => {
  test('DateTime takes RFC 3339 and nothing else', () => {
    expect(SCALARS.DateTime.parseValue('2026-02-28T23:59:59.5+01:00')).toEqual(new Date('2026-02-28T22:59:59.500Z'));
    for (const wrong of ['2026-02-30T00:00:00Z', '2026-01-01', 'x', 5, null, '2026-01-01T00:00:00']) {
      expect(() => SCALARS.DateTime.parseValue(wrong)).toThrow('RFC 3339');
    }
    expect(SCALARS.DateTime.serialize('2026-01-01T00:00:00.123456789Z')).toBe('2026-01-01T00:00:00.123456789Z');
    expect(() => SCALARS.DateTime.serialize(5)).toThrow('not a time');
  });

  test('Duration reads weeks to milliseconds and writes them back', () => {
    expect(['PT5M', 'P30D', 'PT0.5S', 'P1W', 'P1DT2H3M4S'].map(durationMs)).toEqual([
      300_000, 2_592_000_000, 500, 604_800_000, 93_784_000,
    ]);
    expect([300_000, 2_592_000_000, 500, 0, 93_784_000].map(isoDuration)).toEqual([
      'PT5M',
      'P30D',
      'PT0.5S',
      'PT0S',
      'P1DT2H3M4S',
    ]);
    expect(SCALARS.Duration.serialize(60_000)).toBe('PT1M');
    for (const wrong of ['P', 'PT', '5m', 'P1Y', 5])
      expect(() => SCALARS.Duration.parseValue(wrong)).toThrow('ISO 8601');
  });

  test('SafeInt holds up to 2^53 and no fraction', () => {
    expect(SCALARS.SafeInt.serialize('9007199254740991')).toBe(2 ** 53 - 1);
    expect(SCALARS.SafeInt.serialize(5n)).toBe(5);
    expect(SCALARS.SafeInt.parseValue(7)).toBe(7);
    for (const wrong of [0.5, 2 ** 53, '7', null]) expect(() => SCALARS.SafeInt.parseValue(wrong)).toThrow();
  });

  test('Labels are an object of strings', () => {
    expect(SCALARS.Labels.parseValue({ env: 'prod' })).toEqual({ env: 'prod' });
    const many = Object.fromEntries(Array.from({ length: 65 }, (_, i) => [`l${i}`, 'x']));
    for (const wrong of [{ a: 1 }, [], 'x', null, { '': 'x' }, { a: 'x'.repeat(2_049) }, many, { a: '\0' }]) {
      expect(() => SCALARS.Labels.parseValue(wrong)).toThrow();
    }
  });

  test('JSON is bounded in depth and has no NUL', () => {
    let deep: unknown = 1;
    for (let level = 0; level < 40; level += 1) deep = [deep];
    for (const wrong of [deep, Number.NaN, ['\0'], { '\0': 1 }]) expect(() => SCALARS.JSON.parseValue(wrong)).toThrow();
    expect(SCALARS.JSON.parseValue({ a: [1, null] })).toEqual({ a: [1, null] });
  });
});

test('canonical JSON is the same for equal values', () => {
  expect(canonicalJson({ b: [undefined, 1], a: undefined, c: { z: 1, y: null } })).toBe(
    '{"b":[null,1],"c":{"y":null,"z":1}}',
  );
  expect(canonicalJson(new Date(0))).toBe('"1970-01-01T00:00:00.000Z"');
  expect(canonicalJson(undefined)).toBe('null');
});
