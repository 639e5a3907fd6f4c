import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { MatchOp } from '../../lib/graphql/shared.ts';
import { parseSearch } from '../../lib/search/index.ts';
import { openTelemetryStore } from '../../lib/telemetry-store/index.ts';
import { LOG_COLUMNS, LOG_FIELDS, LogStore, type StoredCriteria } from '../../subgraphs/logs/store/index.ts';
import { LOG_TABLES } from '../../subgraphs/logs/store/tables.ts';
import { wait } from '../support/spawned-platform.ts';

test('a store of before its indexes were made anew is brought up to date, and finds what it had', async () => {
  const telemetry = await openTelemetryStore({ path: path.join(mkdtempSync(path.join(tmpdir(), 'logs-')), 'store') });
  try {
    await telemetry.migrate('logs', LOG_TABLES.slice(0, 1));
    const insert = (body: string, code: string, stamp: number) =>
      telemetry.command(
        `insert into ${LOG_COLUMNS} select ${stamp}, 1, 9, 'web', '', '', '', '', {body:String}, map('code', {code:String}), '{"region":"eu"}', ${stamp}, 0, 0`,
        { body, code },
      );
    await insert('The Needle was in Über-Hay', '42', 1);
    const store = new LogStore(telemetry);
    await store.migrate();
    await insert('a needle is in hay', '"42"', 2);

    const found = async (query: string) => {
      const criteria = { search: parseSearch(query, LOG_FIELDS) };
      const { rows, indexes } = await store.page(criteria, { limit: 10, backward: false }, 2 ** 52);
      return { bodies: rows.map(({ body }) => body), indexes: await indexes() };
    };
    for (const query of ['needle', '"needle was"', 'need*', '/ in /', 'attributes.code:42', 'über']) {
      const isOld = query.includes('was') || query === 'über';
      const expected = ['a needle is in hay', 'The Needle was in Über-Hay'].slice(isOld ? 1 : 0);
      expect((await found(query)).bodies).toEqual(expected);
    }
    await wait(
      async () => {
        const [row] = await telemetry.query<{ left: string }>(
          `select toString(countIf(not is_done)) as left from system.mutations where table = 'log'`,
        );
        return row?.left === '0';
      },
      60_000,
      'the indexes of what was there are made',
    );
    expect((await found('absent')).indexes).toContain('words');
    expect((await found('attributes.code:43')).indexes).toContain('attributes');
    expect((await found('needle')).bodies.length).toBe(2);
    expect(await found('nee*')).toEqual({ bodies: ['a needle is in hay', 'The Needle was in Über-Hay'], indexes: [] });
    expect(await found('nowhere*')).toMatchObject({ bodies: [] });
    // Of the resource the index of attributes knows nothing.
    const ofRegion: StoredCriteria = { resource: [{ name: 'region', op: MatchOp.EQ, value: 'eu' }] };
    expect((await store.page(ofRegion, { limit: 10, backward: false }, 2 ** 52)).rows.length).toBe(2);
    await store.migrate();
  } finally {
    await telemetry.close();
  }
});
