import type { BuiltAgent } from '../sdk/factory/index.ts';
import type { Agent, Surroundings } from '../sdk/index.ts';
import type { Seat } from './bus.ts';
import type { Ailment, Condition } from './condition.ts';
import type { KindName } from './roster.ts';
import type { Task } from './task.ts';

/** An agent at work: takes one task after the other while it runs, and suffers what the faults do to it. */
export class Worker implements Seat {
  readonly agent: Agent;
  readonly kind: KindName;
  readonly #condition: Condition;
  #load = 0;
  #last: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly built: BuiltAgent<Task, string>,
    private readonly surroundings: Surroundings,
  ) {
    this.agent = built.agent;
    this.kind = built.kind.kind as KindName;
    this.#condition = built.part('condition') as Condition;
  }

  get name(): string {
    return this.agent.name;
  }

  get isOpen(): boolean {
    return this.agent.state === 'RUNNING' && !this.agent.silent;
  }

  get load(): number {
    return this.#load;
  }

  get ailment(): Ailment | undefined {
    return this.#condition.ailment;
  }

  set ailment(ailment: Ailment | undefined) {
    this.#condition.ailment = ailment;
  }

  /** Loses what it was doing, as a killed process would. */
  crash(): void {
    this.agent.silence();
    this.abandon();
  }

  /** Gives up its tasks at once. */
  abandon(): void {
    this.#condition.abandon();
  }

  /** Does a task when those before it are done. @throws AgentLost when it crashes first */
  do(task: Task): Promise<string> {
    this.agent.queue(++this.#load);
    const turn = this.#last.then(() => this.#do(task));
    this.#last = turn.catch(() => undefined);
    return turn.finally(() => this.agent.queue(--this.#load));
  }

  async #do(task: Task): Promise<string> {
    this.#condition.assertThere();
    const { agent, surroundings } = this;
    const startedMs = surroundings.nowMs();
    const attributes = { 'fleet.job.id': task.jobId, 'fleet.agent.name': this.name };
    let outcome = 'failed';
    try {
      const result = await this.built.do(task, { attributes, traceparent: task.traceparent });
      outcome = 'done';
      return result;
    } finally {
      agent.counter('tasks_total', 1, { outcome });
      agent.histogram('task_duration_seconds', (surroundings.nowMs() - startedMs) / 1_000);
    }
  }
}
