import { mkdtempSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { systemClock } from '../../lib/clock.ts';
import { Gate } from '../../lib/telemetry-store/gate.ts';
import {
  absentTelemetryStore,
  GroupedInserter,
  openTelemetryStore,
  type TelemetryStore,
} from '../../lib/telemetry-store/index.ts';
import { batchNumber, RepeatGuard } from '../../lib/telemetry-store/repeat-guard.ts';
import { StampClock } from '../../lib/telemetry-store/stamp-clock.ts';

const folder = path.join(mkdtempSync(path.join(tmpdir(), 'telemetry-')), 'store');
let store: TelemetryStore;
beforeAll(async () => {
  store = await openTelemetryStore({ path: folder });
});
afterAll(() => store.close());

interface Row {
  name: string;
  value: number | string;
}
let tables = 0;
/** An inserter on a table of its own. */
async function inserter(options: Partial<ConstructorParameters<typeof GroupedInserter<Row>>[0]> = {}) {
  tables += 1;
  const table = `t${tables}`;
  await store.command(
    `create table ${table} (name String, value UInt32, stamp UInt64, seq UInt32, batch UInt64) engine = MergeTree order by name
       settings non_replicated_deduplication_window = 100`,
  );
  const into = `${table} (name, value, stamp, seq, batch)`;
  const made = new GroupedInserter<Row>({ store, into, clock: systemClock, stamped: true, batched: true, ...options });
  const rows = () =>
    store.query<{ name: string; stamp: string; seq: number; batch: string }>(
      `select name, toString(stamp) as stamp, seq, toString(batch) as batch from ${table} order by ${table}.stamp, seq`,
    );
  return { made, rows, table };
}

describe('queries', () => {
  test('values are bound, whatever is in them', async () => {
    for (const value of [`'; drop table x --`, 'a\\b', 'tab\t', '\n', '{p:String}', 'ü€\u2028', '']) {
      expect(await store.query('select {value:String} as value', { value })).toEqual([{ value }]);
    }
  });

  test('have a limit of time and of rows', async () => {
    const slow = store.query('select sleepEachRow(1) from numbers(3) where ignore(number) = 0', {}, { maxMs: 300 });
    await expect(slow).rejects.toMatchObject({ code: 'TIMEOUT' });
    await expect(store.query('select number from numbers(10)', {}, { maxRows: 5 })).rejects.toThrow(/limit/i);
    await expect(store.query('select nonsense')).rejects.toThrow(/nonsense/);
    await expect(store.command('drop table nonsense')).rejects.toThrow(/nonsense/);
    await expect(store.ready()).resolves.toBeUndefined();
  });

  test('more than fit wait; more than may wait are refused; a closed gate lets nobody in', async () => {
    const gate = new Gate(1, 1);
    let leave: () => void = () => undefined;
    const inside = gate.pass(() => new Promise<void>((resolve) => (leave = resolve)));
    const waiting = gate.pass(async () => 'second');
    await expect(gate.pass(async () => 'third')).rejects.toMatchObject({ code: 'OVERLOADED' });
    const closed = gate.close();
    await expect(gate.pass(async () => 'late')).rejects.toMatchObject({ code: 'SUBGRAPH_UNAVAILABLE' });
    leave();
    await inside;
    expect(await waiting).toBe('second');
    await closed;
    await new Gate(1, 1).close();
  });

  test('a store that is not there says so', async () => {
    await expect(absentTelemetryStore().ready()).rejects.toMatchObject({ code: 'ENGINE_MISSING' });
    await absentTelemetryStore().close();
  });

  test('a folder that cannot be one is told in one line', async () => {
    await expect(openTelemetryStore({ path: path.join(folder, '..', 'other') })).rejects.toMatchObject({
      code: 'CONFLICT',
    });
  });
});

describe('migrations', () => {
  test('run once, in order; changed or newer ones are refused', async () => {
    const first = 'create table if not exists m1 (a UInt8) engine = Memory';
    const second = 'insert into m1 values (1)';
    await store.migrate('a house', [first]);
    await store.migrate('a house', [first, second]);
    await store.migrate('a house', [first, second]);
    expect(await store.query('select a from m1')).toEqual([{ a: 1 }]);
    await expect(store.migrate('a house', [first, 'other'])).rejects.toMatchObject({ code: 'CONFLICT' });
    await expect(store.migrate('a house', [first])).rejects.toThrow('newer code');
  });
});

describe('grouped inserts', () => {
  test('requests of one moment share a stamp, are told in order, and are durable when answered', async () => {
    const groups: { stamp: number; rows: readonly Row[] }[] = [];
    const { made, rows } = await inserter({ onGroup: (group) => groups.push(group) });
    const before = made.watermark;
    await Promise.all([
      made.add([{ name: 'a', value: 1 }]),
      made.add([
        { name: 'b', value: 2 },
        { name: 'c', value: 3 },
      ]),
    ]);
    expect(groups.map(({ rows }) => rows.map(({ name }) => name))).toEqual([['a', 'b', 'c']]);
    const stamp = String(groups[0]?.stamp);
    expect(await rows()).toEqual(['a', 'b', 'c'].map((name, seq) => ({ name, stamp, seq, batch: '0' })));
    expect(made.watermark).toBe(groups[0]?.stamp);
    expect(made.watermark).toBeGreaterThan(before);
    expect(made.pendingBytes).toBe(0);
    expect(await made.add([])).toBe('stored');
    await made.close();
    await expect(made.add([{ name: 'late', value: 1 }])).rejects.toMatchObject({ code: 'SUBGRAPH_UNAVAILABLE' });
  });

  test('without grouping each request has an insert of its own', async () => {
    const { made, rows } = await inserter({ isGrouping: () => false });
    await Promise.all(['a', 'b', 'c'].map((name) => made.add([{ name, value: 1 }])));
    const stored = await rows();
    expect(stored.map(({ name }) => name)).toEqual(['a', 'b', 'c']);
    expect(new Set(stored.map(({ stamp }) => stamp)).size).toBe(3);
    await made.close();
  });

  test('the same token is stored once: under way, afterwards, and after a restart', async () => {
    const { made, rows, table } = await inserter();
    const row = { name: 'once', value: 1 };
    expect((await Promise.all([made.add([row], 'token'), made.add([row], 'token')])).sort()).toEqual([
      'repeated',
      'stored',
    ]);
    expect(await made.add([row], 'token')).toBe('repeated');
    await made.close();
    const [kept] = await rows();
    expect(kept?.batch).toBe(batchNumber('token'));

    const next = new GroupedInserter<Row>({
      store,
      into: `${table} (name, value, stamp, seq, batch)`,
      clock: systemClock,
      stamped: true,
      batched: true,
    });
    next.resume(2 ** 51, [{ batch: batchNumber('token'), atMs: systemClock.nowMs() }]);
    expect(await next.add([row], 'token')).toBe('repeated');
    expect(await next.add([row], 'other')).toBe('stored');
    expect((await rows()).map(({ stamp }) => Number(stamp) > 2 ** 51)).toEqual([false, true]);
    await next.close();
  });

  test('a request that the engine refuses takes no other with it, and may come again', async () => {
    const { made, rows } = await inserter();
    const answers = await Promise.allSettled([
      made.add([{ name: 'good', value: 1 }]),
      made.add([{ name: 'bad', value: 'no number' }], 'token'),
      made.add([{ name: 'fine', value: 2 }]),
    ]);
    expect(answers.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect((await rows()).map(({ name, seq }) => [name, seq])).toEqual([
      ['good', 0],
      ['fine', 1],
    ]);
    await expect(made.add([{ name: 'bad', value: 'no number' }])).rejects.toThrow();
    expect(await made.add([{ name: 'mended', value: 3 }], 'token')).toBe('stored');
    expect(made.pendingBytes).toBe(0);
    await made.close();
  });

  test('beyond its bound it refuses, with a time to come again, and takes more once it is through', async () => {
    const { made, rows } = await inserter({ maxPendingBytes: 2_000, maxRows: 1 });
    const row = (name: string) => [{ name: name.padEnd(700, '.'), value: 1 }];
    const answers = await Promise.allSettled(['a', 'b', 'c', 'd'].map((name) => made.add(row(name))));
    expect(answers.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected', 'rejected']);
    expect(answers[3]).toMatchObject({ reason: { code: 'OVERLOADED', extensions: { retryAfterMs: 1_000 } } });
    await made.add(row('e'));
    expect(await rows()).toHaveLength(3);
    const full = made.add([{ name: 'f'.padEnd(5_000), value: 1 }]);
    await expect(made.add(row('g'))).rejects.toMatchObject({ code: 'OVERLOADED' });
    await full;
    await made.close();
  });

  test('tokens are forgotten by age; stamps only rise', () => {
    const guard = new RepeatGuard();
    guard.note('1', 0);
    guard.note('2', 90_000_000);
    expect(guard.find('1', 1, 1_000)).toBeUndefined();
    expect(guard.find('2', 90_000_001, 1_000)).toBeDefined();
    expect(guard.find('2', 91_000_000, 1_000)).toBeUndefined();
    let nowMs = 5;
    const stamps = new StampClock({ ...systemClock, nowMs: () => nowMs });
    stamps.startAbove(7_000);
    const first = stamps.next();
    nowMs = 1;
    expect([first, stamps.next()]).toEqual([7_001, 7_002]);
  });
});

describe('by URL', () => {
  test('an insert whose answer was lost is tried again with the same token', async () => {
    const seen: string[] = [];
    const server = createServer((request, response) => {
      let body = '';
      request.on('data', (chunk: Buffer) => (body += chunk.toString('latin1')));
      request.on('end', () => {
        seen.push(body);
        if (seen.length < 3) request.socket.destroy();
        else response.end();
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const remote = await openTelemetryStore({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
    const made = new GroupedInserter<Row>({ store: remote, into: 't (name)', clock: systemClock });
    expect(await made.add([{ name: 'x', value: 1 }])).toBe('stored');
    expect(seen).toHaveLength(3);
    expect(new Set(seen).size).toBe(1);
    server.close();
    server.closeAllConnections();
    await expect(made.add([{ name: 'y', value: 1 }])).rejects.toMatchObject({ code: 'SUBGRAPH_UNAVAILABLE' });
    await made.close();
    await remote.close();
  });
});

test('a query that fails leaves nothing of its answer in the next ones’', async () => {
  const rowsOf = async (who: number, limit: number, failsAt: number) =>
    await store.query<{ who: number; n: number }>(
      `select toUInt32(${who}) as who, toUInt32(number) as n from numbers(${limit}) where throwIf(number = ${failsAt}) = 0`,
      {},
      { settings: ['max_block_size = 500'] },
    );
  const asked = Array.from({ length: 40 }, async (_, who) => {
    const limit = 1_000 + (who % 7) * 3_000;
    if (who % 3 === 0) return await expect(rowsOf(who, 100_000, limit)).rejects.toMatchObject({ code: '395' });
    const rows = await rowsOf(who, limit, -1);
    expect([rows.length, [...new Set(rows.map((row) => row.who))]]).toEqual([limit, [who]]);
  });
  await Promise.all(asked);
});
