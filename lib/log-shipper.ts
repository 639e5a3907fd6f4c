import { createHash } from 'node:crypto';
import { closeSync, existsSync, openSync, readFileSync, readSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { HouseClient } from './call/house-client.ts';
import { systemPrincipal } from './call/principal.ts';
import type { Clock } from './clock.ts';
import { FleetError } from './errors.ts';
import { type Flags, standardFlags } from './flags/index.ts';
import { logFiles } from './log-file.ts';
import { Worker } from './worker.ts';

const CHUNK_BYTES = 256_000;
const POLL_MS = 500;
const SEVERITY: Record<string, number> = { trace: 1, debug: 5, info: 9, warn: 13, error: 17, fatal: 21 };

interface Place {
  file: string;
  offset: number;
  /** Bytes behind `offset` that were about to be sent: the same again, however much the file grew since. */
  pending?: number;
}

/**
 * Sends a process's own lines from its files to the logs house. Where it stands is kept beside the files, so that what was
 * written while telemetry was away goes out once it is back, and once only: how far a batch goes is kept before it is sent, so
 * that after a lost answer, or a kill, it is the same lines by the same key.
 */
export class LogShipper {
  readonly #worker: Worker;
  readonly #placeFile: string;

  constructor(
    private readonly folder: string,
    private readonly service: string,
    private readonly logs: HouseClient,
    private readonly clock: Clock,
    private readonly flags: Flags = standardFlags(),
    /** Of the program, so that an error can be told to be mended in one. */
    private readonly version?: string,
  ) {
    this.#placeFile = path.join(folder, `${service}.shipped.json`);
    // Silence on failure: a line about it would be one more line to ship. The file keeps everything.
    this.#worker = new Worker(
      () => this.ship(),
      POLL_MS,
      () => undefined,
    );
  }

  start(): void {
    this.#worker.start();
  }

  stop(): Promise<void> {
    return this.#worker.stop();
  }

  /** Sends the next chunk. @returns whether more may follow at once */
  async ship(): Promise<boolean> {
    if (!this.flags.isOn('platform.own-logs')) return false;
    const files = logFiles(this.folder, this.service);
    const place = this.#place(files);
    if (!place) return false;
    const lines = wholeLines(place);
    if (!lines.bytes) {
      const next = files[files.indexOf(place.file) + 1];
      if (next) this.#keep({ file: next, offset: 0 });
      return next !== undefined;
    }
    this.#keep({ ...place, pending: lines.bytes });
    const answer = await this.logs.send('POST /v1/logs', {
      call: {
        principal: systemPrincipal(this.service),
        requestId: this.clock.uuid(),
        idempotencyKey: keyOf(place, lines.text),
      },
      body: JSON.stringify(otlpOf(this.service, this.version, lines.text)),
      timeoutMs: 10_000,
    });
    if (answer.status !== 200) throw new FleetError('SUBGRAPH_UNAVAILABLE', `logs answered ${answer.status}`);
    this.#keep({ file: place.file, offset: place.offset + lines.bytes });
    return true;
  }

  #place(files: readonly string[]): Place | undefined {
    const kept = existsSync(this.#placeFile) ? (JSON.parse(readFileSync(this.#placeFile, 'utf8')) as Place) : undefined;
    if (kept && files.includes(kept.file)) return kept;
    return files[0] ? { file: files[0], offset: 0 } : undefined;
  }

  #keep(place: Place): void {
    writeFileSync(`${this.#placeFile}.new`, JSON.stringify(place));
    renameSync(`${this.#placeFile}.new`, this.#placeFile);
  }
}

/** Of the lines and where they stand: the same lines elsewhere are others. */
function keyOf({ file, offset }: Place, text: string): string {
  return createHash('sha256').update(`${file}\n${offset}\n${text}`).digest('hex');
}

function wholeLines({ file, offset, pending = CHUNK_BYTES }: Place): { text: string; bytes: number } {
  const chunk = Buffer.alloc(pending);
  const fd = openSync(file, 'r');
  const read = readSync(fd, chunk, 0, pending, offset);
  closeSync(fd);
  const bytes = chunk.subarray(0, read).lastIndexOf(0x0a) + 1;
  // A line longer than a chunk would stop the replay for ever: what was read of it goes out as it is.
  const length = bytes || (read === pending ? read : 0);
  return { text: chunk.subarray(0, length).toString(), bytes: length };
}

function otlpOf(service: string, version: string | undefined, text: string): object {
  const logRecords = text.split('\n').filter(Boolean).map(recordOf);
  const named = { 'service.name': `fleetgraph.${service}`, ...(version ? { 'service.version': version } : {}) };
  const resource = {
    attributes: Object.entries(named).map(([key, value]) => ({ key, value: { stringValue: value } })),
  };
  return { resourceLogs: [{ resource, scopeLogs: [{ logRecords }] }] };
}

function recordOf(line: string): object {
  let fields: Record<string, unknown>;
  try {
    fields = JSON.parse(line);
  } catch {
    fields = { level: 'warn', event: line };
  }
  const { time, level, service: _, event, ...rest } = fields;
  const timeMs = Date.parse(String(time));
  return {
    timeUnixNano: Number.isNaN(timeMs) ? '0' : `${timeMs}000000`,
    severityNumber: SEVERITY[String(level)] ?? 9,
    body: { stringValue: String(event) },
    attributes: Object.entries(rest).map(([key, value]) => ({
      key,
      value: { stringValue: typeof value === 'string' ? value : JSON.stringify(value) },
    })),
  };
}
