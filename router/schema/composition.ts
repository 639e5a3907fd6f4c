import path from 'node:path';
import { Worker } from 'node:worker_threads';
import { messageOf } from '../../lib/errors.ts';
import type { SubgraphSource } from '../compose.ts';
import type { SupergraphFacts } from '../supergraph/facts.ts';
import type { CompositionOutcome, CompositionTask } from './composition-task.ts';
import type { Break } from './swap-rules.ts';

export interface CompositionLimits {
  /** How long one task may take, milliseconds. */
  timeoutMs: number;
  /** What its thread may take, megabytes. */
  memoryMb: number;
  /** How long the thread stays with nothing to do, milliseconds: a schema is composed, checked and read one after the other. */
  idleMs: number;
}

export const COMPOSITION_LIMITS: CompositionLimits = { timeoutMs: 30_000, memoryMb: 512, idleMs: 5_000 };

/** Composition, reading and checks, one after the other in a thread that is there only while there is work. */
export class Composition {
  #worker: Worker | undefined;
  #idle: NodeJS.Timeout | undefined;
  #last: Promise<unknown> = Promise.resolve();
  #isClosed = false;

  constructor(private readonly limits: CompositionLimits = COMPOSITION_LIMITS) {}

  /** The supergraph of these subgraphs. @throws Error that says what does not compose, or which limit was met */
  async compose(subgraphs: readonly SubgraphSource[]): Promise<string> {
    const outcome = await this.#run({ kind: 'compose', subgraphs });
    if (!('supergraphSdl' in outcome)) throw new Error('invariant broken: composition gave no supergraph');
    return outcome.supergraphSdl;
  }

  /** What a supergraph says. @throws Error when it is none or its schema is not valid, or as `compose` */
  async read(supergraphSdl: string): Promise<SupergraphFacts> {
    const outcome = await this.#run({ kind: 'read', supergraphSdl });
    if (!('facts' in outcome)) throw new Error('invariant broken: the reading told no facts');
    return outcome.facts;
  }

  /** Which of these operations the supergraph would not take, of those that the served one takes. @throws Error as `compose` */
  async check(supergraphSdl: string, servedSdl: string, operations: readonly string[]): Promise<readonly Break[]> {
    if (operations.length === 0) return [];
    const outcome = await this.#run({ kind: 'check', supergraphSdl, servedSdl, operations });
    if (!('breaks' in outcome)) throw new Error('invariant broken: the check told no breaks');
    return outcome.breaks;
  }

  /** Ends what is under way, and takes nothing more. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#end();
    await this.#last;
  }

  #run(task: CompositionTask): Promise<CompositionOutcome> {
    const running = this.#last.then(() => this.#take(task));
    this.#last = running.catch(() => undefined);
    return running;
  }

  async #take(task: CompositionTask): Promise<CompositionOutcome> {
    if (this.#isClosed) throw new Error('the router is going down');
    clearTimeout(this.#idle);
    this.#worker ??= this.#start();
    let outcome: CompositionOutcome;
    try {
      this.#worker.postMessage(task);
      outcome = await outcomeOf(this.#worker, this.limits.timeoutMs);
    } catch (error) {
      await this.#end();
      throw error;
    }
    this.#idle = setTimeout(() => void this.#end(), this.limits.idleMs);
    this.#idle.unref();
    if ('error' in outcome) throw new Error(outcome.error);
    return outcome;
  }

  #start(): Worker {
    const worker = new Worker(path.join(__dirname, `composition-worker${path.extname(__filename)}`), {
      resourceLimits: { maxOldGenerationSizeMb: this.limits.memoryMb },
      // What it is told is in its tasks; the process's own settings and secrets are not for it.
      env: {},
      execArgv: [],
    });
    // It must not keep a process that has nothing else to do.
    worker.unref();
    // Between two tasks nobody else listens; it is begun anew then.
    const lose = () => {
      if (this.#worker === worker) this.#worker = undefined;
    };
    worker.on('error', lose);
    worker.on('exit', lose);
    return worker;
  }

  async #end(): Promise<void> {
    clearTimeout(this.#idle);
    const worker = this.#worker;
    this.#worker = undefined;
    await worker?.terminate();
  }
}

function outcomeOf(worker: Worker, timeoutMs: number): Promise<CompositionOutcome> {
  return new Promise((resolve, reject) => {
    const settle = (then: () => void) => {
      clearTimeout(timer);
      worker.off('message', onMessage).off('error', onError).off('exit', onExit);
      then();
    };
    const timer = setTimeout(() => settle(() => reject(new Error(`it took over ${timeoutMs} ms`))), timeoutMs);
    const onMessage = (outcome: CompositionOutcome) => settle(() => resolve(outcome));
    const onError = (error: unknown) => settle(() => reject(new Error(messageOf(error))));
    const onExit = (code: number) => settle(() => reject(new Error(`its thread ended with ${code} and said nothing`)));
    worker.on('message', onMessage).on('error', onError).on('exit', onExit);
  });
}
