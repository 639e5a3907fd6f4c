import type { Span } from '../sdk/index.ts';
import type { KindName } from './roster.ts';

/** A piece of work as it goes from agent to agent. */
export interface Task {
  /** Of the whole job, for people who read logs. */
  jobId: string;
  goal: string;
  /** The trace it belongs to; absent where a job begins. */
  traceparent?: string | undefined;
}

/** What an agent's behaviour has at hand while it does a task. */
export interface Desk {
  readonly task: Task;
  readonly span: Span;
  /** A number in [0, 1) from the demo's seed. */
  chance(): number;
  /** Gives a part of the work to an agent of that kind and waits for its result; a second agent tries when the first is lost. */
  ask(kind: KindName, goal: string): Promise<string>;
  /** Asks the agent's model: takes time, spends tokens. @param inputTokens, outputTokens about how many */
  think(inputTokens: number, outputTokens: number): Promise<void>;
  /** Work without a model, about so many milliseconds, as a span of its own. */
  toil(name: string, aboutMs: number): Promise<void>;
  log(body: string, attributes?: Record<string, string | number | boolean>): void;
  count(metric: string, by: number): void;
}
