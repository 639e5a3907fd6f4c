import type { Notifications } from '../../../lib/events/notifications.ts';
import { Worker } from '../../../lib/worker.ts';
import { ARRIVED, type EntryStore, PLACED } from '../store/index.ts';

/** How far an entry has come: stored, or with its place in the tree. */
export type Stage = 'stored' | 'placed';

const POLL_MS = 500;

interface Wait {
  missing: Set<string>;
  stage: Stage;
  end: () => void;
}

/** Waits for entries that are on their way: one look at the database for all that wait, at each notification. */
export class Arrivals {
  readonly #waits = new Set<Wait>();
  readonly #worker: Worker;

  constructor(
    private readonly entries: EntryStore,
    private readonly notifications: Notifications,
    onError: (error: unknown) => void,
  ) {
    this.#worker = new Worker(() => this.#look(), POLL_MS, onError);
  }

  start(): void {
    this.notifications.on(ARRIVED, () => this.#worker.wake());
    this.notifications.on(PLACED, () => this.#worker.wake());
    this.#worker.start();
  }

  async stop(): Promise<void> {
    for (const { end } of this.#waits) end();
    await this.#worker.stop();
  }

  /** Resolves when all of them have come so far, or after `limitMs`: look again to know which. */
  async wait(uuids: readonly string[], stage: Stage, limitMs: number): Promise<void> {
    if (!uuids.length) return;
    await new Promise<void>((resolve) => {
      const wait: Wait = { missing: new Set(uuids), stage, end: () => this.#end(wait, timer, resolve) };
      const timer = setTimeout(wait.end, limitMs);
      this.#waits.add(wait);
      this.#worker.wake();
    });
  }

  #end(wait: Wait, timer: NodeJS.Timeout, resolve: () => void): void {
    clearTimeout(timer);
    this.#waits.delete(wait);
    resolve();
  }

  async #look(): Promise<boolean> {
    const waits = [...this.#waits];
    if (!waits.length) return false;
    const wanted = new Set(waits.flatMap(({ missing }) => [...missing]));
    const found = await this.entries.progress([...wanted]);
    for (const wait of waits) {
      for (const { uuid, position } of found) {
        if (wait.stage === 'stored' || position !== null) wait.missing.delete(uuid);
      }
      if (!wait.missing.size) wait.end();
    }
    return false;
  }
}
