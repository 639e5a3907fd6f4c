import { existsSync, mkdirSync, mkdtempSync, readdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { systemClock } from '../../lib/clock.ts';
import {
  BlockInserter,
  endPlacedRow,
  openTelemetryStore,
  type RowBlock,
  RowReader,
  RowsTooLarge,
  RowWriter,
  type StoredGroup,
  type TelemetryStore,
} from '../../lib/telemetry-store/index.ts';

const INTO = 'block (name, tags, stamp, seq, batch)';
const COLUMNS = 'name String, tags Map(String, String), stamp UInt64, seq UInt32, batch UInt64';
const folder = path.join(mkdtempSync(path.join(tmpdir(), "it's ")), 'store');
let store: TelemetryStore;
beforeAll(async () => {
  mkdirSync(`${folder}.inserts`, { recursive: true });
  writeFileSync(`${folder}.inserts/7.bin`, 'left by a killed process');
  store = await openTelemetryStore({ path: folder });
  await store.command(
    `create table block (name String, tags Map(String, String), stamp UInt64, seq UInt32, batch UInt64)
       engine = MergeTree order by (stamp, seq) settings non_replicated_deduplication_window = 100`,
  );
});
beforeEach(() => store.command('truncate table block'));
afterAll(() => store.close());

function blockOf(...names: string[]): RowBlock {
  const writer = new RowWriter(64 * 1024 * 1024);
  for (const name of names) {
    writer.text(name);
    writer.varint(1);
    writer.text('of');
    writer.text(name.toUpperCase());
    endPlacedRow(writer);
  }
  return writer.take();
}

const rows = () =>
  store.query<{ name: string; of: string; at: string; seq: number; batch: string }>(
    "select name, tags['of'] as of, toString(stamp) as at, seq, toString(batch) as batch from block order by stamp, seq",
  );

describe('blocks of rows', () => {
  test('requests of one moment are one insert, in order, each row with its place', async () => {
    const groups: StoredGroup<RowBlock>[] = [];
    const made = new BlockInserter({
      store,
      into: INTO,
      columns: COLUMNS,
      clock: systemClock,
      onGroup: (group) => groups.push(group),
    });
    await Promise.all([made.add(blockOf('ä', 'b')), made.add(blockOf('c'), 'token')]);
    const at = String(made.watermark);
    const batch = (await rows())[2]?.batch;
    expect(await rows()).toEqual([
      { name: 'ä', of: 'Ä', at, seq: 0, batch: '0' },
      { name: 'b', of: 'B', at, seq: 1, batch: '0' },
      { name: 'c', of: 'C', at, seq: 2, batch },
    ]);
    expect(batch).not.toBe('0');
    expect(groups.map(({ stamp, batches }) => [stamp, batches.length])).toEqual([[made.watermark, 2]]);
    expect(await made.add(blockOf('c'), 'token')).toBe('repeated');
    await made.close();
    expect(readdirSync(`${folder}.inserts`)).toEqual([]);
  });

  test('the same insert again is stored once: an answer that was lost may be asked for again', async () => {
    const { bytes } = blockOf('once');
    for (let attempt = 0; attempt < 3; attempt += 1) await store.insertBinary(INTO, COLUMNS, [bytes], 'same', 10_000);
    await store.insertBinary(INTO, COLUMNS, [bytes], 'another', 10_000);
    expect((await rows()).map(({ name }) => name)).toEqual(['once', 'once']);
  });

  test('many rows in several blocks are one part: all of them are there or none', async () => {
    const names = Array.from({ length: 150_000 }, (_, at) => `row ${at}`);
    const made = new BlockInserter({ store, into: INTO, columns: COLUMNS, clock: systemClock });
    await Promise.all([made.add(blockOf(...names.slice(0, 40_000))), made.add(blockOf(...names.slice(40_000)))]);
    const parts = await store.query<{ rows: string }>(
      "select toString(rows) as rows from system.parts where table = 'block' and active",
    );
    expect(parts).toEqual([{ rows: '150000' }]);
    const cut = blockOf('cut');
    const broken = store.insertBinary(INTO, COLUMNS, [cut.bytes.subarray(0, -1)], 'cut', 10_000);
    await expect(broken).rejects.toThrow();
    expect(await store.query('select count() as n from block')).toEqual([{ n: 150_000 }]);
    await made.close();
  });

  test('beyond its bound it refuses before the work', async () => {
    const made = new BlockInserter({ store, into: INTO, columns: COLUMNS, clock: systemClock, maxPendingBytes: 10 });
    expect(() => made.checkRoom()).not.toThrow();
    const first = made.add(blockOf('a long first one'));
    expect(() => made.checkRoom()).toThrow('too much waits');
    await expect(made.add(blockOf('b'))).rejects.toMatchObject({ code: 'OVERLOADED' });
    await first;
    await made.close();
  });

  test('by URL, an insert whose answer was lost is tried again with the same bytes', async () => {
    const seen: string[] = [];
    const server = createServer((request, response) => {
      request.resume().on('end', () => {
        seen.push(new URL(request.url ?? '', 'http://x').searchParams.get('query') ?? '');
        if (seen.length < 3) request.socket.destroy();
        else response.end();
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const remote = await openTelemetryStore({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
    const made = new BlockInserter({ store: remote, into: INTO, columns: COLUMNS, clock: systemClock });
    expect(await made.add(blockOf('x'))).toBe('stored');
    expect(seen).toHaveLength(3);
    expect(new Set(seen).size).toBe(1);
    expect(seen[0]).toMatch(/^insert into block .*insert_deduplication_token.* format RowBinary$/s);
    await made.close();
    await remote.close();
    server.close();
    server.closeAllConnections();
  });
});

describe('a writer', () => {
  test('grows to its bound, takes rows back, and reads what it wrote', () => {
    const writer = new RowWriter(600_000);
    const long = 'ü'.repeat(200_000);
    writer.text(long);
    writer.endRow();
    writer.text('not to be');
    writer.dropRow();
    expect(() => writer.text(long)).toThrow(RowsTooLarge);
    writer.dropRow();
    writer.u64(2n ** 63n);
    writer.endRow();
    expect(writer.rows).toBe(2);
    const { bytes, ends } = writer.take();
    const reader = new RowReader(bytes);
    expect([reader.text() === long, reader.u64()]).toEqual([true, 2n ** 63n]);
    expect([...ends]).toEqual([400_003, 400_011]);
    expect(writer.take().bytes).toHaveLength(0);
  });

  test('five thousand rows have five thousand ends', () => {
    const block = blockOf(...Array.from({ length: 5_000 }, (_, at) => String(at)));
    expect(block.ends).toHaveLength(5_000);
    expect(new RowReader(block.bytes, block.ends[4_998]).text()).toBe('4999');
  });
});

test('what a killed process left is gone', () => {
  expect(existsSync(`${folder}.inserts/7.bin`)).toBe(false);
});
