import type { Desk, Task } from '../task.ts';
import { atWork, CHECKS, COMMANDS, changeVersion, defineTrade, LIFE, modelConfig, PARTS } from '../trade.ts';

/** Says in one line what was done. */
export async function summarize(desk: Desk, maxLength: number): Promise<string> {
  const { goal } = desk.task;
  await desk.think(400 + goal.length * 4, 60);
  const line = goal.length > maxLength ? `${goal.slice(0, maxLength - 3)}…` : goal;
  desk.span.set({ 'summary.length': line.length });
  return `done: ${line}`;
}

export const summarizer = defineTrade({
  kind: 'summarizer',
  version: '1.6.0',
  description: 'Says in one line what was done.',
  config: {
    type: 'object',
    properties: {
      ...modelConfig('claude-haiku-4-5', 0.2),
      maxLength: {
        description: 'Characters of a summary, in steps of ten.',
        type: 'integer',
        minimum: 10,
        maximum: 1_000,
        default: 80,
      },
    },
  },
  capabilities: ['summarize'],
  provide: PARTS,
  hooks: {
    ...LIFE,
    beforeConfig: (deps, context) => {
      const { maxLength } = context.config as { maxLength?: number };
      if (maxLength !== undefined && maxLength % 10) throw new Error('maxLength goes in steps of ten');
      LIFE.beforeConfig(deps, context);
    },
  },
  commands: COMMANDS,
  checks: CHECKS,
  upgrade: changeVersion,
  work: (task: Task, deps) => atWork(task, deps, (desk) => summarize(desk, deps.config.maxLength)),
});
