import type { Call } from '../../../lib/call/signing.ts';
import type { Clock } from '../../../lib/clock.ts';
import type { Log } from '../../../lib/log.ts';
import { Worker } from '../../../lib/worker.ts';
import { canonicalJson } from '../../../lib/write/canonical.ts';
import type { EntryDraft } from '../../../lib/write/entry.ts';

/** Readers that are told apart in one window; those beyond are one. */
const MAX_READERS = 1_000;
/** Filters that are told of each reader. */
const MAX_FILTERS = 20;
const OTHERS: Call['principal'] = { id: '(others)', kind: 'SCRIPT', name: '(others)', scopes: [] };

interface Reader {
  principal: Call['principal'];
  fromMs: number;
  toMs: number;
  /** By field or route. */
  reads: Record<string, number>;
  filters: Map<string, unknown>;
}

/**
 * Who read the trail: one entry for each reader and window, with how often and by which filters. A read costs some additions in
 * memory; writing an entry is no read, so that nothing sets off itself. What the platform reads by itself is not counted.
 */
export class Readings {
  #readers = new Map<string, Reader>();
  /** Entries that could not be written yet. */
  #due: EntryDraft[] = [];
  readonly #worker: Worker;

  /** @param windowMs milliseconds @param append idempotent by the entries' ids */
  constructor(
    private readonly append: (entries: readonly EntryDraft[]) => Promise<void>,
    private readonly clock: Clock,
    windowMs: number,
    private readonly notes: Log,
  ) {
    this.#worker = new Worker(
      async () => {
        await this.#write();
        return false;
      },
      windowMs,
      (error) => notes.warn('audit.readings.wait', { error: String(error) }),
    );
  }

  start(): void {
    this.#worker.start();
  }

  /** Writes what is left. */
  async stop(): Promise<void> {
    await this.#worker.stop();
    await this.#write().catch((error: unknown) => this.notes.warn('audit.readings.lost', { error: String(error) }));
  }

  /** @param what the field or route that was asked */
  note({ principal }: Call, what: string, filter?: object | null): void {
    if (principal.kind === 'SYSTEM') return;
    const known = this.#reader(principal);
    known.toMs = this.clock.nowMs();
    known.reads[what] = (known.reads[what] ?? 0) + 1;
    if (filter && known.filters.size < MAX_FILTERS) known.filters.set(canonicalJson(filter), filter);
  }

  #reader(principal: Call['principal']): Reader {
    const known = this.#readers.get(principal.id);
    if (known) return known;
    const isOne = this.#readers.size < MAX_READERS;
    const shown = isOne ? principal : OTHERS;
    const others = isOne ? undefined : this.#readers.get(OTHERS.id);
    if (others) return others;
    const nowMs = this.clock.nowMs();
    const reader = { principal: shown, fromMs: nowMs, toMs: nowMs, reads: {}, filters: new Map() };
    this.#readers.set(shown.id, reader);
    return reader;
  }

  async #write(): Promise<void> {
    const readers = [...this.#readers.values()];
    this.#readers = new Map();
    // While the database is away for long the newest are kept: no more than a few windows of them.
    this.#due = [...this.#due, ...readers.map((reader) => this.#entryOf(reader))].slice(-4 * MAX_READERS);
    if (!this.#due.length) return;
    const due = this.#due;
    await this.append(due);
    this.#due = this.#due.filter((entry) => !due.includes(entry));
  }

  #entryOf({ principal, fromMs, toMs, reads, filters }: Reader): EntryDraft {
    const id = this.clock.uuid();
    const { id: actorId, kind, name } = principal;
    const [from, to] = [fromMs, toMs].map((ms) => new Date(ms).toISOString());
    return {
      id,
      occurredAtMs: this.clock.nowMs(),
      actor: { id: actorId, kind, name },
      action: 'audit.read',
      outcome: 'SUCCEEDED',
      isDryRun: false,
      reason: null,
      targetType: 'AuditLog',
      targetId: '',
      before: null,
      after: { from, to, reads, filters: [...filters.values()] },
      requestId: id,
      traceId: null,
      clientIp: null,
      causedBy: null,
    };
  }
}
