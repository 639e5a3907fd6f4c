import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync } from 'node:fs';
import { rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { type DocumentNode, print } from 'graphql';
import { z } from 'zod';
import { messageOf } from '../../lib/errors.ts';
import type { Log } from '../../lib/log.ts';

/** An operation that clients send. */
interface Recorded {
  readonly text: string;
  /** How often it came; 0 once it is forgotten. */
  count: number;
  lastSeenMs: number;
}

const BOOK = z.strictObject({
  operations: z.record(
    z.string(),
    z.strictObject({ text: z.string(), count: z.number().int().positive(), lastSeenMs: z.number().int() }),
  ),
});

export interface OperationBookLimits {
  entries: number;
  sizeBytes: number;
  /** Older ones are forgotten, milliseconds. */
  keptMs: number;
}

export const BOOK_LIMITS: OperationBookLimits = { entries: 2_000, sizeBytes: 4_000_000, keptMs: 7 * 86_400_000 };
const SAVE_MS = 10_000;

export interface OperationBookOptions {
  /** Where it is kept over a restart; absent: it is not. */
  file?: string | undefined;
  limits?: OperationBookLimits;
  nowMs(): number;
  log: Log;
}

/** The operations of the last days, by the hash of their text as it is printed: what a new schema must not break. */
export class OperationBook {
  readonly #byHash = new Map<string, Recorded>();
  /** A document in the engine's cache is the same object each time. */
  readonly #byDocument = new WeakMap<DocumentNode, Recorded>();
  readonly #limits: OperationBookLimits;
  #sizeBytes = 0;
  #isChanged = false;
  #timer: NodeJS.Timeout | undefined;
  #saving: Promise<void> = Promise.resolve();

  /** A file that cannot be read is told in the log, and begun anew. */
  constructor(private readonly options: OperationBookOptions) {
    this.#limits = options.limits ?? BOOK_LIMITS;
    if (options.file !== undefined) this.#read(options.file);
  }

  start(): void {
    if (this.options.file === undefined) return;
    this.#timer = setInterval(() => void this.save(), SAVE_MS);
    this.#timer.unref();
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.save();
  }

  /** Notes one operation that was taken. */
  note(document: DocumentNode): void {
    const entry = this.#byDocument.get(document);
    const known = entry && entry.count > 0 ? entry : this.#enter(document);
    known.count += 1;
    known.lastSeenMs = this.options.nowMs();
    this.#isChanged = true;
  }

  get size(): { entries: number; sizeBytes: number } {
    return { entries: this.#byHash.size, sizeBytes: this.#sizeBytes };
  }

  /** Their texts, the latest first. */
  texts(): string[] {
    this.#forgetOld();
    return [...this.#byHash.values()].sort((a, b) => b.lastSeenMs - a.lastSeenMs).map(({ text }) => text);
  }

  /** Writes the file, whole or not at all. Never throws. */
  save(): Promise<void> {
    this.#saving = this.#saving.then(() => this.#write());
    return this.#saving;
  }

  async #write(): Promise<void> {
    const { file, log } = this.options;
    if (file === undefined || !this.#isChanged) return;
    this.#isChanged = false;
    this.#forgetOld();
    try {
      await writeFile(`${file}.new`, JSON.stringify({ operations: Object.fromEntries(this.#byHash) }), { mode: 0o600 });
      await rename(`${file}.new`, file);
    } catch (error) {
      log.warn('schema.operations.unsaved', { file, error: messageOf(error) });
    }
  }

  #enter(document: DocumentNode): Recorded {
    const text = print(document);
    const hash = createHash('sha256').update(text).digest('hex');
    let entry = this.#byHash.get(hash);
    if (!entry) {
      entry = { text, count: 0, lastSeenMs: this.options.nowMs() };
      this.#put(hash, entry);
    }
    this.#byDocument.set(document, entry);
    return entry;
  }

  #put(hash: string, entry: Recorded): void {
    const { entries, sizeBytes } = this.#limits;
    if (entry.text.length > sizeBytes) return;
    while (this.#byHash.size >= entries || this.#sizeBytes + entry.text.length > sizeBytes) this.#forgetOne();
    this.#byHash.set(hash, entry);
    this.#sizeBytes += entry.text.length;
  }

  /** The one that was not seen for longest among the first few: near enough, and its cost does not grow. */
  #forgetOne(): void {
    let oldest: [string, Recorded] | undefined;
    let looked = 0;
    for (const each of this.#byHash) {
      if (!oldest || each[1].lastSeenMs < oldest[1].lastSeenMs) oldest = each;
      if (++looked === 32) break;
    }
    if (oldest) this.#forget(...oldest);
  }

  #forgetOld(): void {
    const sinceMs = this.options.nowMs() - this.#limits.keptMs;
    for (const [hash, entry] of this.#byHash) if (entry.lastSeenMs < sinceMs) this.#forget(hash, entry);
  }

  #forget(hash: string, entry: Recorded): void {
    this.#byHash.delete(hash);
    this.#sizeBytes -= entry.text.length;
    entry.count = 0;
  }

  #read(file: string): void {
    try {
      mkdirSync(path.dirname(file), { recursive: true });
      const { operations } = BOOK.parse(JSON.parse(readFileSync(file, 'utf8')));
      for (const [hash, entry] of Object.entries(operations)) this.#put(hash, { ...entry });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
      this.options.log.warn('schema.operations.unread', { file, error: messageOf(error) });
    }
  }
}
