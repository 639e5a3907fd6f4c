import { isUtf8 } from 'node:buffer';
import { readFileSync, statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { messageOf } from '../../lib/errors.ts';
import type { Log } from '../../lib/log.ts';
import type { SchemaDesk } from './schema-desk.ts';

/** How often the file is looked at, milliseconds. */
const LOOK_MS = 500;
/** A supergraph of thousands of types has some 2 MB. */
const MAX_BYTES = 10_000_000;

export interface SupergraphFileOptions {
  path: string;
  /** Takes what the file says now. */
  schema: SchemaDesk;
  log: Log;
}

/** @throws Error why it cannot be read, or is none by its size or its bytes; a pipe or a device might never end */
export function readSupergraphFile(path: string): string {
  requireSmallFile(path);
  return textOf(readFileSync(path));
}

function requireSmallFile(path: string): void {
  const stat = statSync(path);
  if (!stat.isFile()) throw new Error(`${path} is no file`);
  if (stat.size > MAX_BYTES) throw new Error(`${path} has over ${MAX_BYTES} bytes`);
}

function textOf(bytes: Buffer): string {
  if (!isUtf8(bytes)) throw new Error('it is not UTF-8');
  return bytes.toString('utf8');
}

/**
 * A supergraph's file, taken anew when it changes: written in place, or replaced by a rename. One that is away or cannot
 * be used changes nothing.
 */
export class SupergraphFile {
  #taken: string;
  #seen: string;
  #timer: NodeJS.Timeout | undefined;
  #reading: Promise<void> = Promise.resolve();

  constructor(private readonly options: SupergraphFileOptions) {
    this.#taken = this.#seen = stampOf(options.path);
  }

  start(): void {
    this.#timer = setInterval(() => this.look(), LOOK_MS);
    this.#timer.unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** Takes the file when it differs from what was taken, and has not changed since the last look. */
  look(): void {
    const stamp = stampOf(this.options.path);
    if (stamp === this.#seen && stamp !== this.#taken && stamp !== AWAY) void this.reload();
    this.#seen = stamp;
  }

  /** Proposes the file as it is now; resolves once it is served, or refused. Never throws: why is logged. */
  reload(): Promise<void> {
    this.#reading = this.#reading.then(() => this.#take());
    return this.#reading;
  }

  async #take(): Promise<void> {
    const { path, schema, log } = this.options;
    this.#taken = stampOf(path);
    try {
      requireSmallFile(path);
      await schema.propose({ supergraphSdl: textOf(await readFile(path)) }, { from: 'file' });
    } catch (error) {
      log.error('schema.unread', { path, error: messageOf(error) });
    }
  }
}

const AWAY = 'away';

function stampOf(path: string): string {
  try {
    const stat = statSync(path);
    return `${stat.ino} ${stat.mtimeMs} ${stat.size}`;
  } catch {
    // One that may not be looked at, or whose folder has gone, is away like one that is not there.
    return AWAY;
  }
}
