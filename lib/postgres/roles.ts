import { Client } from 'pg';
import { deriveKey } from '../call/signing.ts';

const NAME = /^[a-z][a-z0-9_]{0,40}$/;

function roleOf(database: string, house: string): string {
  const role = `${database}_${house}`;
  if (!NAME.test(role)) throw new Error(`${role} cannot be the name of a role: use lower-case letters, digits and _`);
  return role;
}

/** The address of a house's own role, whose password comes from the fleet's secret. */
export function houseDatabaseUrl(url: string, house: string, secret: string): string {
  const address = new URL(url);
  address.username = roleOf(address.pathname.slice(1), house);
  address.password = deriveKey(secret, `postgres:${house}`).toString('base64url');
  return address.href;
}

/**
 * Makes a schema for each house and a role that owns just it. Harmless when they are there.
 * @param url of a user that may create roles and schemas
 */
export async function prepareDatabase(url: string, houses: readonly string[], secret: string): Promise<void> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 10_000, query_timeout: 30_000 });
  await client.connect();
  try {
    await client.query('begin');
    await client.query(`select pg_advisory_xact_lock(hashtext('fleetgraph roles'))`);
    for (const house of houses) await prepareHouse(client, new URL(url).pathname.slice(1), house, secret);
    await client.query('commit');
  } finally {
    await client.end();
  }
}

async function prepareHouse(client: Client, database: string, house: string, secret: string): Promise<void> {
  const role = roleOf(database, house);
  const password = client.escapeLiteral(deriveKey(secret, `postgres:${house}`).toString('base64url'));
  const known = await client.query('select 1 from pg_roles where rolname = $1', [role]);
  if (!known.rowCount) {
    await client.query(`create role ${role} login password ${password}`);
    await client.query(`grant ${role} to current_user`);
  } else {
    // The secret may have changed since.
    await client.query(`alter role ${role} password ${password}`);
  }
  await client.query(`create schema if not exists ${house} authorization ${role}`);
  await client.query(`revoke all on schema public from ${role}`);
  await client.query(`grant connect on database ${database} to ${role}`);
}
