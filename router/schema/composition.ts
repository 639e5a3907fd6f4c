import path from 'node:path';
import { Worker } from 'node:worker_threads';
import { messageOf } from '../../lib/errors.ts';
import type { SubgraphSource } from '../compose.ts';
import type { CompositionOutcome, CompositionTask } from './composition-task.ts';
import type { Break } from './swap-rules.ts';

export interface CompositionLimits {
  /** How long one task may take, milliseconds. */
  timeoutMs: number;
  /** What its thread may take, megabytes. */
  memoryMb: number;
}

export const COMPOSITION_LIMITS: CompositionLimits = { timeoutMs: 30_000, memoryMb: 512 };

/** Composition and checks, each in a thread of its own that is there only while it works. */
export class Composition {
  readonly #working = new Set<Worker>();

  constructor(private readonly limits: CompositionLimits = COMPOSITION_LIMITS) {}

  /** The supergraph of these subgraphs. @throws Error that says what does not compose, or which limit was met */
  async compose(subgraphs: readonly SubgraphSource[]): Promise<string> {
    const outcome = await this.#run({ kind: 'compose', subgraphs });
    if (!('supergraphSdl' in outcome)) throw new Error('invariant broken: composition gave no supergraph');
    return outcome.supergraphSdl;
  }

  /** Which of these operations the supergraph would not take, of those that the served one takes. @throws Error as `compose` */
  async check(supergraphSdl: string, servedSdl: string, operations: readonly string[]): Promise<readonly Break[]> {
    if (operations.length === 0) return [];
    const outcome = await this.#run({ kind: 'check', supergraphSdl, servedSdl, operations });
    if (!('breaks' in outcome)) throw new Error('invariant broken: the check told no breaks');
    return outcome.breaks;
  }

  /** Ends what is under way. */
  async close(): Promise<void> {
    await Promise.all([...this.#working].map((worker) => worker.terminate()));
  }

  async #run(task: CompositionTask): Promise<CompositionOutcome> {
    const { timeoutMs, memoryMb } = this.limits;
    const worker = new Worker(path.join(__dirname, `composition-worker${path.extname(__filename)}`), {
      workerData: task,
      resourceLimits: { maxOldGenerationSizeMb: memoryMb },
      // What it is told is in its task; the process's own settings and secrets are not for it.
      env: {},
      execArgv: [],
    });
    this.#working.add(worker);
    try {
      const outcome = await outcomeOf(worker, timeoutMs);
      if ('error' in outcome) throw new Error(outcome.error);
      return outcome;
    } finally {
      this.#working.delete(worker);
      await worker.terminate();
    }
  }
}

function outcomeOf(worker: Worker, timeoutMs: number): Promise<CompositionOutcome> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`it took over ${timeoutMs} ms`)), timeoutMs);
    const settle = (then: () => void) => {
      clearTimeout(timer);
      then();
    };
    worker.once('message', (outcome: CompositionOutcome) => settle(() => resolve(outcome)));
    worker.once('error', (error) => settle(() => reject(new Error(messageOf(error)))));
    worker.once('exit', (code) => settle(() => reject(new Error(`its thread ended with ${code} and said nothing`))));
  });
}
