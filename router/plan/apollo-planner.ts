import path from 'node:path';
import { Worker } from 'node:worker_threads';
import type { PlanNode } from '@graphql-hive/router-query-planner';
import { FleetError } from '../../lib/errors.ts';
import type { ApolloOutcome, ApolloTask, ApolloThreadData } from './apollo-task.ts';
import type { Overrides, PlannerMaker } from './planner.ts';

export interface ApolloLimits {
  /** How long one may wait for those before it, and how long its plan may then take, milliseconds. */
  timeoutMs: number;
  /** What the thread may take, megabytes. */
  memoryMb: number;
  /** Operations that may wait at once. */
  waiting: number;
  /** How long the thread stays with nothing to do, milliseconds. */
  idleMs: number;
}

export const APOLLO_LIMITS: ApolloLimits = { timeoutMs: 10_000, memoryMb: 512, waiting: 50, idleMs: 60_000 };
/** For the first plan of a thread: it has to start, and reads the supergraph, milliseconds. */
const FIRST_MS = 60_000;

/**
 * Apollo's planner, for operations the native one cannot plan: in a thread of its own, because a plan of its can take
 * half a second. The thread is there from the first operation until there have been none for a while. What takes too long
 * is refused with QUERY_TOO_LARGE, what would wait too long with OVERLOADED.
 */
export function apolloPlanner({ labels = new Set() }: Overrides = {}, limits = APOLLO_LIMITS): PlannerMaker {
  return (supergraphSdl) => {
    const thread = new ApolloThread({ supergraphSdl, labels: [...labels] }, limits);
    return {
      isSlow: true,
      plan: (document, operationName, draw = 0) => thread.plan({ document, operationName, draw }),
    };
  };
}

interface Waiter {
  readonly task: ApolloTask;
  /** Until it is sent, and then until it is planned. */
  timer: NodeJS.Timeout;
  resolve(node: PlanNode | undefined): void;
  reject(error: Error): void;
}

class ApolloThread {
  readonly #queue: Waiter[] = [];
  readonly #data: ApolloThreadData;
  readonly #limits: ApolloLimits;
  #sent: Waiter | undefined;
  #worker: Worker | undefined;
  /** Whether the thread has answered: from then on a late plan is the operation's own fault. */
  #isWarm = false;
  #idle: NodeJS.Timeout | undefined;
  #lastId = 0;

  constructor(data: ApolloThreadData, limits: ApolloLimits) {
    this.#data = data;
    this.#limits = limits;
  }

  plan(task: Omit<ApolloTask, 'id'>): Promise<PlanNode | undefined> {
    const { timeoutMs, waiting } = this.#limits;
    if (this.#queue.length + (this.#sent ? 1 : 0) >= waiting) return Promise.reject(overloaded());
    this.#lastId += 1;
    const whole: ApolloTask = { ...task, id: this.#lastId };
    return new Promise((resolve, reject) => {
      const queue = this.#queue;
      const waiter: Waiter = { task: whole, resolve, reject, timer: setTimeout(leave, timeoutMs) };
      function leave(): void {
        queue.splice(queue.indexOf(waiter), 1);
        reject(overloaded());
      }
      queue.push(waiter);
      this.#next();
    });
  }

  #next(): void {
    if (this.#sent) return;
    const waiter = this.#queue.shift();
    if (!waiter) {
      this.#rest();
      return;
    }
    const worker = this.#thread();
    const { timeoutMs } = this.#limits;
    this.#sent = waiter;
    clearTimeout(waiter.timer);
    waiter.timer = setTimeout(
      () => this.#lose(worker, new FleetError('QUERY_TOO_LARGE', TOO_LONG)),
      this.#isWarm ? timeoutMs : Math.max(timeoutMs, FIRST_MS),
    );
    worker.ref();
    worker.postMessage(waiter.task);
  }

  /** It must not keep a process that has nothing else to do. */
  #rest(): void {
    const worker = this.#worker;
    if (!worker) return;
    worker.unref();
    clearTimeout(this.#idle);
    this.#idle = setTimeout(() => this.#lose(worker, new Error('it was idle')), this.#limits.idleMs);
    this.#idle.unref();
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
    this.#isWarm = false;
    return worker;
  }

  #settle(worker: Worker, outcome: ApolloOutcome): void {
    const waiter = this.#sent;
    if (this.#worker !== worker || waiter?.task.id !== outcome.id) return;
    this.#sent = undefined;
    this.#isWarm = true;
    clearTimeout(waiter.timer);
    if ('error' in outcome) waiter.reject(new Error(outcome.error));
    else waiter.resolve(outcome.node);
    this.#next();
  }

  /** The one it was at is told why; a plan that cannot be stopped is stopped with its thread, and the others get a new one. */
  #lose(worker: Worker, error: Error): void {
    if (this.#worker !== worker) return;
    this.#worker = undefined;
    clearTimeout(this.#idle);
    const waiter = this.#sent;
    this.#sent = undefined;
    clearTimeout(waiter?.timer);
    waiter?.reject(error);
    void worker.terminate();
    this.#next();
  }
}

const TOO_LONG = 'this operation takes too long to plan: ask for less at once';

function overloaded(): FleetError {
  return new FleetError('OVERLOADED', 'too many new operations are being planned', { retryAfterMs: 1_000 });
}
