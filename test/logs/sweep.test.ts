import 'reflect-metadata';
import { SweepStore } from '../../subgraphs/logs/store/index.ts';
import { bodies, ingest, type LogsHouse, standingClock, startLogsHouse, sweepOf } from './support.ts';

const DAY_MS = 24 * 60 * 60_000;

/** Each test has a year of its own: stamps only rise. */
let START = Date.parse('2026-03-01T12:00:00Z');
const clock = standingClock(START);
let house: LogsHouse;
beforeAll(async () => {
  house = await startLogsHouse({ clock });
});
afterAll(() => house.close());
beforeEach(async () => {
  START += 365 * DAY_MS;
  clock.moveTo(START);
  await house.telemetry.command('truncate table log');
  for (const table of ['retention_policy', 'audit_outbox']) await house.runtime.database.query(`delete from ${table}`);
});

const APPLY = `mutation ($input: RetentionPolicyInput!) {
  applyRetentionPolicy(input: $input) { policy { name } userErrors { code message } }
}`;
async function apply(input: object): Promise<void> {
  const { policy, userErrors } = (await house.ask(APPLY, { input })).data.applyRetentionPolicy;
  expect({ policy, userErrors }).toEqual({ policy: expect.any(Object), userErrors: [] });
}

interface Entry {
  action: string;
  targetId: string;
  reason: string;
  before: { entries: number };
  after: { entries: number; policyVersion: number; why: string };
}
async function trail(): Promise<Entry[]> {
  const rows = await house.runtime.database.query(
    `select entry from audit_outbox where entry->>'action' like 'logs.retention.%' order by seq`,
  );
  return rows.map(({ entry }: { entry: Entry }) => entry);
}
const reasons = async () => (await trail()).map(({ reason }) => reason);
const kept = async (filter = {}) => (await bodies(house, filter)).sort();

/** Rows of each part on the disk, also of those that nobody sees any more. */
async function activeParts(): Promise<string[]> {
  const rows = await house.telemetry.query<{ number: string }>(
    `select toString(rows) as number from system.parts where table = 'log' and database = currentDatabase() and active order by name`,
  );
  return rows.map(({ number }) => number);
}

/** Entries of days 0 to `days` - 1, as many as given by body. */
async function fill(days: number, ...each: { body: string; severity?: string; service?: string }[]): Promise<void> {
  for (let day = 0; day < days; day += 1) {
    clock.moveTo(START + day * DAY_MS);
    await ingest(
      house,
      each.map((record) => ({ ...record, body: `${record.body} ${day}` })),
    );
  }
}

