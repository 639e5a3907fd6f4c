import { CursorSealer } from '../../../lib/cursor.ts';
import { EventHouse, levels, take, takeUntil } from './support.ts';

let house: EventHouse;
beforeEach(async () => {
  house = await EventHouse.open();
});
afterEach(() => house.close());

const asOf = async () => (await house.runtime.moments.asOf('Lamp', async () => undefined)).changeCursor;

test('eight writers at once, long and short: positions have no gap, and each entity’s are in the order of its commits', async () => {
  const all = await house.subscribe();
  await house.query('create table row_of (id text primary key, level int not null)');
  await house.query(`insert into row_of select 'e' || n, 0 from generate_series(0, 3) n`);
  let isWriting = true;
  const placing = (async () => {
    while (isWriting) await house.place();
  })();
  const write = async (writer: number) => {
    for (let n = 0; n < 30; n += 1) {
      await house.runtime.database.transaction(async (tx) => {
        const id = `e${(writer + n) % 4}`;
        const [[row]] = await tx.query('update row_of set level = level + 1 where id = $1 returning level', [id]);
        await house.write(id, { level: row.level }, { tx });
        if (n % 3 === 0) await tx.query('select pg_sleep(0.01)');
      });
    }
  };
  await Promise.all(Array.from({ length: 8 }, (_, writer) => write(writer)));
  isWriting = false;
  await placing;
  await house.place();
  const told = await take(all, 240);
  for (const id of ['e0', 'e1', 'e2', 'e3']) {
    const own = told.filter(({ entityId }) => entityId === id);
    expect(levels(own)).toEqual(own.map((_, at) => at + 1));
  }
  const [{ first, last, count }] = await house.query(
    'select min(position)::int as first, max(position)::int as last, count(*)::int as count from event',
  );
  expect({ first, last, count }).toEqual({ first: 1, last: 240, count: 240 });
});

test('a reader from far behind gets every event once and in order, from the table and then from memory', async () => {
  const start = await asOf();
  await house.writeMany(12_000);
  const slow = await house.subscribe(start);
  const seen = levels(await take(slow, 500));
  await house.writeMany(3_000, 12_001);
  seen.push(...levels(await take(slow, 14_500)));
  expect(seen).toEqual(Array.from({ length: 15_000 }, (_, at) => at + 1));
});

test('what a page shows is not told again, though it had no position yet; what it does not show is', async () => {
  await house.write('a', { level: 1 });
  const changeCursor = await house.runtime.database.transaction(async (tx) => {
    await house.write('b', { level: 2 }, { tx });
    await house.write('c', { level: 3 });
    return await asOf();
  });
  // Shown were a and c; not b, whose `seq` is between theirs.
  await house.write('d', { level: 4 });
  await house.place();
  const told = await take(await house.subscribe(changeCursor), 2);
  expect(levels(told)).toEqual([2, 4]);
  const again = await take(await house.subscribe(told[0]?.cursor), 1);
  expect(levels(again)).toEqual([4]);
});

test('a page and its cursor are of one moment, also while it is being read', async () => {
  const { read, changeCursor } = await house.runtime.moments.asOf('Lamp', async (tx) => {
    await house.write('a', { level: 1 });
    await house.place();
    return await tx.query('select seq from event');
  });
  expect(read).toEqual([]);
  expect(levels(await take(await house.subscribe(changeCursor), 1))).toEqual([1]);
});

test('a node that leaves the filter is told once as LEFT, and comes back as UPDATED', async () => {
  const dim = await house.subscribe(undefined, (node) => Number(node['level']) < 50);
  const course = [10, 60, 70, 20];
  for (const [at, level] of course.entries()) {
    await house.write('a', { level }, at > 0 ? { previous: { level: course[at - 1] } } : {});
  }
  await house.place();
  const told = await take(dim, 3);
  expect(told.map(({ kind, node }) => [kind, node['level']])).toEqual([
    ['UPDATED', 10],
    ['LEFT', 60],
    ['UPDATED', 20],
  ]);
});

test('a quiet filter’s bookmark goes on, and resumes where it stands', async () => {
  const quiet = await house.subscribe(undefined, () => false);
  const reading = quiet.next();
  const before = quiet.bookmark();
  await house.writeMany(3);
  const other = await house.subscribe(before);
  await take(other, 3);
  await house.write('a', { level: 4 });
  const resumed = await house.subscribe(other.bookmark());
  await house.place();
  expect(levels(await take(resumed, 1))).toEqual([4]);
  expect(quiet.bookmark()).not.toBe(before);
  await quiet.return?.();
  await reading;
});

test('a forged cursor and one of another stream are BAD_CURSOR; an old key’s is taken while keys rotate', async () => {
  const [old, fresh] = [Buffer.alloc(32, 1), Buffer.alloc(32, 2)];
  const cursor = new CursorSealer([old]).seal('change:Lamp', ['epoch', 7]);
  expect(new CursorSealer([fresh, old]).open('change:Lamp', cursor)).toEqual(['epoch', 7]);
  expect(() => new CursorSealer([fresh]).open('change:Lamp', cursor)).toThrow(/not one of this list/);
  const foreign = (await house.runtime.moments.asOf('Bulb', async () => undefined)).changeCursor;
  const forged = `${(await asOf()).slice(0, -2)}xx`;
  for (const bad of [foreign, forged, '', 'x', cursor]) {
    await expect(house.subscribe(bad)).rejects.toMatchObject({ code: 'BAD_CURSOR' });
  }
});

test.each([
  ['a new epoch', `update stream set epoch = 'restored'`],
  ['positions set back', 'update stream set last_position = 2'],
])('%s ends what runs with RESUME_GAP, and refuses its cursors; new streams tell what is new', async (_, restore) => {
  await house.writeMany(5);
  const before = await asOf();
  const running = await house.subscribe(before);
  const ended = running.next();
  await house.query('delete from event where position > 2');
  await house.query(restore);
  await expect(ended).rejects.toMatchObject({ code: 'RESUME_GAP' });
  await expect(house.subscribe(before)).rejects.toMatchObject({ code: 'RESUME_GAP' });
  const after = await house.subscribe(await asOf());
  await house.write('a', { level: 9 });
  await house.place();
  const told = await takeUntil(after, (taken) => taken.length > 0);
  expect(levels(told)).toEqual([9]);
});
