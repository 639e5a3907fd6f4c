import { messageOf } from '../../../../lib/errors.ts';
import type { Log } from '../../../../lib/log.ts';
import { Worker } from '../../../../lib/worker.ts';
import type { AuditSink as Applied, AuditSinkFormat } from '../../entity/index.ts';
import type { SinkStore } from '../../store/index.ts';
import type { SinkMaker } from './index.ts';
import type { AuditSink } from './sink.ts';

/** So often it is looked whether another process of the house applied something. */
const POLL_MS = 2_000;

/** Name of an applied sink's row in `progress`: none of the settings' sinks is called so. */
export function positionOf(name: string): string {
  return `applied:${name}`;
}

/** The sinks at work: those that the settings name, and those that were applied, as they are now. */
export class SinkDesk {
  readonly #applied = new Map<string, AuditSink>();
  readonly #worker: Worker;
  #isAtWork = false;

  constructor(
    private readonly maker: SinkMaker,
    private readonly store: SinkStore,
    notes: Log,
  ) {
    this.#worker = new Worker(
      () => this.#follow(),
      POLL_MS,
      (error) => notes.warn('audit.sinks.wait', { error: messageOf(error) }),
    );
  }

  start(): void {
    this.#isAtWork = true;
    for (const sink of this.maker.named) sink.start();
    this.#worker.start();
  }

  async stop(): Promise<void> {
    this.#isAtWork = false;
    await this.#worker.stop();
    await Promise.all(this.#all().map((sink) => sink.stop()));
  }

  /** There are new entries. */
  wake(): void {
    if (this.#isAtWork) for (const sink of this.#all()) sink.wake();
  }

  /** Something was applied. */
  changed(): void {
    if (this.#isAtWork) this.#worker.wake();
  }

  /** All of them, with the names of their rows in `progress`. */
  async sinks(): Promise<(Applied & { position: string })[]> {
    const named = this.maker.named.map(({ facts: { origin, position, format } }) => ({
      name: origin,
      version: 0,
      target: origin,
      format: format.toUpperCase() as AuditSinkFormat,
      sealedSecret: null,
      position,
    }));
    return [...named, ...(await this.store.all()).map((sink) => ({ ...sink, position: positionOf(sink.name) }))];
  }

  #all(): AuditSink[] {
    return [...this.maker.named, ...this.#applied.values()];
  }

  /** Brings what is at work up to what is stored. */
  async #follow(): Promise<boolean> {
    const stored = new Map((await this.store.all()).map((sink) => [sink.name, sink]));
    for (const [name, sink] of this.#applied) {
      if (stored.get(name)?.version === sink.facts.applied?.version) continue;
      this.#applied.delete(name);
      await sink.stop();
    }
    for (const [name, sink] of stored) {
      if (this.#applied.has(name)) continue;
      const made = this.maker.of(sink, positionOf(name));
      this.#applied.set(name, made);
      made.start();
    }
    return false;
  }
}
