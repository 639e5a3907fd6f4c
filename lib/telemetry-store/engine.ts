import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Readable } from 'node:stream';
import { type ClickHouseClient, ClickHouseLogLevel, createClient } from '@clickhouse/client';
import { FleetError, messageOf } from '../errors.ts';
import { COLD_METADATA, type ColdDisk, coldConfiguration } from './cold-disk.ts';
import { RowFiles } from './row-files.ts';

/** What the engine may use on this machine. Bytes and counts. */
export interface EngineLimits {
  /** Memory of the embedded engine in all, bytes. */
  maxMemoryBytes: number;
  /** Cache of column marks, bytes. */
  markCacheBytes: number;
  /** Threads for one query. */
  maxThreads: number;
  /** Threads that merge parts in the background. */
  mergeThreads: number;
  /** Queries at the same time; more wait. Below UV_THREADPOOL_SIZE, or files, DNS and zlib wait for queries. */
  maxInFlight: number;
  /** Queries that may wait before the next is refused as OVERLOADED. */
  maxWaiting: number;
}

export const SMALL_MACHINE: EngineLimits = {
  maxMemoryBytes: 1024 * 1024 * 1024,
  markCacheBytes: 64 * 1024 * 1024,
  maxThreads: 2,
  mergeThreads: 2,
  maxInFlight: 4,
  maxWaiting: 256,
};

/** A connected engine and how to let go of it. */
export interface Engine {
  client: ClickHouseClient;
  /**
   * Runs one insert of rows in RowBinary.
   * @param head `insert into … settings …`, without what the rows come from
   * @param columns the columns with their types
   */
  insertBinary(head: string, columns: string, blocks: readonly Uint8Array[]): Promise<void>;
  /** Waits for what runs, then closes. */
  close(): Promise<void>;
}

/** A ClickHouse by URL, `http://user:password@host:port/database`. */
export function connectEngine(url: string): Engine {
  const client = createClient({
    url,
    application: 'fleetgraph',
    request_timeout: 60_000,
    max_open_connections: 16,
    compression: { request: true, response: true },
    // Failures are thrown, and told by whoever catches them.
    log: { level: ClickHouseLogLevel.OFF },
  });
  return {
    client,
    async insertBinary(head, _columns, blocks) {
      const { stream } = await client.exec({ query: `${head} format RowBinary`, values: Readable.from(blocks) });
      // An answer that is not read keeps its connection.
      await stream.resume().toArray();
    },
    close: () => client.close(),
  };
}

/**
 * The same engine as a library, on a folder of its own. One process may hold a folder at a time.
 * @param cold where what is old may be moved to
 * @throws ENGINE_MISSING when the optional package is absent; CONFLICT when another process holds the folder, or when parts of
 *   it are on a cold disk and none is given
 */
export function openEngine(folder: string, limits: EngineLimits, cold?: ColdDisk): Engine {
  const { library, connection: adapter } = load();
  if (!cold && existsSync(path.join(folder, COLD_METADATA))) {
    throw new FleetError('CONFLICT', 'the telemetry folder has a part in cold storage: set FLEET_COLD_URL as it was');
  }
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  // Beside the folder, not in it: the engine takes every file in there for its own.
  const configuration = `${path.resolve(folder)}.config.xml`;
  writeFileSync(configuration, configurationOf(limits, cold), { mode: 0o600 });
  try {
    // The first session settles the engine's arguments; the client's own then joins the same engine.
    const session = new library.Session(folder, { connectionArgs: [`--config-file=${configuration}`] });
    const connection = adapter.createChdbConnection({ path: folder });
    const client = createClient({ connection } as never);
    // It was read, and may hold a secret.
    rmSync(configuration);
    // The engine reads these as a pattern: a folder that has such signs is none for rows.
    const isPattern = /[*?{}]/.test(path.resolve(folder));
    const rows = new RowFiles(
      isPattern ? mkdtempSync(path.join(tmpdir(), 'rows-')) : `${path.resolve(folder)}.inserts`,
    );
    return {
      client,
      insertBinary: (head, columns, blocks) =>
        rows.withFile(blocks, async (file) => {
          const source = `file(${quoted(file)}, 'RowBinary', ${quoted(columns)})`;
          await client.command({ query: `${head} select * from ${source}` });
        }),
      async close() {
        await client.close();
        session.close();
        await library.drainPending();
      },
    };
  } catch (error) {
    const cause = messageOf(error).split('\n')[0];
    throw new FleetError(
      'CONFLICT',
      `the telemetry folder ${folder} cannot be opened; is another process using it? ${cause}`,
    );
  }
}

function quoted(text: string): string {
  return `'${text.replace(/['\\]/g, '\\$&')}'`;
}

/** By `require`, which also works where code runs in a VM without dynamic import. */
function load(): { library: typeof import('chdb'); connection: typeof import('chdb/connection') } {
  const find = createRequire(__filename);
  try {
    return { library: find('chdb'), connection: find('chdb/connection') };
  } catch (error) {
    const cause = messageOf(error).split('\n')[0];
    throw new FleetError('ENGINE_MISSING', `the package chdb is absent (${cause}): run npm ci, or set CLICKHOUSE_URL`);
  }
}

function configurationOf(limits: EngineLimits, cold: ColdDisk | undefined): string {
  const settings: Record<string, number> = {
    mark_cache_size: limits.markCacheBytes,
    index_mark_cache_size: limits.markCacheBytes / 4,
    uncompressed_cache_size: 0,
    mmap_cache_size: 64,
    compiled_expression_cache_size: 8 * 1024 * 1024,
    max_server_memory_usage: limits.maxMemoryBytes,
    // Each opening leaves some six in it, and with none left all waits; a test opens it often, the platform once.
    max_thread_pool_size: 1_000,
    background_pool_size: limits.mergeThreads,
    // Merges can wait; who stores and who asks cannot.
    os_threads_nice_value_merge_mutate: 5,
    background_schedule_pool_size: 2,
    background_common_pool_size: 2,
    background_move_pool_size: 1,
    background_fetches_pool_size: 1,
    background_buffer_flush_schedule_pool_size: 1,
    background_distributed_schedule_pool_size: 1,
    background_message_broker_schedule_pool_size: 1,
  };
  const lines = Object.entries(settings).map(([name, value]) => `  <${name}>${Math.floor(value)}</${name}>`);
  // With few merge threads the engine's own thresholds exceed them and it refuses to make a table.
  const free = ['execute_mutation', 'lower_max_size_of_merge', 'execute_optimize_entire_partition']
    .map((what) => `<number_of_free_entries_in_pool_to_${what}>1</number_of_free_entries_in_pool_to_${what}>`)
    .join('');
  const disks = cold ? coldConfiguration(cold) : '';
  return `<clickhouse>\n${lines.join('\n')}\n  <merge_tree>${free}</merge_tree>\n${disks}</clickhouse>\n`;
}
