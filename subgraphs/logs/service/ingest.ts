import { createHash } from 'node:crypto';
import type { Principal } from '../../../lib/call/principal.ts';
import type { Clock } from '../../../lib/clock.ts';
import { FleetError } from '../../../lib/errors.ts';
import { type OtlpBody, parseOtlp, type Rejection } from '../../../lib/otlp/index.ts';
import type { Redactor } from '../../../lib/redaction/index.ts';
import {
  type BlockInserter,
  type RowBlock,
  RowsTooLarge,
  RowWriter,
  type TelemetryStore,
} from '../../../lib/telemetry-store/index.ts';
import { type IngestLogsInput, type IngestLogsPayload, LogIntake } from '../entity/index.ts';
import { nanosOf } from '../store/index.ts';
import { readLines } from './lines/index.ts';
import { type Line, recordOfLine } from './lines/line.ts';
import { writeDecoded, writeMessage, writeRecords } from './message-logs.ts';
import { Rows } from './records.ts';
import { type Written, writeLogs } from './wire-logs.ts';

const MAX_RECORDS = 10_000;
const MAX_OTLP_RECORDS = 1_000_000;
/** The rows of one request, bytes; a resource is in each of them. */
const MAX_BLOCK_BYTES = 256 * 1024 * 1024;
const DAY_MS = 24 * 60 * 60_000;

/** What became of the records of a request. */
export interface Taken {
  /** Records that it held. */
  records: number;
  rejected: Rejection[];
}

/** Takes log records in: checked one by one, stored together, answered when durable. */
export class Ingest {
  readonly #writer = new RowWriter(MAX_BLOCK_BYTES);

  constructor(
    private readonly inserter: BlockInserter,
    private readonly redactor: Redactor,
    private readonly clock: Clock,
    private readonly bounds: { disk(): TelemetryStore['disk']; maxPendingBytes: number },
  ) {}

  /** Whether more is taken in at this moment, and what bounds it. */
  intake(): LogIntake {
    const { maxPendingBytes } = this.bounds;
    const { pendingBytes } = this.inserter;
    const disk = this.bounds.disk();
    const isDiskFull = disk?.isFull ?? false;
    return Object.assign(new LogIntake(), {
      isAccepting: !isDiskFull && pendingBytes < maxPendingBytes,
      isDiskFull,
      diskFreeBytes: disk?.freeBytes ?? null,
      diskSizeBytes: disk?.totalBytes ?? null,
      pendingBytes,
      maxPendingBytes,
    });
  }

