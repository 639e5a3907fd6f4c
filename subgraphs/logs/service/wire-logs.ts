import {
  decodeMessage,
  LOG_MESSAGES,
  logOf,
  type Origin,
  once,
  originOf,
  type Plain,
  RecordFault,
  type Rejection,
  resourceOf,
} from '../../../lib/otlp/index.ts';
import { leb128, RowsTooLarge, type RowWriter } from '../../../lib/telemetry-store/index.ts';
import { writeRow } from '../store/index.ts';
import { MAX_SERVICE, MAX_TEXT, Refusal, type Rows } from './records.ts';
import { type OriginBytes, WireRecords } from './wire-records.ts';

/** What became of the records of a request; those taken are in the writer. */
export interface Written {
  /** Records that the request held. */
  records: number;
  rejected: Rejection[];
  /** Whether every record that could be read says its time. */
  timed: boolean;
}

/** The request as a whole is not as it must be, or of a form that is seldom seen. */
class Unusual extends Error {}

/**
 * Writes the records of an ExportLogsServiceRequest in protobuf as rows, in one pass over its bytes.
 * @returns undefined when it has to be read the long way, which tells what is wrong with it; the writer is empty then
 * @throws RowsTooLarge
 */
export function writeLogs(bytes: Buffer, writer: RowWriter, rows: Rows): Written | undefined {
  try {
    return new WireLogs(bytes, writer, rows).read();
  } catch (error) {
    writer.clear();
    if (error instanceof RowsTooLarge) throw error;
    return undefined;
  }
}

class WireLogs {
  readonly #records: WireRecords;
  readonly #written: Written = { records: 0, rejected: [], timed: true };

  constructor(
    private readonly bytes: Buffer,
    private readonly writer: RowWriter,
    private readonly rows: Rows,
  ) {
    this.#records = new WireRecords(bytes, writer, rows, rows.redactor.suspects(bytes));
  }

  read(): Written {
    for (const [field, start, end] of this.#fields(0, this.bytes.length)) if (field === 1) this.#resource(start, end);
    return this.#written;
  }

  #resource(start: number, end: number): void {
    const scopes: [start: number, end: number][] = [];
    let message: Plain | undefined;
    for (const [field, from, to] of this.#fields(start, end)) {
      if (field === 1) message = decodeMessage(this.bytes.subarray(from, to), LOG_MESSAGES.resource, 2);
      if (field === 2) scopes.push([from, to]);
    }
    const resource = once(() => resourceOf(message));
    for (const [from, to] of scopes) this.#scope(from, to, resource);
  }

  #scope(start: number, end: number, resource: () => Omit<Origin, 'scope'>): void {
    let scope: Plain | undefined;
    let records = 0;
    // What is said of the scope may stand behind its records.
    for (const [field, from, to] of this.#fields(start, end)) {
      if (field === 1) scope = decodeMessage(this.bytes.subarray(from, to), LOG_MESSAGES.scope, 3);
      if (field === 2) records += 1;
    }
    if (!records) return;
    const origin = once(() => originOf(resource(), scope));
    const columns = this.#columnsOf(origin);
    for (const [field, from, to] of this.#fields(start, end)) if (field === 2) this.#record(from, to, origin, columns);
  }

  #record(start: number, end: number, origin: () => Origin, columns: OriginBytes | undefined): void {
    const written = this.#written;
    const timed = columns && this.#records.write(start, end, columns);
    if (timed === undefined) this.#long(start, end, written.records, origin);
    else written.timed &&= timed;
    written.records += 1;
  }

  /** The way that makes an object of a record, and says what is wrong with it. */
  #long(start: number, end: number, index: number, origin: () => Origin): void {
    const { rejected } = this.#written;
    try {
      const message = decodeMessage(this.bytes.subarray(start, end), LOG_MESSAGES.logRecord, 3);
      const record = logOf(message, origin());
      this.#written.timed &&= record.timeNs !== null;
      writeRow(this.writer, this.rows.ofOtlp(record));
    } catch (error) {
      if (!(error instanceof RecordFault || error instanceof Refusal)) throw error;
      this.writer.dropRow();
      rejected.push({ index, reason: error.message });
    }
  }

  /** Undefined when the records of this origin are all refused. */
  #columnsOf(origin: () => Origin): OriginBytes | undefined {
    try {
      const { service, agent, agent_name: name, resource } = this.rows.originOf(origin());
      if (service.length > MAX_SERVICE || resource.length > MAX_TEXT) return undefined;
      return { before: textsOf(service, agent, name), after: textsOf(resource) };
    } catch (error) {
      if (!(error instanceof RecordFault)) throw error;
      return undefined;
    }
  }

  /** The messages in a message: number, begin and end of each. What is no message is stepped over. */
  *#fields(start: number, end: number): Generator<[field: number, start: number, end: number]> {
    const { bytes } = this;
    let at = start;
    while (at < end) {
      const tag = bytes[at] as number;
      // Fields 1 to 15, each behind its length: what the request, a resource and a scope have.
      if (tag > 0x7f || (tag & 7) !== 2) throw new Unusual();
      let [length, shift, byte] = [0, 0, 0x80];
      for (at += 1; byte > 0x7f; at += 1) {
        if (shift > 21 || at >= end) throw new Unusual();
        byte = bytes[at] as number;
        length |= (byte & 0x7f) << shift;
        shift += 7;
      }
      if (at + length > end) throw new Unusual();
      yield [tag >> 3, at, at + length];
      at += length;
    }
  }
}

function textsOf(...texts: string[]): Buffer {
  return Buffer.concat(texts.flatMap((text) => [leb128(Buffer.byteLength(text)), Buffer.from(text)]));
}
