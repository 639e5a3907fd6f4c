import { createHash } from 'node:crypto';
import type { Principal } from '../../../lib/call/principal.ts';
import type { Clock } from '../../../lib/clock.ts';
import { FleetError } from '../../../lib/errors.ts';
import { logsOf, type OtlpRequest, type Rejection } from '../../../lib/otlp/index.ts';
import type { GroupedInserter } from '../../../lib/telemetry-store/index.ts';
import type { IngestLogsInput, IngestLogsPayload } from '../entity/index.ts';
import { type NewLogRow, nanosOf } from '../store/index.ts';
import { Refusal, rowOfInput, rowOfOtlp } from './records.ts';

const MAX_RECORDS = 10_000;
const MAX_OTLP_RECORDS = 1_000_000;
const DAY_MS = 24 * 60 * 60_000;

/** Takes log records in: checked one by one, stored together, answered when durable. */
export class Ingest {
  constructor(
    private readonly inserter: GroupedInserter<NewLogRow>,
    private readonly clock: Clock,
  ) {}

  /**
   * Stores an OTLP request. The same body again within ten minutes is stored once, but only if its records carry times:
   * without them two equal bodies may be two things that happened.
   * @returns the records that were refused
   * @throws OVERLOADED when too much waits
   */
  async otlp(request: OtlpRequest, caller: Principal): Promise<Rejection[]> {
    const { records, rejected } = logsOf(request.message);
    if (records.length > MAX_OTLP_RECORDS)
      throw new FleetError('BAD_INPUT', `at most ${MAX_OTLP_RECORDS} records at once`);
    const nowNs = nanosOf(this.clock.nowMs());
    const { rows, refused } = collect(records, (record) => rowOfOtlp(record, caller, nowNs));
    const timed = records.every(({ timeNs }) => timeNs !== null);
    const hash = timed ? createHash('sha256').update(request.bytes).digest('hex') : undefined;
    await this.inserter.add(rows, hash && `otlp ${caller.id} ${hash}`);
    return [...rejected, ...refused];
  }

  /**
   * Stores the records of `ingestLogs`; the same `batchId` of the same caller within a day is stored once.
   * @throws OVERLOADED when too much waits
   */
  async input({ records, batchId }: IngestLogsInput, caller: Principal): Promise<IngestLogsPayload> {
    const refusal = refusalOf(records.length, batchId);
    if (refusal) return { accepted: 0, rejected: [], userErrors: [{ code: 'BAD_INPUT', ...refusal }] };
    const nowNs = nanosOf(this.clock.nowMs());
    const { rows, refused } = collect(records, (record) => rowOfInput(record, caller, nowNs));
    await this.inserter.add(rows, batchId == null ? undefined : `ingestLogs ${caller.id} ${batchId}`, DAY_MS);
    return { accepted: rows.length, rejected: refused, userErrors: [] };
  }
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

function collect<T>(
  records: readonly T[],
  read: (record: T) => NewLogRow,
): { rows: NewLogRow[]; refused: Rejection[] } {
  const rows: NewLogRow[] = [];
  const refused: Rejection[] = [];
  for (const [index, record] of records.entries()) {
    try {
      rows.push(read(record));
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      refused.push({ index, reason: error.message });
    }
  }
  return { rows, refused };
}