  /**
   * Stores an OTLP request. Without a `batchId` the same body again within ten minutes is stored once, but only if its records
   * carry times: without them two equal bodies may be two things that happened. The same `batchId` of the same caller within a
   * day is stored once.
   * @throws OVERLOADED when too much waits; BAD_INPUT when it is no such request; QUERY_TOO_LARGE when its rows are
   */
  async otlp(body: OtlpBody, batchId: string | undefined, caller: Principal): Promise<Taken> {
    // Before the work of reading it: an overload must not cost what it refuses.
    this.inserter.checkRoom(body.bytes.length);
    checkBatch(batchId);
    const rows = this.#rowsOf(caller);
    const { written, block } = this.#fill(() => {
      const short = body.encoding === 'protobuf' ? writeLogs(body.bytes, this.#writer, rows) : undefined;
      return checked(short ?? writeMessage(parseOtlp('logs', body), this.#writer, rows));
    });
    await this.#store(block, 'otlp', body.bytes, written, batchId, caller);
    return written;
  }

  /**
   * Stores a body of lines. Without a `batchId` the same body again is one as of OTLP; the same `batchId` of the same caller
   * within a day is stored once.
   * @param service of lines that name none
   * @throws OVERLOADED when too much waits; BAD_INPUT for a batchId that is none
   */
  async lines(bytes: Buffer, service: string, batchId: string | undefined, caller: Principal): Promise<Taken> {
    this.inserter.checkRoom(bytes.length);
    checkBatch(batchId);
    const rows = this.#rowsOf(caller);
    const { written, block } = this.#fill(() => {
      const { lines, ...read } = readLines(bytes, service);
      return { ...checked(writeDecoded(read, this.#writer, rows)), records: lines };
    });
    await this.#store(block, 'lines', bytes, written, batchId, caller);
    return written;
  }

  /** Stores lines that were read already, each as often as it comes. @throws OVERLOADED when too much waits */
  async said(lines: readonly Line[], caller: Principal): Promise<void> {
    this.inserter.checkRoom();
    const records = lines.map((line) => recordOfLine(line, ''));
    const rows = this.#rowsOf(caller);
    const { block } = this.#fill(() => writeRecords(records, this.#writer, (record) => rows.ofOtlp(record)));
    await this.inserter.add(block);
  }

  /**
   * Stores the records of `ingestLogs`; the same `batchId` of the same caller within a day is stored once.
   * @throws OVERLOADED when too much waits
   */
  async input({ records, batchId }: IngestLogsInput, caller: Principal): Promise<IngestLogsPayload> {
    const refusal = refusalOf(records.length, batchId);
    if (refusal) return { accepted: 0, rejected: [], userErrors: [{ code: 'BAD_INPUT', ...refusal }] };
    const rows = this.#rowsOf(caller);
    const { written: rejected, block } = this.#fill(() =>
      writeRecords(records, this.#writer, (record) => rows.ofInput(record)),
    );
    await this.inserter.add(block, batchId == null ? undefined : `ingestLogs ${caller.id} ${batchId}`, DAY_MS);
    return { accepted: block.ends.length, rejected, userErrors: [] };
  }

  /** Once: by the batch's name, else by its bytes where they say when it was. */
  async #store(
    block: RowBlock,
    road: 'otlp' | 'lines',
    bytes: Uint8Array,
    { timed }: Written,
    batchId: string | undefined,
    caller: Principal,
  ): Promise<void> {
    if (batchId !== undefined) await this.inserter.add(block, `${road} ${caller.id} batch ${batchId}`, DAY_MS);
    else if (timed) {
      await this.inserter.add(block, `${road} ${caller.id} ${createHash('sha256').update(bytes).digest('hex')}`);
    } else await this.inserter.add(block);
  }

  #rowsOf(caller: Principal): Rows {
    return new Rows(caller, nanosOf(this.clock.nowMs()), this.redactor);
  }

  /** The rows that somebody writes; none stay behind when that fails. */
  #fill<T>(write: () => T): { written: T; block: RowBlock } {
    try {
      const written = write();
      return { written, block: this.#writer.take() };
    } catch (error) {
      this.#writer.clear();
      if (!(error instanceof RowsTooLarge)) throw error;
      throw new FleetError('QUERY_TOO_LARGE', `the records and their resources have over ${MAX_BLOCK_BYTES} bytes`, {
        status: 413,
      });
    }
  }
}

function checked(written: Written): Written {
  if (written.records - written.rejected.length > MAX_OTLP_RECORDS) {
    throw new FleetError('BAD_INPUT', `at most ${MAX_OTLP_RECORDS} records at once`);
  }
  return written;
}

function checkBatch(batchId: string | undefined): void {
  const refusal = refusalOf(0, batchId);
  if (refusal) throw new FleetError('BAD_INPUT', refusal.message);
}

function refusalOf(
  count: number,
  batchId: string | null | undefined,
): { message: string; field: string[] } | undefined {
  if (count > MAX_RECORDS) return { message: `at most ${MAX_RECORDS} records at once`, field: ['input', 'records'] };
  if (batchId != null && !/^[\x21-\x7e]{1,255}$/.test(batchId)) {
    return { message: 'a batchId has 1 to 255 visible ASCII characters', field: ['input', 'batchId'] };
  }
  return undefined;
}
