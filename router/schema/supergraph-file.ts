import { statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { messageOf } from '../../lib/errors.ts';
import type { Log } from '../../lib/log.ts';
import type { SchemaDesk } from './schema-desk.ts';

/** How often the file is looked at, milliseconds. */
const LOOK_MS = 500;
/** A file in the course of being written is read when it has kept still for one look. */
const MAX_BYTES = 20_000_000;

export interface SupergraphFileOptions {
  path: string;
  /** Takes what the file says now. */
  schema: SchemaDesk;
  log: Log;
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
      const text = await readFile(path, 'utf8');
      if (text.length > MAX_BYTES) throw new Error(`it has over ${MAX_BYTES} characters`);
      await schema.propose({ supergraphSdl: text }, { from: 'file' });
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
