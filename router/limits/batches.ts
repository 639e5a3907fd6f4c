import type { Drawn, Meter } from './bucket.ts';

/** Equal draws on one meter that wait to be made together. */
export interface Batch {
  readonly meter: Meter;
  readonly costs: readonly number[];
  readonly isForced: boolean;
  readonly waiting: { resolve(drawn: Drawn): void; reject(error: unknown): void }[];
}

/** What came of a batch: how many of its draws were admitted, and what the buckets hold after them. */
export interface BatchDrawn {
  admitted: number;
  tokens: readonly number[];
}

/**
 * Makes equal draws that come while one is under way together, in their order: a store that takes a lock for each statement
 * is asked once for all of them, not once for each.
 */
export class Batches {
  /** Meters with a statement under way → what waits for it. */
  readonly #busy = new Map<string, Batch[]>();

  constructor(private readonly send: (batch: Batch) => Promise<BatchDrawn>) {}

  draw(meter: Meter, costs: readonly number[], isForced: boolean): Promise<Drawn> {
    return new Promise((resolve, reject) => {
      const waiter = { resolve, reject };
      const queue = this.#busy.get(meter.key);
      if (!queue) {
        this.#busy.set(meter.key, []);
        void this.#run({ meter, costs, isForced, waiting: [waiter] });
        return;
      }
      const last = queue.at(-1);
      if (last && isSame(last, meter, costs, isForced)) last.waiting.push(waiter);
      else queue.push({ meter, costs, isForced, waiting: [waiter] });
    });
  }

  async #run(first: Batch): Promise<void> {
    for (let batch: Batch | undefined = first; batch; batch = this.#busy.get(first.meter.key)?.shift()) {
      await this.#settle(batch);
    }
    this.#busy.delete(first.meter.key);
  }

  async #settle(batch: Batch): Promise<void> {
    const { costs, waiting } = batch;
    try {
      const { admitted, tokens } = await this.send(batch);
      waiting.forEach(({ resolve }, at) => {
        // Each is told what was left after itself.
        const later = Math.max(0, admitted - at - 1);
        resolve({ admitted: at < admitted, tokens: tokens.map((held, bucket) => held + later * (costs[bucket] ?? 0)) });
      });
    } catch (error) {
      for (const { reject } of waiting) reject(error);
    }
  }
}

function isSame(batch: Batch, meter: Meter, costs: readonly number[], isForced: boolean): boolean {
  const isEqual = batch.isForced === isForced && batch.costs.length === costs.length;
  return isEqual && batch.meter === meter && costs.every((cost, at) => cost === batch.costs[at]);
}
