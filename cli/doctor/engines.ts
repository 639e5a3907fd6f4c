import { lookup } from 'node:dns/promises';
import { connect } from 'node:net';
import path from 'node:path';
import { ClickHouseLogLevel, createClient } from '@clickhouse/client';
import { Redis } from 'ioredis';
import { Client } from 'pg';
import { messageOf } from '../../lib/errors.ts';
import { type Check, error, type Finding, warning } from './check.ts';

const LIMIT_MS = 3_000;
const OLDEST_POSTGRES = 150_000;

/** Whether the engines that settings name are there and take us. */
export const checkEngines: Check = async ({ env }) => {
  const { DATABASE_URL, CLICKHOUSE_URL, REDIS_URL, FLEET_OTLP_ENDPOINT } = env;
  const all = await Promise.all([
    DATABASE_URL ? database(DATABASE_URL) : [],
    CLICKHOUSE_URL ? clickhouse(CLICKHOUSE_URL) : [],
    REDIS_URL ? redis(REDIS_URL) : [],
    FLEET_OTLP_ENDPOINT ? collector(FLEET_OTLP_ENDPOINT) : [],
  ]);
  return all.flat();
};

/** An address without what may be secret in it. */
function shown(url: string): string {
  const { protocol, host, pathname } = new URL(url);
  return `${protocol}//${host}${pathname}`;
}

async function unreached(name: string, setting: string, url: string): Promise<Finding | undefined> {
  if (!URL.canParse(url))
    return error(`${name}-wrong`, `${setting} is no address`, `set ${setting} as docs/settings.md shows`);
  const { hostname, port, protocol } = new URL(url);
  const host = hostname.replace(/^\[|\]$/g, '');
  try {
    await lookup(host);
  } catch {
    return error(
      `${name}-unresolved`,
      `${setting} names ${host}, which no name server knows`,
      'mend the name, or the machine’s resolver',
    );
  }
  const failure = await opens(host, Number(port || PORTS[protocol] || 80));
  if (failure === undefined) return undefined;
  const what = `nothing takes connections at ${shown(url)} (${failure})`;
  return error(`${name}-refused`, what, `start it, or mend ${setting}; a firewall may be between`);
}

const PORTS: Record<string, number> = {
  'postgres:': 5432,
  'postgresql:': 5432,
  'redis:': 6379,
  'rediss:': 6379,
  'https:': 443,
};

function opens(host: string, port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: LIMIT_MS });
    const end = (failure?: string) => {
      socket.destroy();
      resolve(failure);
    };
    socket.once('connect', () => end());
    socket.once('timeout', () => end('no answer'));
    socket.once('error', ({ code, message }: NodeJS.ErrnoException) => end(code ?? message));
  });
}

async function database(url: string): Promise<Finding[]> {
  const away = await unreached('database', 'DATABASE_URL', url);
  if (away) return [away];
  const client = new Client({ connectionString: url, connectionTimeoutMillis: LIMIT_MS, query_timeout: LIMIT_MS });
  client.on('error', () => undefined);
  try {
    await client.connect();
    const { rows } = await client.query(`
      select current_setting('server_version_num')::int as version, current_user as name,
             has_database_privilege(current_database(), 'create') as "mayCreate",
             (select rolcreaterole or rolsuper from pg_roles where rolname = current_user) as "mayMakeRoles"`);
    return rights(rows[0]);
  } catch (cause) {
    const { code } = cause as { code?: string };
    if (code === '28P01' || code === '28000') {
      return [
        error(
          'database-password',
          `${shown(url)} refuses the user or its password`,
          'mend the user and the password in DATABASE_URL',
        ),
      ];
    }
    if (code === '3D000') {
      return [
        error(
          'database-absent',
          `${shown(url)}: there is no such database`,
          `createdb ${path.basename(new URL(url).pathname)}`,
        ),
      ];
    }
    return [error('database-failed', `${shown(url)}: ${messageOf(cause)}`, 'see the log of that PostgreSQL')];
  } finally {
    await client.end().catch(() => undefined);
  }
}

function rights(found: { version: number; name: string; mayCreate: boolean; mayMakeRoles: boolean }): Finding[] {
  const { version, name, mayCreate, mayMakeRoles } = found;
  const findings: Finding[] = [];
  if (version < OLDEST_POSTGRES)
    findings.push(error('database-old', `PostgreSQL ${version} is older than 15`, 'update it'));
  if (!mayCreate)
    findings.push(
      error('database-rights', `${name} may not make schemas there`, `grant create on database … to ${name}`),
    );
  if (!mayMakeRoles)
    findings.push(
      error(
        'database-roles',
        `${name} may not make roles, and each house has its own`,
        `alter role ${name} createrole`,
      ),
    );
  return findings;
}

async function clickhouse(url: string): Promise<Finding[]> {
  const away = await unreached('clickhouse', 'CLICKHOUSE_URL', url);
  if (away) return [away];
  const client = createClient({ url, request_timeout: LIMIT_MS, log: { level: ClickHouseLogLevel.OFF } });
  try {
    const answer = await client.query({ query: 'select version() as version', format: 'JSONEachRow' });
    await answer.json();
    return [];
  } catch (cause) {
    const { code } = cause as { code?: string };
    // AUTHENTICATION_FAILED, REQUIRED_PASSWORD
    return code === '516' || code === '194'
      ? [
          error(
            'clickhouse-password',
            `${shown(url)} refuses the user or its password`,
            'mend the user and the password in CLICKHOUSE_URL',
          ),
        ]
      : [
          error(
            'clickhouse-failed',
            `${shown(url)} does not answer as a ClickHouse (${messageOf(cause).split('\n')[0]})`,
            'name the HTTP port of a ClickHouse, 8123 unless changed',
          ),
        ];
  } finally {
    await client.close();
  }
}

async function redis(url: string): Promise<Finding[]> {
  const away = await unreached('redis', 'REDIS_URL', url);
  if (away) return [away];
  const client = new Redis(url, {
    lazyConnect: true,
    retryStrategy: () => null,
    connectTimeout: LIMIT_MS,
    commandTimeout: LIMIT_MS,
    enableReadyCheck: false,
  });
  client.on('error', () => undefined);
  try {
    await client.connect();
    await client.ping();
    return [];
  } catch (cause) {
    const said = messageOf(cause);
    return /NOAUTH|WRONGPASS|NOPERM/.test(said)
      ? [
          error(
            'redis-password',
            `${shown(url)} refuses the password`,
            'set the password in REDIS_URL: redis://:password@host:6379',
          ),
        ]
      : [
          error(
            'redis-failed',
            `${shown(url)} does not answer as a Redis (${said})`,
            'name the port of a Redis; rediss:// is for TLS',
          ),
        ];
  } finally {
    client.disconnect();
  }
}

async function collector(url: string): Promise<Finding[]> {
  const away = await unreached('collector', 'FLEET_OTLP_ENDPOINT', url);
  return away ? [warning('collector-away', `${away.what}: traces are lost`, away.mend)] : [];
}
