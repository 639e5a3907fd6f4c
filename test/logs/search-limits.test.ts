import { LogReader } from '../../subgraphs/logs/store/index.ts';
import { type LogsHouse, startLogsHouse } from './support.ts';

let house: LogsHouse;
beforeAll(async () => {
  house = await startLogsHouse();
});
afterAll(() => house.close());

test('a search that takes longer than its limit is TIMEOUT', async () => {
  const reader = new LogReader(house.telemetry, { maxMs: 100, maxMemoryBytes: 2 ** 30 });
  const slow = reader.rows('select sum(sleepEachRow(0.5)) from numbers(20)', {}, 60_000);
  await expect(slow).rejects.toMatchObject({ code: 'TIMEOUT' });
});

test('a search that takes more memory than its limit is OVERLOADED', async () => {
  const reader = new LogReader(house.telemetry, { maxMs: 8_000, maxMemoryBytes: 16 * 1024 * 1024 });
  const large = reader.rows('select length(groupArray(toString(number))) as all from numbers(5000000)', {});
  await expect(large).rejects.toMatchObject({ code: 'OVERLOADED' });
});

test('what was read is told', async () => {
  const { rows, read } = await new LogReader(house.telemetry).measured<{ n: number }>(
    'select toUInt32(number) as n from numbers(3)',
    {},
  );
  expect(rows).toEqual([{ n: 0 }, { n: 1 }, { n: 2 }]);
  expect(read).toEqual({ rows: 3, bytes: 24, elapsedMs: expect.any(Number) });
});
