import { type ChildProcess, fork } from 'node:child_process';
import path from 'node:path';
import type { PlanNode } from '@graphql-hive/router-query-planner';
import { FleetError } from '../../lib/errors.ts';
import type { NativeOutcome, NativeRead, NativeSchema, NativeTask } from './native-task.ts';

/** Plans under way at once: the threads of a process. */
const LANES = 4;
/** How often it may be started anew within ten seconds: who keeps ending it is not to keep the machine busy. */
const STARTS = 20;
const STARTS_MS = 10_000;
/** For the first plan of a supergraph: the process may have to start, and reads the supergraph, milliseconds. */
const FIRST_MS = 15_000;
/** What of a process's last words is kept, characters. */
const MAX_WORDS = 1_000;
/** It holds supergraphs and plans under way, most of it outside of JavaScript. */
const ARGUMENTS = ['--max-semi-space-size=1', '--max-old-space-size=512', '--no-warnings'];

interface Waiter {
  readonly task: NativeTask;
  readonly schema: NativeSchema;
  readonly timeoutMs: number;
  /** It was given more time once, because the process was reading another supergraph. */
  isExtended: boolean;
  /** Until it is sent, and then until it is planned. */
  timer: NodeJS.Timeout;
  resolve(node: PlanNode | undefined): void;
  reject(error: Error): void;
}

/**
 * Hive's planner in a process of its own. It is native code: for some valid operations it panics, which ends its process,
 * or never comes to an end. Here that costs it a second planner, those under way with it a second attempt, and nobody else
 * anything.
 */
export class NativeProcess {
  readonly #queue: Waiter[] = [];
  /** Those under way when it ended: one of them ended it, so each is tried alone. */
  readonly #suspects: Waiter[] = [];
  /** Whether one of them is under way, alone. */
  #isTrying = false;
  readonly #sent = new Map<number, Waiter>();
  readonly #told = new Set<number>();
  /** Schemas it has answered for: from then on a late plan is the operation's own fault. */
  readonly #warm = new Set<number>();
  /** Schemas it is reading: meanwhile it plans nothing, and nobody is refused for that. */
  readonly #reading = new Set<number>();
  #child: ChildProcess | undefined;
  #words = '';
  #starts: number;
  #lastId = 0;

  constructor(starts = STARTS) {
    this.#starts = starts;
  }

