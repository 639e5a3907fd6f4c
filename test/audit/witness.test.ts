import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Client } from 'pg';
import { Log } from '../../lib/log.ts';
import { auditSubgraph } from '../../subgraphs/audit/index.ts';
import { emptyHouseDatabase } from '../support/database.ts';
import type { TestHouse } from '../support/house.ts';
import { until } from '../support/until.ts';
import { allPlaced, deliver, draft, startAudit } from './support.ts';

const CHECKPOINT = '{ auditCheckpoint { size rootHash signedNote } }';
const folders: string[] = [];
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true });
});

/** One log's database and data folder, with houses started on them one after the other. */
class Place {
  readonly lines: string[] = [];
  readonly data = mkdtempSync(path.join(tmpdir(), 'fleetgraph-witness-'));

  private constructor(readonly databaseUrl: string) {
    folders.push(this.data);
  }

  static async make(): Promise<Place> {
    return new Place(await emptyHouseDatabase('audit'));
  }

  start(data = this.data, renews = false): Promise<TestHouse> {
    const log = new Log('test', [{ write: (line) => this.lines.push(line) }], () => 0);
    return startAudit({
      databaseUrl: this.databaseUrl,
      settings: { FLEET_DATA: data, FLEET_AUDIT_RENEW: renews },
      make: (runtime) => auditSubgraph({ ...runtime, log }),
    });
  }

  /** Puts its database away, or back, as a copy; nobody may be connected. */
  async copy(way: 'away' | 'back'): Promise<void> {
    const name = new URL(this.databaseUrl).pathname.slice(1);
    const [from, to] = way === 'away' ? [name, `${name}_backup`] : [`${name}_backup`, name];
    const client = new Client({ connectionString: process.env['TEST_POSTGRES'] });
    await client.connect();
    await client.query(`drop database if exists ${to} with (force)`);
    await client.query(`create database ${to} template ${from}`);
    await client.end();
  }

  /** The file that outlives the database. */
  get witness(): string {
    const folder = path.join(this.data, 'audit');
    const [file = 'none'] = readdirSync(folder);
    return path.join(folder, file);
  }
}

async function grow(house: TestHouse, count: number): Promise<void> {
  await deliver(
    house,
    Array.from({ length: count }, () => draft()),
  );
  await allPlaced(house);
}

test('what is given out is witnessed before, outside of the database, once for each size', async () => {
  const place = await Place.make();
  const house = await place.start();
  await grow(house, 5);
  const answers = await Promise.all(Array.from({ length: 20 }, () => house.ask(CHECKPOINT)));
  const notes = new Set(answers.map(({ data }) => data.auditCheckpoint.signedNote));
  expect([...notes]).toEqual([readFileSync(place.witness, 'utf8')]);
  await grow(house, 1);
  const { data } = await house.ask(CHECKPOINT);
  expect([data.auditCheckpoint.size, data.auditCheckpoint.signedNote]).toEqual([
    '6',
    readFileSync(place.witness, 'utf8'),
  ]);
  expect(readdirSync(path.dirname(place.witness))).toHaveLength(1);
  await house.stop();
});

test('after the restore of an older backup nothing is signed and nothing given out, and entries are still taken', async () => {
  const place = await Place.make();
  const before = await place.start();
  await grow(before, 3);
  await before.stop();
  await place.copy('away');
  const newer = await place.start();
  await grow(newer, 4);
  const told = (await newer.ask(CHECKPOINT)).data.auditCheckpoint;
  expect(told.size).toBe('7');
  await newer.stop();
  await place.copy('back');
  const older = await place.start();
  const entry = draft({ action: 'afterRestore' });
  expect((await deliver(older, [entry])).status).toBe(200);
  await until(() => place.lines.some((line) => line.includes('sequencer.waits') && line.includes('older backup')));
  const { data, errors } = await older.ask(CHECKPOINT);
  expect([data.auditCheckpoint, errors?.[0]?.extensions.code]).toEqual([null, 'CONFLICT']);
  expect(errors?.[0]?.message).toContain('given out with 7 entries and its database has 3');
  const export_ = await older.client.send('GET /v1/audit/export', { call: { principal: AUDITOR, requestId: 'r' } });
  expect(export_.status).toBe(409);
  const [{ last_position, placed }] = await older.runtime.database.query(
    'select last_position, (select count(*) from entry where position is not null) as placed from tree',
  );
  expect([last_position, placed]).toEqual(['3', '3']);
  const read = await older.ask('{ auditEntries { nodes { id } totalCount } }');
  expect([read.errors, read.data.auditEntries.totalCount]).toEqual([undefined, 3]);
  expect(readFileSync(place.witness, 'utf8')).toBe(told.signedNote);
  await older.stop();
});

