import type { Desk } from '../task.ts';

/** Says in one line what was done. */
export async function summarize(desk: Desk): Promise<string> {
  const { goal } = desk.task;
  await desk.think(400 + goal.length * 4, 60);
  const line = goal.length > 80 ? `${goal.slice(0, 77)}…` : goal;
  desk.span.set({ 'summary.length': line.length });
  return `done: ${line}`;
}
