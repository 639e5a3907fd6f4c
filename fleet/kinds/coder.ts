import type { Desk } from '../task.ts';

const MAX_DRAFTS = 3;

/** Writes a change until its tests and its reviewer are content, then has it deployed. */
export async function code(desk: Desk): Promise<string> {
  for (let draft = 1; draft <= MAX_DRAFTS; draft++) {
    await desk.think(3_000, 1_200);
    const lines = 5 + Math.floor(desk.chance() * 200);
    desk.log('draft written', { 'code.draft': draft, 'code.lines': lines });
    const tested = await desk.ask('tester', `${lines} lines for: ${desk.task.goal}`);
    if (tested !== 'passed') continue;
    const verdict = await desk.ask('reviewer', `${lines} lines for: ${desk.task.goal}`);
    if (verdict !== 'approved') continue;
    desk.count('lines_written_total', lines);
    return desk.chance() < 0.4 ? desk.ask('deployer', desk.task.goal) : `${lines} lines merged`;
  }
  return `given back after ${MAX_DRAFTS} drafts`;
}
