import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { systemClock } from '../lib/clock.ts';
import { parseOtlp } from '../lib/otlp/index.ts';
import { Redactor } from '../lib/redaction/index.ts';
import { BlockInserter, openTelemetryStore, type RowBlock, RowWriter } from '../lib/telemetry-store/index.ts';
import { writeMessage } from '../subgraphs/logs/service/message-logs.ts';
import { Rows } from '../subgraphs/logs/service/records.ts';
import { writeLogs } from '../subgraphs/logs/service/wire-logs.ts';
import { LOG_COLUMNS, LOG_TYPES, LogStore } from '../subgraphs/logs/store/index.ts';
import { protobufOf } from '../test/logs/otlp-protobuf.ts';
import { ADMIN } from '../test/support/house.ts';
import { type Figure, median } from './figure.ts';
import { logRequest } from './log-request.ts';

const BODIES = 25;
const ROUNDS = 9;
const INSERTS = 8;
const NOW_NS = '1790000000000000000';

/** What reading and storing cost by themselves. */
export interface Intake {
  enginePerSecond: number;
  /** Of a record, microseconds. */
  engineCpu: number;
  figures: Figure[];
}

/** What a record costs to read, by either way, with redaction and without; and what the engine alone takes of the same rows. */
export async function measureIntake(records: number): Promise<Intake> {
  const bodies = Array.from({ length: BODIES }, (_, at) => protobufOf(logRequest(at, records)));
  const writer = new RowWriter(256 * 1024 * 1024);
  const read = (rules: Redactor) => () => {
    for (const bytes of bodies) {
      writeLogs(bytes, writer, new Rows(ADMIN, NOW_NS, rules));
      writer.clear();
    }
  };
  const long = () => {
    for (const bytes of bodies) {
      const message = parseOtlp('logs', { encoding: 'protobuf', bytes });
      writeMessage(message, writer, new Rows(ADMIN, NOW_NS, new Redactor([])));
      writer.clear();
    }
  };
  const count = BODIES * records;
  const [bare, redacted, objects] = await microseconds([read(new Redactor([])), read(new Redactor()), long], count);
  for (const bytes of bodies) writeLogs(bytes, writer, new Rows(ADMIN, NOW_NS, new Redactor()));
  const { wall: engine, cpu: engineCpu } = await engineMicroseconds(writer.take(), count);
  const whole = engine + (redacted as number);
  const cost = (redacted as number) - (bare as number);
  return {
    enginePerSecond: 1e6 / engine,
    engineCpu,
    figures: [
      {
        promise: 'reading a record, µs; over objects',
        measured: (bare as number).toFixed(2),
        against: (objects as number).toFixed(2),
        ratio: ((objects as number) / (bare as number)).toFixed(1),
      },
      {
        promise: 'redaction of a record, µs; of reading and insert',
        measured: cost.toFixed(3),
        against: whole.toFixed(2),
        ratio: `${((cost / whole) * 100).toFixed(1)} %`,
      },
    ],
  };
}

/** The middle time of each, taken in turns. */
async function microseconds(tasks: readonly (() => void)[], count: number): Promise<number[]> {
  const times: number[][] = tasks.map(() => []);
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const [at, task] of tasks.entries()) {
      const startedMs = performance.now();
      task();
      times[at]?.push(((performance.now() - startedMs) * 1_000) / count);
    }
  }
  return times.map(median);
}

/** The engine's own inserts of these rows, one after the other, into the same table. */
async function engineMicroseconds(block: RowBlock, count: number): Promise<{ wall: number; cpu: number }> {
  const folder = mkdtempSync(path.join(tmpdir(), 'bench-logs-'));
  const telemetry = await openTelemetryStore({ path: path.join(folder, 'store') });
  try {
    await new LogStore(telemetry).migrate();
    // As many rows as make a group: it goes at once.
    const inserter = new BlockInserter({ store: telemetry, into: LOG_COLUMNS, columns: LOG_TYPES, clock: systemClock });
    const times: number[] = [];
    const before = process.cpuUsage();
    for (let insert = 0; insert < INSERTS; insert += 1) {
      const startedMs = performance.now();
      await inserter.add(block);
      times.push(((performance.now() - startedMs) * 1_000) / count);
    }
    const { user, system } = process.cpuUsage(before);
    return { wall: median(times), cpu: (user + system) / (INSERTS * count) };
  } finally {
    await telemetry.close();
    rmSync(folder, { recursive: true, force: true });
  }
}
