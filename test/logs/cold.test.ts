import 'reflect-metadata';
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { loadSettings } from '../../lib/settings/index.ts';
import { openTelemetryStore } from '../../lib/telemetry-store/index.ts';
import { Bucket } from '../support/bucket.ts';
import { emptyHouseDatabase } from '../support/database.ts';
import { until } from '../support/until.ts';
import { bodies, ingest, type LogsHouse, standingClock, startLogsHouse, sweepOf } from './support.ts';

const DAY_MS = 24 * 60 * 60_000;
const SECRET = 'cold<&>secret';

const placesOf = async (house: LogsHouse) => {
  const rows = await house.telemetry.query<{ disk: string }>(
    `select disk_name as disk from system.parts where table = 'log' and active order by name`,
  );
  return rows.map(({ disk }) => disk);
};

test('what is old is moved to the bucket, found there, and let go from there', async () => {
  const bucket = new Bucket();
  const url = await bucket.start();
  const databaseUrl = await emptyHouseDatabase('logs');
  const clock = standingClock(Date.now() - 10 * DAY_MS);
  // Without cold storage at first: what is there by then is moved too.
  const warm = await startLogsHouse({ clock, databaseUrl });
  await ingest(warm, [{ body: 'old timeout', attributes: { user: 1 } }]);
  clock.moveTo(Date.now() - 9 * DAY_MS);
  await ingest(warm, [{ body: 'old too' }]);
  clock.moveTo(Date.now());
  await ingest(warm, [{ body: 'new' }]);
  await warm.close();
  const { folder } = warm;

  const cold = { url, region: 'eu-test-1', key: { id: 'KEY-NAME', secret: SECRET } };
  const settings = { ...loadSettings({}), FLEET_COLD_URL: url, FLEET_COLD_AFTER_DAYS: 7 };
  const house = await startLogsHouse({ clock, databaseUrl, folder, cold, settings });
  await until(async () => (await placesOf(house)).join() === 'cold,cold,default');
  expect(bucket.objects.size).toBeGreaterThan(2);
  expect([...bucket.signatures].every((said) => said.includes('Credential=KEY-NAME/'))).toBe(true);
  expect(await bodies(house, {})).toEqual(['new', 'old too', 'old timeout']);
  expect(await bodies(house, { query: 'timeout attributes.user:1' })).toEqual(['old timeout']);

  // The secret is on no disk of ours.
  expect(existsSync(`${folder}.config.xml`)).toBe(false);
  const found = () => execFileSync('grep', ['-rlF', 'cold&lt;&amp;&gt;secret', path.dirname(folder)]);
  expect(found).toThrow(expect.objectContaining({ status: 1 }));

  // Ten days later the setting of 30 days takes the first two, from the bucket too.
  clock.moveTo(Date.now() + 21.5 * DAY_MS);
  expect(await sweepOf(house, clock).run()).toBe(2);
  expect(await bodies(house, {})).toEqual(['new']);
  await until(() => bucket.objects.size === 0, 60_000);
  await house.close();

  await expect(openTelemetryStore({ path: folder })).rejects.toThrow(/cold storage: set FLEET_COLD_URL/);
  await bucket.stop();
}, 120_000);

test.each([
  [{ FLEET_COLD_URL: 'https://s3.example.org' }, /FLEET_COLD_URL is wrong: expected an address/],
  [
    { FLEET_COLD_URL: 'https://h/b/', CLICKHOUSE_URL: 'http://h:8123' },
    /embedded engine: give the server .* FLEET_COLD_POLICY/,
  ],
  [{ FLEET_COLD_POLICY: 'tiered' }, /set FLEET_COLD_URL instead/],
  [{ FLEET_COLD_POLICY: `a'b`, CLICKHOUSE_URL: 'http://h:8123' }, /FLEET_COLD_POLICY is wrong/],
  [{ FLEET_COLD_URL: 'https://h/b/', FLEET_COLD_ACCESS_KEY_ID: 'k' }, /set both/],
  [{ FLEET_COLD_ACCESS_KEY_ID: 'k', FLEET_COLD_SECRET_FILE: 'f', FLEET_COLD_SECRET_ACCESS_KEY: 's' }, /keep one/],
])('%j is refused before anything starts', (env, message) => {
  expect(() => loadSettings(env)).toThrow(message);
});
