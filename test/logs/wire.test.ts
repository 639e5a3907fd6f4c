import fc from 'fast-check';
import { parseOtlp } from '../../lib/otlp/index.ts';
import { Redactor } from '../../lib/redaction/index.ts';
import { RowWriter } from '../../lib/telemetry-store/index.ts';
import { writeMessage } from '../../subgraphs/logs/service/message-logs.ts';
import { Rows } from '../../subgraphs/logs/service/records.ts';
import { writeLogs } from '../../subgraphs/logs/service/wire-logs.ts';
import { ADMIN } from '../support/house.ts';
import { damaged, request } from './wire-requests.ts';

const NOW_NS = '1700000100000000000';
const writer = new RowWriter(64 * 1024 * 1024);
const redactor = new Redactor();
const rows = () => new Rows(ADMIN, NOW_NS, redactor);

/** The rows as text, which compares faster than bytes. */
function taken(): { bytes: string; ends: string } {
  const { bytes, ends } = writer.take();
  return { bytes: bytes.toString('latin1'), ends: ends.join() };
}

/** What the way over objects makes of a request. */
function long(bytes: Buffer): object {
  try {
    const written = writeMessage(parseOtlp('logs', { encoding: 'protobuf', bytes }), writer, rows());
    return { ...written, ...taken() };
  } catch (error) {
    writer.clear();
    return { error: String(error) };
  }
}

/** What ingest makes of it: the short way, and the long one where that gives up. */
function short(bytes: Buffer): { outcome: object; isShort: boolean } {
  const written = writeLogs(bytes, writer, rows());
  return written ? { outcome: { ...written, ...taken() }, isShort: true } : { outcome: long(bytes), isShort: false };
}

describe('log records in protobuf', () => {
  test('the way without objects stores the same bytes and refuses the same records, whatever comes', () => {
    let [whole, given] = [0, 0];
    fc.assert(
      fc.property(request, (bytes) => {
        const { outcome, isShort } = short(bytes);
        whole += isShort ? 1 : 0;
        given += 1;
        expect(outcome).toEqual(long(bytes));
      }),
      { numRuns: 3_000 },
    );
    // Else it would only be compared with itself.
    expect(whole / given).toBeGreaterThan(0.5);
  });

  test('the same of damaged requests', () => {
    fc.assert(
      fc.property(damaged, (bytes) => {
        expect(short(bytes).outcome).toEqual(long(bytes));
      }),
      { numRuns: 3_000 },
    );
  });
});
