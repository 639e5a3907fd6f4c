import path from 'node:path';
import { Worker } from 'node:worker_threads';
import type { PlanNode } from '@graphql-hive/router-query-planner';
import type { ApolloOutcome, ApolloTask, ApolloThreadData } from './apollo-task.ts';
import type { Overrides, PlannerMaker } from './planner.ts';

export interface ApolloLimits {
  /** How long a plan may take, the wait for those before it and the start of the thread included, milliseconds. */
  timeoutMs: number;
  /** What the thread may take, megabytes. */
  memoryMb: number;
  /** Operations that may wait at once. */
  waiting: number;
  /** How long the thread stays with nothing to do, milliseconds. */
  idleMs: number;
}

export const APOLLO_LIMITS: ApolloLimits = { timeoutMs: 10_000, memoryMb: 512, waiting: 50, idleMs: 60_000 };

/**
 * Apollo's planner, for operations the native one cannot plan: in a thread of its own, because a plan of its can take
 * half a second. The thread is there from the first operation until there have been none for a while.
 */
export function apolloPlanner({ labels = new Set() }: Overrides = {}, limits = APOLLO_LIMITS): PlannerMaker {
  return (supergraphSdl) => {
    const thread = new ApolloThread({ supergraphSdl, labels: [...labels] }, limits);
    return {
      plan: (document, operationName, draw = 0) => thread.plan(document, operationName, draw),
    };
  };
}

interface Waiter {
  resolve(node: PlanNode | undefined): void;
  reject(error: Error): void;
  timer: NodeJS.Timeout;
}

class ApolloThread {
  readonly #waiters = new Map<number, Waiter>();
  readonly #data: ApolloThreadData;
  readonly #limits: ApolloLimits;
  #worker: Worker | undefined;
  #idle: NodeJS.Timeout | undefined;
  #lastId = 0;

  constructor(data: ApolloThreadData, limits: ApolloLimits) {
    this.#data = data;
    this.#limits = limits;
  }

  plan(document: string, operationName: string | undefined, draw: number): Promise<PlanNode | undefined> {
    const { timeoutMs, waiting } = this.#limits;
    if (this.#waiters.size >= waiting) return Promise.reject(new Error(`${waiting} operations wait to be planned`));
    const worker = this.#thread();
    this.#lastId += 1;
    const task: ApolloTask = { id: this.#lastId, document, operationName, draw };
    return new Promise((resolve, reject) => {
      // A plan that cannot be stopped is stopped with its thread; what waits behind it is told the same.
      const timer = setTimeout(() => this.#lose(worker, new Error(`it took over ${timeoutMs} ms`)), timeoutMs);
      this.#waiters.set(task.id, { resolve, reject, timer });
      worker.ref();
      worker.postMessage(task);
    });
  }

  #thread(): Worker {
    clearTimeout(this.#idle);
    if (this.#worker) return this.#worker;
    const worker = new Worker(path.join(__dirname, `apollo-worker${path.extname(__filename)}`), {
      workerData: this.#data,
      resourceLimits: { maxOldGenerationSizeMb: this.#limits.memoryMb },
      // The process's own settings and secrets are not for it.
      env: {},
      execArgv: [],
    });
    worker.on('message', (outcome: ApolloOutcome) => this.#settle(worker, outcome));
    worker.on('error', (error) => this.#lose(worker, error as Error));
    worker.on('exit', (code) => this.#lose(worker, new Error(`its thread ended with ${code}`)));
    this.#worker = worker;
    return worker;
  }

  #settle(worker: Worker, outcome: ApolloOutcome): void {
    const waiter = this.#waiters.get(outcome.id);
    if (!waiter) return;
    this.#waiters.delete(outcome.id);
    clearTimeout(waiter.timer);
    if ('error' in outcome) waiter.reject(new Error(outcome.error));
    else waiter.resolve(outcome.node);
    if (this.#waiters.size > 0) return;
    // It must not keep a process that has nothing else to do.
    worker.unref();
    this.#idle = setTimeout(() => this.#lose(worker, new Error('it was idle')), this.#limits.idleMs);
    this.#idle.unref();
  }

  #lose(worker: Worker, error: Error): void {
    if (this.#worker !== worker) return;
    this.#worker = undefined;
    clearTimeout(this.#idle);
    for (const { reject, timer } of this.#waiters.values()) {
      clearTimeout(timer);
      reject(error);
    }
    this.#waiters.clear();
    void worker.terminate();
  }
}
