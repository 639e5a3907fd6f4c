import type { Desk } from '../task.ts';

/** Reads a change; the longer it is the likelier it wants another draft. */
export async function review(desk: Desk): Promise<string> {
  const lines = Number.parseInt(desk.task.goal, 10) || 1;
  await desk.think(800 + lines * 12, 180);
  const approved = desk.chance() > Math.min(0.5, lines / 500);
  desk.log(approved ? 'change approved' : 'changes requested', { 'review.lines': lines });
  desk.count(approved ? 'reviews_approved_total' : 'reviews_declined_total', 1);
  return approved ? 'approved' : 'changes requested';
}
