import { DataSource, type EntityManager, type EntitySchema, type MigrationInterface } from 'typeorm';
import { FleetError, messageOf } from './errors.ts';

type Class<T = unknown> = abstract new (...args: never[]) => T;

/** A house's own schema in PostgreSQL, reached with a role that owns just it. */
export interface DatabaseOptions {
  /** postgres://user:password@host:port/name */
  url: string;
  /** The house's name: its schema, and part of the connection's name. */
  house: string;
  entities: (Class | EntitySchema)[];
  /** In the order they run. */
  migrations: Class<MigrationInterface>[];
  /** Connections at most. */
  poolSize?: number;
  onError?: (error: unknown) => void;
}

/** A transaction, as stores take it. */
export type Transaction = EntityManager;

/**
 * Opens a bounded pool on the house's schema and brings its tables up to date. Every wait has a limit: TRAPS of pg.
 * @throws CONFLICT when the database was migrated by newer code
 */
export async function openDatabase(options: DatabaseOptions): Promise<DataSource> {
  const database = new DataSource({
    type: 'postgres',
    url: options.url,
    schema: options.house,
    applicationName: `fleetgraph ${options.house}`,
    entities: options.entities as never,
    migrations: options.migrations as never,
    migrationsTransactionMode: 'each',
    migrationsTableName: 'migration',
    poolSize: options.poolSize ?? 12,
    poolErrorHandler: options.onError ?? (() => undefined),
    connectTimeoutMS: 5_000,
    extra: {
      connectionTimeoutMillis: 5_000,
      query_timeout: 15_000,
      statement_timeout: 10_000,
      lock_timeout: 5_000,
      idle_in_transaction_session_timeout: 20_000,
      options: `-c search_path=${options.house}`,
    },
  });
  await database.initialize();
  await refuseNewer(database, options);
  await database.runMigrations();
  return database;
}

async function refuseNewer(database: DataSource, { house, migrations }: DatabaseOptions): Promise<void> {
  const known = new Set(migrations.map((migration) => migration.name));
  const [table] = await database.query(`select to_regclass($1) as name`, [`${house}.migration`]);
  if (!table?.name) return;
  const rows: { name: string }[] = await database.query('select name from migration order by timestamp');
  const newer = rows.find(({ name }) => !known.has(name));
  if (newer) {
    await database.destroy();
    throw new FleetError('CONFLICT', `the ${house} database has ${newer.name}, which is newer than this code: update`);
  }
}

/** Connections lost, resources used up (a full disk too), a server that only reads, a lock that is not let go. */
const GONE = /^(08|57P|53|25006|55P03)|ECONNREFUSED|ECONNRESET|EPIPE/;

/** Whether PostgreSQL itself is away, full or held up, so that the same call may go through later. */
export function isDatabaseAway(error: unknown): boolean {
  const code = String((error as { code?: unknown }).code ?? '');
  return (
    GONE.test(code) ||
    /connection terminated|timeout exceeded|terminating connection|query read timeout/i.test(messageOf(error))
  );
}
