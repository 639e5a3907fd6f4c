import type { Desk } from '../task.ts';

/** Walks the rounds: has three of the others do a small thing and says how it went. */
export async function patrol(desk: Desk): Promise<string> {
  const answers: string[] = [];
  for (const kind of ['librarian', 'summarizer', 'tester'] as const) {
    answers.push(await desk.ask(kind, 'a round of the monitors'));
  }
  await desk.toil('compare', 5);
  desk.count('rounds_total', 1);
  desk.log('round made', { 'round.answers': answers.length });
  return `${answers.length} answered`;
}