describe('a sweep', () => {
  test('takes what was kept long enough, by the longest policy about it, and says so in the trail', async () => {
    await apply({ name: 'chatter', match: { services: ['chat'], maxSeverity: 'DEBUG' }, keepFor: 'P2D' });
    await apply({ name: 'legal', match: { services: ['court'] }, keepFor: 'P1D', hold: true });
    await apply({ name: 'longer', match: { services: ['chat'], maxSeverity: 'TRACE' }, keepFor: 'P4D' });
    await ingest(house, [
      { time: '1980-01-01T00:00:00Z', service: 'web', body: 'web', severity: 'INFO' },
      { service: 'chat', body: 'chat info', severity: 'INFO' },
      { service: 'chat', body: 'chat debug', severity: 'DEBUG' },
      { service: 'chat', body: 'chat trace', severity: 'TRACE' },
      { service: 'court', body: 'court', severity: 'DEBUG' },
    ]);
    const sweep = sweepOf(house, clock);
    expect(await sweep.run()).toBe(0);

    clock.moveTo(START + 2 * DAY_MS + 1);
    expect(await sweep.run()).toBe(1);
    expect(await kept()).toEqual(['chat info', 'chat trace', 'court', 'web']);
    clock.moveTo(START + 4 * DAY_MS + 1);
    expect(await sweep.run()).toBe(1);
    clock.moveTo(START + 30 * DAY_MS + 1);
    await ingest(house, [{ service: 'web', body: 'new' }]);
    expect(await sweep.run()).toBe(2);
    expect(await kept()).toEqual(['court', 'new']);

    expect(await reasons()).toEqual([
      '1 entries of policy chatter: kept for P2D',
      '1 entries of policy longer: kept for P4D',
      '2 entries of policy default: kept for P30D',
    ]);
    const [{ swept_stamp }] = await house.runtime.database.query('select swept_stamp from retention_state');
    expect(Number(swept_stamp)).toBe(START * 1_000);
  });

  test('by label, agent, search and their opposite takes the same entries that a search with it finds', async () => {
    await apply({ name: 'noise', match: { query: '/^health ?check/ -severity>=warn' }, keepFor: 'P1D' });
    await apply({ name: 'free', match: { attributes: [{ name: 'plan', value: 'free' }] }, keepFor: 'P2D' });
    await apply({
      name: 'paid',
      match: { attributes: [{ name: 'plan', op: 'RE', value: 'pro|team' }] },
      keepFor: 'P9D',
    });
    await ingest(house, [
      { body: 'healthcheck ok' },
      { body: 'health check ok', attributes: { plan: 'free' } },
      { body: 'health check late', severity: 'WARN' },
      { body: 'no health check' },
      { body: 'free', attributes: { plan: 'free' } },
      { body: 'team', attributes: { plan: 'team' } },
    ]);
    clock.moveTo(START + DAY_MS + 1);
    await sweepOf(house, clock).run();
    // The one of the free plan has the longer policy of both.
    expect(await kept()).toEqual(['free', 'health check late', 'health check ok', 'no health check', 'team']);
    clock.moveTo(START + 3 * DAY_MS);
    await sweepOf(house, clock).run();
    expect(await kept()).toEqual(['health check late', 'no health check', 'team']);
  });

  test('takes the oldest of what is too much, of a policy and of all together, but nothing that is held', async () => {
    const text = (minute: number) => `${minute} ${'x'.repeat(1_000)}`;
    for (const minute of [1, 2, 3, 4]) {
      clock.moveTo(START + minute * 60_000);
      await ingest(house, [
        { service: 'big', body: text(minute) },
        { service: 'other', body: text(minute) },
        { service: 'held', body: text(minute) },
      ]);
    }
    await apply({ name: 'size', match: { services: ['big'] }, keepFor: 'P9D', maxBytes: 2_500 });
    await apply({ name: 'held', match: { services: ['held'] }, keepFor: 'P9D', maxBytes: 1, hold: true });
    expect(await sweepOf(house, clock).run()).toBe(2);
    const left = async (service: string) => (await kept({ services: [service] })).map((body) => body[0]);
    expect(await left('big')).toEqual(['3', '4']);

    // Each entry is some 1,060 bytes: four of six fit.
    expect(await sweepOf(house, clock, { totalBytes: 4_500 }).run()).toBe(2);
    expect([await left('big'), await left('other'), await left('held')]).toEqual([
      ['3', '4'],
      ['3', '4'],
      ['1', '2', '3', '4'],
    ]);
    expect(await sweepOf(house, clock, { totalBytes: 4_500 }).run()).toBe(0);
    expect(await reasons()).toEqual([
      '2 entries of policy size: over 2500 bytes',
      '2 entries of policy default: all logs are over 4500 bytes',
    ]);
  });

  test('drops whole parts, writes anew what lost many, and gives the room back', async () => {
    await apply({ name: 'keep', match: { services: ['keep'] }, keepFor: 'P60D' });
    await fill(3, { service: 'keep', body: 'keep' }, { body: 'a' }, { body: 'b' }, { body: 'c' });
    clock.moveTo(START + 3 * DAY_MS);
    await ingest(house, [{ body: 'only' }]);
    const statements: string[] = [];
    const store = new SweepStore({
      query: house.telemetry.query.bind(house.telemetry),
      measured: house.telemetry.measured.bind(house.telemetry),
      command: (sql: string, values?: Record<string, unknown>) => {
        statements.push(sql.slice(0, 20));
        return house.telemetry.command(sql, values);
      },
    } as never);
    clock.moveTo(START + 33 * DAY_MS + 1);
    expect(await sweepOf(house, clock, { store }).run()).toBe(10);
    expect(await kept()).toEqual(['keep 0', 'keep 1', 'keep 2']);
    // One for the part that is all due, one for the other days.
    expect(statements.filter((sql) => sql.startsWith('alter table log drop'))).toHaveLength(1);
    expect(statements.filter((sql) => sql.startsWith('delete from log'))).toHaveLength(1);
    expect(await activeParts()).toEqual(['1', '1', '1']);
  });

  test('takes nothing that was stored after it was planned', async () => {
    await ingest(house, [{ body: 'old' }]);
    clock.moveTo(START + 31 * DAY_MS);
    const late = (body: string) =>
      house.client.send('POST /v1/logs', {
        call: { principal: { id: 'c', kind: 'SCRIPT', name: 'c', scopes: ['operator'] }, requestId: 'r' },
        body: JSON.stringify({
          resourceLogs: [
            { scopeLogs: [{ logRecords: [{ observedTimeUnixNano: `${START}000000`, body: { stringValue: body } }] }] },
          ],
        }),
      });
    const store = new (class extends SweepStore {
      override async parts(...asked: Parameters<SweepStore['parts']>) {
        clock.moveTo(clock.nowMs() + 1_000);
        expect((await late('late')).status).toBe(200);
        return await super.parts(...asked);
      }
    })(house.telemetry);
    expect(await sweepOf(house, clock, { store }).run()).toBe(1);
    expect(await kept()).toContain('late');
    expect(await kept()).not.toContain('old');
  });
});

