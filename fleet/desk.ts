import type { Agent, Span } from '../sdk/index.ts';
import type { Bus } from './bus.ts';
import type { Condition } from './condition.ts';
import type { Desk, Task } from './task.ts';

/** What a desk is made of. */
export interface DeskNeeds {
  task: Task;
  span: Span;
  agent: Agent;
  config: { model: string };
  bus: Bus;
  condition: Condition;
}

/** What an agent has at hand for one task. */
export function deskFor({ task, span, agent, config, bus, condition }: DeskNeeds): Desk {
  return {
    task,
    span,
    chance: () => condition.chance(),
    ask: (kind, goal) => bus.send(kind, { jobId: task.jobId, goal, traceparent: agent.traceparent }),
    think: (inputTokens, outputTokens) => think(agent, condition, config.model, inputTokens, outputTokens),
    toil: (name, aboutMs) => agent.span(name, {}, () => condition.take(aboutMs / 2)),
    log: (body, attributes = {}) => agent.log.info(body, { 'fleet.job.id': task.jobId, ...attributes }),
    count: (metric, by) => agent.counter(metric, by),
  };
}

/** Asks a model: takes time, spends tokens. */
function think(
  agent: Agent,
  condition: Condition,
  model: string,
  aboutInput: number,
  aboutOutput: number,
): Promise<void> {
  return agent.span(
    `chat ${model}`,
    {},
    async (span) => {
      await condition.take(25 + aboutOutput / 16);
      if (condition.isRefused()) throw new Error('the model provider answered 529 overloaded');
      const inputTokens = Math.ceil(aboutInput * (0.7 + condition.chance() * 0.6));
      const outputTokens = Math.ceil(aboutOutput * (0.5 + condition.chance()));
      span.spend({ provider: providerOf(model), model, inputTokens, outputTokens });
      agent.counter('tokens_total', inputTokens, { model, type: 'input' });
      agent.counter('tokens_total', outputTokens, { model, type: 'output' });
    },
    { kind: 'client' },
  );
}

function providerOf(model: string): string {
  if (model.startsWith('claude')) return 'anthropic';
  return model.startsWith('gemini') ? 'gcp.gemini' : 'openai';
}
