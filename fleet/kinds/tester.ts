import type { Desk } from '../task.ts';

/** Runs the tests, which are no model's work, and asks one only to read a failure. */
export async function test(desk: Desk): Promise<string> {
  const cases = 20 + Math.floor(desk.chance() * 180);
  await desk.toil('run tests', cases);
  const broken = desk.chance() < 0.15 ? 1 + Math.floor(desk.chance() * 4) : 0;
  desk.span.set({ 'test.cases': cases, 'test.failures': broken });
  desk.count('tests_run_total', cases);
  if (!broken) return 'passed';
  await desk.think(1_200, 90);
  desk.log('tests failed', { 'test.failures': broken });
  return `${broken} failed`;
}
