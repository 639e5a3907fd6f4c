import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type Clock, systemClock } from '../../lib/clock.ts';
import type { Log } from '../../lib/log.ts';
import type { Settings } from '../../lib/settings/index.ts';
import { type ColdDisk, openTelemetryStore, type TelemetryStore } from '../../lib/telemetry-store/index.ts';
import { entities, logsSubgraph } from '../../subgraphs/logs/index.ts';
import { Retention } from '../../subgraphs/logs/service/retention.ts';
import { Sweep } from '../../subgraphs/logs/service/sweep.ts';
import { RetentionStore, SweepStore } from '../../subgraphs/logs/store/index.ts';
import { startTestHouse, type TestHouse } from '../support/house.ts';

/** A logs house on an empty store of its own. */
export interface LogsHouse extends TestHouse {
  telemetry: TelemetryStore;
  folder: string;
  /** Stops house and store. */
  close(): Promise<void>;
}

export interface LogsHouseOptions {
  clock?: Clock;
  log?: Log;
  folder?: string;
  databaseUrl?: string;
  settings?: Partial<Settings>;
  /** A store that other houses have too; it is closed with this one. */
  telemetry?: TelemetryStore;
  cold?: ColdDisk;
  addresses?: Record<string, string>;
}

export async function startLogsHouse(options: LogsHouseOptions = {}): Promise<LogsHouse> {
  const folder = options.folder ?? path.join(mkdtempSync(path.join(tmpdir(), 'logs-')), 'store');
  const telemetry = options.telemetry ?? (await openTelemetryStore({ path: folder, cold: options.cold }));
  const house = await startTestHouse({
    name: 'logs',
    entities,
    make: logsSubgraph,
    telemetry,
    clock: options.clock ?? systemClock,
    ...(options.log ? { log: options.log } : {}),
    ...(options.settings ? { settings: options.settings } : {}),
    ...(options.addresses ? { addresses: options.addresses } : {}),
    ...(options.databaseUrl ? { databaseUrl: options.databaseUrl } : {}),
  });
  return {
    ...house,
    telemetry,
    folder,
    async close() {
      await house.stop();
      await telemetry.close();
    },
  };
}

/** A clock that stands until it is moved. */
export function standingClock(startMs: number): Clock & { moveTo(ms: number): void } {
  let nowMs = startMs;
  return {
    ...systemClock,
    nowMs: () => nowMs,
    moveTo(ms) {
      nowMs = ms;
    },
  };
}

/** A page of entries with everything a test looks at. */
export const LOGS = `query ($filter: LogFilter, $first: Int, $after: String, $last: Int, $before: String) {
  logs(filter: $filter, first: $first, after: $after, last: $last, before: $before) {
    nodes { id time severity service body attributes resource traceId spanId agent { id } trace { traceId } }
    edges { cursor }
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
    totalCount
    changeCursor
  }
}`;

export const INGEST = `mutation ($input: IngestLogsInput!) {
  ingestLogs(input: $input) { accepted rejected { index reason } userErrors { code message field } }
}`;

export interface TestRecord {
  time?: string;
  severity?: string;
  service?: string;
  body: string;
  attributes?: unknown;
  agentId?: string;
  traceId?: string;
  spanId?: string;
}

/** Stores records and fails unless all of them were. */
export async function ingest(house: LogsHouse, records: TestRecord[], batchId?: string): Promise<void> {
  const whole = records.map((record) => ({ severity: 'INFO', service: 'tests', ...record }));
  const answer = await house.ask(INGEST, { input: { records: whole, ...(batchId ? { batchId } : {}) } });
  expect(answer).toEqual({ data: { ingestLogs: { accepted: records.length, rejected: [], userErrors: [] } } });
}

/** Bodies of all matching entries, newest first. */
export async function bodies(house: LogsHouse, filter: object): Promise<string[]> {
  const answer = await house.ask(LOGS, { filter, first: 100 });
  if (answer.errors) throw new Error(JSON.stringify(answer.errors));
  return answer.data.logs.nodes.map(({ body }: { body: string }) => body);
}

/** Bytes that all logs may have; null for any. */
export interface SweepOptions {
  totalBytes?: number | null;
  store?: SweepStore;
}

/** A sweep over the house's logs, with a process of its own in mind: it knows nothing but what is stored. */
export function sweepOf({ runtime, telemetry }: LogsHouse, clock: Clock, options: SweepOptions = {}): Sweep {
  const { writes, database } = runtime;
  const { store = new SweepStore(telemetry), totalBytes = null } = options;
  const policies = new RetentionStore(database);
  const mark = {
    get watermark() {
      return (clock.nowMs() + 1) * 1_000;
    },
  };
  const defaultKeepMs = 30 * 24 * 60 * 60_000;
  const retention = new Retention({ policies, store, asked: store, writes, clock, mark, defaultKeepMs, totalBytes });
  return new Sweep({ retention, policies, store, writes });
}
