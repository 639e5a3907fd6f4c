import { perAgent } from '../../sdk/factory/index.ts';
import type { Desk, Task } from '../task.ts';
import { atWork, CHECKS, COMMANDS, changeVersion, defineTrade, LIFE, modelConfig, PARTS } from '../trade.ts';

/** Takes a goal apart, has it looked into, made and told: the root of most traces. */
export async function plan(desk: Desk, open: Set<string>, maxSteps: number): Promise<string> {
  const { goal, jobId } = desk.task;
  open.add(jobId);
  try {
    await desk.think(900, 300);
    const steps = 2 + Math.floor(desk.chance() * (maxSteps - 1));
    desk.log('plan made', { 'plan.steps': steps, 'plan.goal': goal });
    const findings = await desk.ask('researcher', `what is known about: ${goal}`);
    const change = desk.chance() < 0.7 ? await desk.ask('coder', goal) : 'nothing to change';
    const summary = await desk.ask('summarizer', `${findings}; ${change}`);
    desk.count('plans_total', 1);
    return summary;
  } finally {
    open.delete(jobId);
  }
}

export const planner = defineTrade({
  kind: 'planner',
  version: '2.3.0',
  description: 'Takes a goal apart, has it looked into, made and told; where most traces begin.',
  config: {
    type: 'object',
    properties: {
      ...modelConfig('gpt-5', 0.2),
      maxSteps: {
        description: 'The most steps of one plan.',
        type: 'integer',
        minimum: 2,
        maximum: 20,
        default: 4,
      },
    },
  },
  capabilities: ['plan', 'delegate'],
  dependsOn: ['researcher', 'coder', 'summarizer'],
  provide: { ...PARTS, openPlans: perAgent(() => new Set<string>()) },
  hooks: {
    ...LIFE,
    beforeStop: (deps, context) => {
      if (deps.openPlans.size) deps.agent.tell('warn', 'stops with open plans', { 'plan.open': deps.openPlans.size });
      LIFE.beforeStop(deps, context);
    },
  },
  commands: { ...COMMANDS, plans: (_, { openPlans }) => ({ open: [...openPlans] }) },
  checks: CHECKS,
  upgrade: changeVersion,
  work: (task: Task, deps) => atWork(task, deps, (desk) => plan(desk, deps.openPlans, deps.config.maxSteps)),
});
