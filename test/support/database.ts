import { randomBytes } from 'node:crypto';
import { Client } from 'pg';
import { houseDatabaseUrl, prepareDatabase } from '../../lib/postgres/roles.ts';

/** The secret of test fleets. */
export const TEST_SECRET = 'a secret of test fleets, long enough';

/** An empty database of its own, so that test files may run side by side. @returns its owner's address */
export async function emptyDatabase(): Promise<string> {
  const url = new URL(process.env['TEST_POSTGRES'] as string);
  const name = `test_${randomBytes(6).toString('hex')}`;
  const client = new Client({ connectionString: url.href });
  await client.connect();
  await client.query(`create database ${name}`);
  await client.end();
  url.pathname = name;
  return url.href;
}

/** An empty schema with a role of its own for one house. @returns the role's address */
export async function emptyHouseDatabase(house: string): Promise<string> {
  const url = await emptyDatabase();
  await prepareDatabase(url, [house], TEST_SECRET);
  return houseDatabaseUrl(url, house, TEST_SECRET);
}