  /** Starts it, if it does not run, and tells it a schema, so that the first operation need not wait for that. */
  learn(schema: NativeSchema): void {
    if (this.#starts > 0) this.#tell(this.#running(), schema);
  }

  /**
   * @param timeoutMs for the wait, and then for the planning
   * @throws OVERLOADED after too long a wait; QUERY_TOO_LARGE when planning takes too long, which is ended with its
   * process; Error when there is no plan: the operation has none, or the process ended, or has ended too often
   */
  plan(
    schema: NativeSchema,
    task: Omit<NativeTask, 'id' | 'schema'>,
    timeoutMs: number,
  ): Promise<PlanNode | undefined> {
    this.#lastId += 1;
    const whole: NativeTask = { ...task, id: this.#lastId, schema: schema.schema };
    return new Promise((resolve, reject) => {
      // Before its schema is read everybody waits, also those behind the first.
      const timer = setTimeout(() => this.#leave(waiter), this.#limitMs(schema, timeoutMs));
      const waiter: Waiter = { task: whole, schema, timeoutMs, isExtended: false, resolve, reject, timer };
      this.#queue.push(waiter);
      this.#next();
    });
  }

  #leave(waiter: Waiter): void {
    if (this.#isExtended(waiter, () => this.#leave(waiter))) return;
    this.#queue.splice(this.#queue.indexOf(waiter), 1);
    const told = { retryAfterMs: 1_000 };
    waiter.reject(new FleetError('OVERLOADED', 'too many new operations are being planned', told));
  }

  #isExtended(waiter: Waiter, then: () => void): boolean {
    if (waiter.isExtended || this.#reading.size === 0) return false;
    waiter.isExtended = true;
    waiter.timer = setTimeout(then, FIRST_MS);
    return true;
  }

  #next(): void {
    if (this.#starts <= 0) {
      for (const waiter of [...this.#suspects.splice(0), ...this.#queue.splice(0)]) {
        fail(waiter, 'the planning process has ended too often just now');
      }
    }
    const waiting = this.#suspects.length > 0 ? this.#suspects : this.#queue;
    this.#isTrying = waiting === this.#suspects || (this.#isTrying && this.#sent.size > 0);
    const lanes = this.#isTrying ? 1 : LANES;
    while (waiting.length > 0 && this.#sent.size < lanes) this.#send(waiting.shift() as Waiter);
    if (this.#sent.size > 0) this.#child?.channel?.ref();
    // It must not keep a process that has nothing else to do.
    else this.#child?.channel?.unref();
  }

  #send(waiter: Waiter): void {
    const { schema, task, timeoutMs } = waiter;
    const child = this.#running();
    this.#sent.set(task.id, waiter);
    clearTimeout(waiter.timer);
    waiter.isExtended = false;
    waiter.timer = setTimeout(() => this.#giveUp(child, waiter), this.#limitMs(schema, timeoutMs));
    this.#tell(child, schema);
    child.send(task);
  }

  #tell(child: ChildProcess, schema: NativeSchema): void {
    if (this.#told.has(schema.schema)) return;
    child.send(schema);
    this.#told.add(schema.schema);
    this.#reading.add(schema.schema);
  }

  #limitMs({ schema }: NativeSchema, timeoutMs: number): number {
    return this.#warm.has(schema) ? timeoutMs : Math.max(timeoutMs, FIRST_MS);
  }

  #giveUp(child: ChildProcess, waiter: Waiter): void {
    if (this.#isExtended(waiter, () => this.#giveUp(child, waiter))) return;
    this.#sent.delete(waiter.task.id);
    waiter.reject(new FleetError('QUERY_TOO_LARGE', 'this operation takes too long to plan: ask for less at once'));
    // The others had no part in it: they are sent again.
    for (const [id, other] of this.#sent) {
      this.#sent.delete(id);
      this.#queue.unshift(other);
    }
    child.kill('SIGKILL');
    this.#lose(child, 'a plan took too long');
  }

  #running(): ChildProcess {
    if (this.#child) return this.#child;
    const child = fork(path.join(__dirname, `native-child${path.extname(__filename)}`), [], {
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      // The process's own settings and secrets are not for it.
      env: {},
      execArgv: ARGUMENTS,
    });
    this.#child = child;
    this.#words = '';
    this.#told.clear();
    this.#warm.clear();
    this.#reading.clear();
    child.stderr?.on('data', (words: Buffer) => {
      if (this.#words.length < MAX_WORDS) this.#words = `${this.#words}${words}`.slice(0, MAX_WORDS);
    });
    child.on('message', (said: NativeOutcome | NativeRead) => {
      if ('read' in said) this.#reading.delete(said.read);
      else this.#settle(said);
    });
    child.on('error', ({ message }) => this.#lose(child, message));
    child.on('close', (code, signal) => this.#lose(child, `${signal ?? code} ${this.#words}`.trim()));
    child.unref();
    (child.stderr as { unref?(): void } | null)?.unref?.();
    child.channel?.unref();
    return child;
  }

  #settle(outcome: NativeOutcome): void {
    const waiter = this.#sent.get(outcome.id);
    if (!waiter) return;
    this.#sent.delete(outcome.id);
    if ('isForgotten' in outcome) {
      this.#told.delete(waiter.schema.schema);
      this.#queue.unshift(waiter);
      this.#next();
      return;
    }
    this.#warm.add(waiter.schema.schema);
    if ('error' in outcome) {
      fail(waiter, outcome.error);
    } else {
      clearTimeout(waiter.timer);
      waiter.resolve(outcome.node ?? undefined);
    }
    this.#next();
  }

  #lose(child: ChildProcess, reason: string): void {
    if (this.#child !== child) return;
    this.#child = undefined;
    this.#starts -= 1;
    setTimeout(() => {
      this.#starts += 1;
    }, STARTS_MS).unref();
    const [first, ...others] = this.#sent.values();
    this.#sent.clear();
    if (first && others.length === 0) fail(first, `the planning process ended: ${reason}`);
    else if (first) this.#suspects.push(first, ...others);
    for (const { timer } of this.#suspects) clearTimeout(timer);
    if (this.#starts > 0) this.#running();
    this.#next();
  }
}

function fail(waiter: Waiter, reason: string): void {
  clearTimeout(waiter.timer);
  waiter.reject(new Error(reason));
}
