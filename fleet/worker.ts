import { type Agent, errorAttributes, type Span, type Surroundings } from '../sdk/index.ts';
import { AgentLost, type Bus, type Seat } from './bus.ts';
import type { Chance } from './chance.ts';
import { type Kind, ROSTER } from './roster.ts';
import type { Behaviour, Desk, Task } from './task.ts';

export type Ailment = 'errors' | 'slow';

/** How much longer a slow agent takes. */
const DRAG = 12;

/** An agent at work: takes one task after the other while it runs, and suffers what the faults do to it. */
export class Worker implements Seat {
  readonly name: string;
  readonly kind: Kind;
  #load = 0;
  #last: Promise<unknown> = Promise.resolve();
  #lost = new AbortController();
  ailment: Ailment | undefined;

  constructor(
    readonly agent: Agent,
    private readonly behaviour: Behaviour,
    private readonly bus: Bus,
    private readonly chance: Chance,
    private readonly surroundings: Surroundings,
  ) {
    this.name = agent.name;
    this.kind = agent.kind as Kind;
    agent.on('start', () => {
      this.ailment = undefined;
      this.#lost = new AbortController();
    });
    // The demo's programs are the same in every version: the task in hand is done before the new one says that it is there.
    agent.onUpgrade(async () => {
      await this.#last;
    });
    agent.check('tools', () =>
      this.ailment === 'errors' ? { ok: false, message: 'the model provider refuses' } : { ok: true },
    );
  }

  get isOpen(): boolean {
    return this.agent.state === 'RUNNING' && !this.agent.silent;
  }

  get load(): number {
    return this.#load;
  }

  /** Loses what it was doing, as a killed process would. */
  crash(): void {
    this.agent.silence();
    this.abandon();
  }

  /** Gives up its tasks at once. */
  abandon(): void {
    this.#lost.abort();
  }

  /** Does a task when those before it are done. @throws AgentLost when it crashes first */
  do(task: Task): Promise<string> {
    this.agent.queue(++this.#load);
    const turn = this.#last.then(() => this.#do(task));
    this.#last = turn.catch(() => undefined);
    return turn.finally(() => this.agent.queue(--this.#load));
  }

  async #do(task: Task): Promise<string> {
    if (this.#lost.signal.aborted) throw new AgentLost(`${this.name} is gone`);
    const { agent, kind, surroundings } = this;
    const startedMs = surroundings.nowMs();
    let outcome = 'failed';
    try {
      const attributes = { 'fleet.job.id': task.jobId, 'fleet.agent.name': this.name };
      const result = await agent.task(`${kind} task`, attributes, (span) => this.#work(task, span), {
        parent: task.traceparent,
      });
      outcome = 'done';
      return result;
    } finally {
      agent.counter('tasks_total', 1, { outcome });
      agent.histogram('task_duration_seconds', (surroundings.nowMs() - startedMs) / 1_000);
    }
  }

  async #work(task: Task, span: Span): Promise<string> {
    try {
      const result = await this.behaviour(this.#desk(task, span));
      this.agent.log.info('task done', { 'fleet.job.id': task.jobId, result });
      return result;
    } catch (error) {
      this.agent.log.error('task failed', {
        'fleet.job.id': task.jobId,
        ...errorAttributes(error),
      });
      throw error;
    }
  }

  #desk(task: Task, span: Span): Desk {
    const { agent, bus, chance } = this;
    return {
      task,
      span,
      chance: () => chance.next(),
      ask: (kind, goal) => bus.send(kind, { jobId: task.jobId, goal, traceparent: agent.traceparent }),
      think: (inputTokens, outputTokens) => this.#think(inputTokens, outputTokens),
      toil: (name, aboutMs) => agent.span(name, {}, () => this.#take(aboutMs / 2)),
      log: (body, attributes = {}) => agent.log.info(body, { 'fleet.job.id': task.jobId, ...attributes }),
      count: (metric, by) => agent.counter(metric, by),
    };
  }

  #think(aboutInput: number, aboutOutput: number): Promise<void> {
    const { agent, chance } = this;
    const { model } = ROSTER[this.kind];
    const asked = agent.config['model'];
    const chosen = typeof asked === 'string' ? asked : model;
    return agent.span(
      `chat ${chosen}`,
      {},
      async (span) => {
        await this.#take(25 + aboutOutput / 16);
        if (this.ailment === 'errors' && chance.happens(0.9))
          throw new Error('the model provider answered 529 overloaded');
        const inputTokens = Math.ceil(aboutInput * (0.7 + chance.next() * 0.6));
        const outputTokens = Math.ceil(aboutOutput * (0.5 + chance.next()));
        span.spend({ provider: providerOf(chosen), model: chosen, inputTokens, outputTokens });
        agent.counter('tokens_total', inputTokens, { model: chosen, type: 'input' });
        agent.counter('tokens_total', outputTokens, { model: chosen, type: 'output' });
      },
      { kind: 'client' },
    );
  }

  /** Passes about so many milliseconds, many more when slow. @throws AgentLost when it crashes meanwhile */
  async #take(aboutMs: number): Promise<void> {
    const drag = this.ailment === 'slow' ? DRAG : 1;
    await this.surroundings.sleep(aboutMs * drag * (0.6 + this.chance.next() * 0.8), this.#lost.signal);
    if (this.#lost.signal.aborted) throw new AgentLost(`${this.name} is gone`);
  }
}

function providerOf(model: string): string {
  if (model.startsWith('claude')) return 'anthropic';
  return model.startsWith('gemini') ? 'gcp.gemini' : 'openai';
}
