import { systemClock } from '../../../lib/clock.ts';
import { Retention, type RetentionLimits } from '../../../lib/events/retention.ts';
import { silentLog } from '../../../lib/log.ts';
import { EventPartitions1796053600000 } from '../../../migrations/1796053600000-houses-event-partitions.ts';
import { EventHouse, levels, take } from './support.ts';

const DAY_MS = 86_400_000;
const LIMITS: RetentionLimits = { maxAgeMs: 7 * DAY_MS, maxEvents: 300, partitionRows: 100 };

let house: EventHouse;
beforeEach(async () => {
  house = await EventHouse.open();
  // The first partition as small as the others of the tests.
  await house.query('alter table event detach partition event_0');
  await house.query('alter table event attach partition event_0 for values from (minvalue) to (100)');
});
afterEach(() => house.close());

function retention(limits: Partial<RetentionLimits> = {}, aheadMs = 0): Retention {
  const nowMs = () => systemClock.nowMs() + aheadMs;
  return new Retention(house.runtime.database, { ...LIMITS, ...limits }, nowMs, silentLog);
}

async function partitions(): Promise<Record<string, number>> {
  const rows: { name: string; count: number }[] = await house.query(
    `select tableoid::regclass::text as name, count(*)::int as count from event group by 1 order by 1`,
  );
  return Object.fromEntries(rows.map(({ name, count }) => [name, count]));
}

const cursorNow = async () => (await house.runtime.moments.asOf('Lamp', async () => undefined)).changeCursor;

/** What subscribing behind a cursor is refused with. */
async function refusal(after: string) {
  return await house.subscribe(after).then(
    () => undefined,
    (error) => error as { code: string; extensions: { cursor: string } },
  );
}

test('events beyond the count go; an older cursor is told the oldest that is left', async () => {
  const start = await cursorNow();
  for (let at = 0; at < 8; at += 1) {
    await retention().run();
    await house.writeMany(100, at * 100 + 1);
  }
  await retention().run();
  expect(await partitions()).toEqual({ event_500: 100, event_600: 100, event_700: 100, event_800: 1 });
  const refused = await refusal(start);
  expect(refused?.code).toBe('RESUME_GAP');
  const rest = await take(await house.subscribe(refused?.extensions.cursor), 301);
  expect(levels(rest)).toEqual(Array.from({ length: 301 }, (_, at) => 500 + at));
});

test('a reader whose events go before he has read them is told so, never served with a hole', async () => {
  const reader = await house.subscribe(await cursorNow());
  for (let at = 0; at < 12; at += 1) {
    await retention({ maxEvents: 100_000 }).run();
    await house.writeMany(1_000, at * 1_000 + 1);
  }
  await take(reader, 1);
  await retention({ maxEvents: 100 }).run();
  const rest = async () => {
    for (;;) await take(reader, 1);
  };
  await expect(rest()).rejects.toMatchObject({ code: 'RESUME_GAP' });
});

test('events beyond the age go, whole partitions and what is left in the one that is written to', async () => {
  await retention().run();
  await house.writeMany(150);
  await retention({}, 6 * DAY_MS).run();
  expect(await partitions()).toEqual({ event_0: 99, event_100: 51 });
  const start = await cursorNow();
  await retention({}, 8 * DAY_MS).run();
  expect(await partitions()).toEqual({});
  expect(await refusal(start)).toBeUndefined();
  await house.writeMany(1, 151);
  expect(levels(await take(await house.subscribe(start), 1))).toEqual([151]);
});

test('what no partition was made for is kept beyond them, told, and goes with its time', async () => {
  const start = await cursorNow();
  await house.writeMany(250);
  expect(await partitions()).toEqual({ event_0: 99, event_beyond: 151 });
  await retention().run();
  await house.writeMany(150, 251);
  expect(await partitions()).toEqual({ event_0: 99, event_beyond: 250, event_350: 51 });
  expect(levels(await take(await house.subscribe(start), 400))).toEqual(Array.from({ length: 400 }, (_, at) => at + 1));
  while (await retention({ maxEvents: 20 }).run());
  expect(await partitions()).toEqual({ event_350: 20 });
});

test('an event without a position holds its partition, however old', async () => {
  await retention().run();
  await house.writeMany(99);
  await house.write('late', { level: 100 });
  await house.query(`update event set position = null where position = 50`);
  await retention({}, 8 * DAY_MS).run();
  expect((await partitions())['event_0']).toBe(99);
});

test('a house that has events already keeps them, and their positions, over the migration', async () => {
  const migration = new EventPartitions1796053600000();
  const run = house.runtime.database.createQueryRunner();
  await house.writeMany(50);
  const start = await cursorNow();
  await migration.down(run);
  await house.query(
    `insert into event (occurred_at, kind, type, entity_id, node) values (now(), 'UPDATED', 'Lamp', 'a', '{"level": 51}')`,
  );
  await migration.up(run);
  await run.release();
  await house.place();
  await retention({ partitionRows: 250_000 }).run();
  expect(await partitions()).toEqual({ event_0: 51 });
  expect(levels(await take(await house.subscribe(start), 1))).toEqual([51]);
});
