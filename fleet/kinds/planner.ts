import type { Desk } from '../task.ts';

/** Takes a goal apart, has it looked into, made and told: the root of most traces. */
export async function plan(desk: Desk): Promise<string> {
  const { goal } = desk.task;
  await desk.think(900, 300);
  const steps = 2 + Math.floor(desk.chance() * 3);
  desk.log('plan made', { 'plan.steps': steps, 'plan.goal': goal });
  const findings = await desk.ask('researcher', `what is known about: ${goal}`);
  const change = desk.chance() < 0.7 ? await desk.ask('coder', goal) : 'nothing to change';
  const summary = await desk.ask('summarizer', `${findings}; ${change}`);
  desk.count('plans_total', 1);
  return summary;
}