describe('a sweep that is cut short', () => {
  /** A store that is told of the first `count` parts only, then does what is given. */
  function interrupted(count: number, then: () => Promise<void>): SweepStore {
    let looks = 0;
    return new (class extends SweepStore {
      override async parts(...asked: Parameters<SweepStore['parts']>) {
        looks += 1;
        if (looks === 2) await then();
        const parts = await super.parts(...asked);
        return looks === 1 ? parts.slice(0, count) : parts;
      }
    })(house.telemetry);
  }
  const killed = () => Promise.reject(new Error('killed'));

  test('is gone on with, and told once', async () => {
    await apply({ name: 'keep', match: { services: ['keep'] }, keepFor: 'P60D' });
    await fill(4, { service: 'keep', body: 'keep' }, { body: 'go' });
    clock.moveTo(START + 40 * DAY_MS);
    await expect(sweepOf(house, clock, { store: interrupted(2, killed) }).run()).rejects.toThrow('killed');
    expect(await kept()).toHaveLength(6);
    const told = await trail();
    expect(told.map(({ before }) => before.entries)).toEqual([4]);

    // Later more is due: it is told by itself.
    clock.moveTo(START + 40 * DAY_MS);
    await ingest(house, [{ body: 'later' }]);
    clock.moveTo(START + 71 * DAY_MS);
    expect(await sweepOf(house, clock).run()).toBe(5);
    expect(await kept()).toEqual([]);
    expect((await trail()).map(({ targetId, before }) => [targetId, before.entries])).toEqual([
      ['default', 4],
      ['keep', 4],
      ['default', 1],
    ]);
  });

  test('by a hold removes nothing that it holds any more, and says what stayed', async () => {
    await apply({ name: 'keep', match: { services: ['keep'] }, keepFor: 'P60D' });
    await fill(4, { service: 'keep', body: 'keep' }, { body: 'go' });
    clock.moveTo(START + 40 * DAY_MS);
    const hold = () => apply({ name: 'case', match: { query: 'go' }, keepFor: 'P1D', hold: true });
    const store = interrupted(2, hold);
    expect(await sweepOf(house, clock, { store }).run()).toBe(4);
    expect(await kept({ query: 'go' })).toEqual(['go 2', 'go 3']);
    expect(await reasons()).toEqual([
      '4 entries of policy default: kept for P30D',
      '2 of 4 entries of policy default were not removed: the policies changed',
    ]);
    expect(await sweepOf(house, clock).run()).toBe(0);
    expect(await kept({ query: 'go' })).toEqual(['go 2', 'go 3']);
    expect(await trail()).toHaveLength(2);
  });

  test('two processes at once tell and remove everything once', async () => {
    await apply({ name: 'keep', match: { services: ['keep'] }, keepFor: 'P60D' });
    await fill(3, { service: 'keep', body: 'keep' }, { body: 'go' });
    clock.moveTo(START + 40 * DAY_MS);
    const told = await Promise.all([1, 2, 3].map(() => sweepOf(house, clock).run()));
    expect(told.reduce((sum, each) => sum + each, 0)).toBe(3);
    expect(await kept()).toEqual(['keep 0', 'keep 1', 'keep 2']);
    expect(await reasons()).toEqual(['3 entries of policy default: kept for P30D']);
  });

  test('a search meanwhile finds what stays, all of it', async () => {
    await apply({ name: 'keep', match: { services: ['keep'] }, keepFor: 'P60D' });
    await fill(6, { service: 'keep', body: 'keep' }, { body: 'go' }, { body: 'go' });
    await fill(3, { body: 'go' });
    clock.moveTo(START + 40 * DAY_MS);
    let isOver = false;
    const searches = (async () => {
      let last = Number.POSITIVE_INFINITY;
      for (let count = 0; ; count += 1) {
        expect(await kept({ services: ['keep'] })).toEqual([0, 1, 2, 3, 4, 5].map((day) => `keep ${day}`));
        const { totalCount } = (await house.ask('{ logs { totalCount } }')).data.logs;
        expect(totalCount).toBeLessThanOrEqual(last);
        last = totalCount;
        if (isOver) return { count, last };
      }
    })();
    expect(await sweepOf(house, clock).run()).toBe(15);
    isOver = true;
    expect(await searches).toEqual({ count: expect.any(Number), last: 6 });
  });
});