test('a backup that grew elsewhere beyond what was given out is not signed on either', async () => {
  const place = await Place.make();
  const before = await place.start();
  await grow(before, 3);
  await before.stop();
  await place.copy('away');
  const newer = await place.start();
  await grow(newer, 4);
  await newer.ask(CHECKPOINT);
  await newer.stop();
  await place.copy('back');
  const elsewhere = await place.start(mkdtempSync(path.join(place.data, 'elsewhere-')));
  await grow(elsewhere, 20);
  expect((await elsewhere.ask(CHECKPOINT)).data.auditCheckpoint.size).toBe('23');
  await elsewhere.stop();
  const home = await place.start();
  const { data, errors } = await home.ask(CHECKPOINT);
  expect([data.auditCheckpoint, errors?.[0]?.message]).toEqual([
    null,
    expect.stringContaining('the first 7 entries of the audit log are not those that were given out'),
  ]);
  await deliver(home, [draft()]);
  await until(() => place.lines.some((line) => line.includes('sequencer.waits') && line.includes('not those')));
  await home.stop();
});

test('a backup as new as what was given out goes on, whatever was signed and lost since', async () => {
  const place = await Place.make();
  const before = await place.start();
  await grow(before, 3);
  const told = (await before.ask(CHECKPOINT)).data.auditCheckpoint.signedNote;
  await before.stop();
  await place.copy('away');
  const newer = await place.start();
  await grow(newer, 2);
  await newer.stop();
  await place.copy('back');
  const older = await place.start();
  expect((await older.ask(CHECKPOINT)).data.auditCheckpoint.signedNote).toBe(told);
  await grow(older, 1);
  expect((await older.ask(CHECKPOINT)).data.auditCheckpoint.size).toBe('4');
  await older.stop();
});

test('a log whose newer database is lost goes on under another name and key when that is wanted, and says so', async () => {
  const place = await Place.make();
  const before = await place.start();
  await grow(before, 3);
  await before.stop();
  await place.copy('away');
  const newer = await place.start();
  await grow(newer, 4);
  const told = (await newer.ask('{ auditCheckpoint { origin } }')).data.auditCheckpoint;
  await newer.stop();
  await place.copy('back');
  const renewed = await place.start(place.data, true);
  await allPlaced(renewed);
  const { data } = await renewed.ask(
    '{ auditCheckpoint { origin size } auditEntries(first: 1) { nodes { action targetId reason before after } } }',
  );
  const { origin, size } = data.auditCheckpoint;
  expect([size, origin === told.origin]).toEqual(['4', false]);
  expect(data.auditEntries.nodes).toEqual([
    {
      action: 'audit.log.renewed',
      targetId: origin,
      reason: expect.stringContaining('given out with 7 entries'),
      before: { origin: told.origin },
      after: { origin },
    },
  ]);
  await renewed.stop();
  // Once is enough: a log that may be gone on with keeps its name.
  const again = await place.start(place.data, true);
  const { auditCheckpoint } = (await again.ask('{ auditCheckpoint { origin size } }')).data;
  expect(auditCheckpoint.origin).toBe(origin);
  // The reads before may be an entry by now.
  expect(Number(auditCheckpoint.size)).toBeGreaterThanOrEqual(4);
  await again.stop();
});

test('a witness that was altered is no witness: nothing is signed', async () => {
  const place = await Place.make();
  const house = await place.start();
  await grow(house, 3);
  await house.ask(CHECKPOINT);
  await house.stop();
  writeFileSync(place.witness, readFileSync(place.witness, 'utf8').replace('\n3\n', '\n1\n'));
  const again = await place.start();
  const { data, errors } = await again.ask(CHECKPOINT);
  expect([data.auditCheckpoint, errors?.[0]?.message]).toEqual([null, expect.stringContaining('was altered')]);
  await again.stop();
});

const AUDITOR = { id: 'auditor', kind: 'PERSON' as const, name: 'auditor', scopes: ['auditor' as const] };
