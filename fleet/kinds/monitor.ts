import { perAgent } from '../../sdk/factory/index.ts';
import type { Desk, Task } from '../task.ts';
import { atWork, CHECKS, COMMANDS, changeVersion, defineTrade, LIFE, modelConfig, PARTS } from '../trade.ts';

/** How a monitor's last round went. */
export interface LastRound {
  failed: boolean;
}

/** Walks the rounds: has three of the others do a small thing and says how it went. */
export async function patrol(desk: Desk, last: LastRound): Promise<string> {
  const answers: string[] = [];
  last.failed = true;
  for (const kind of ['librarian', 'summarizer', 'tester'] as const) {
    answers.push(await desk.ask(kind, 'a round of the monitors'));
  }
  last.failed = false;
  await desk.toil('compare', 5);
  desk.count('rounds_total', 1);
  desk.log('round made', { 'round.answers': answers.length });
  return `${answers.length} answered`;
}

export const monitor = defineTrade({
  kind: 'monitor',
  version: '1.0.3',
  description: 'Walks the rounds: has three of the others do a small thing, and tells how it went.',
  config: { type: 'object', properties: modelConfig('gpt-5-mini', 0.2) },
  capabilities: ['patrol'],
  dependsOn: ['librarian', 'summarizer', 'tester'],
  provide: { ...PARTS, lastRound: perAgent((): LastRound => ({ failed: false })) },
  hooks: {
    ...LIFE,
    // What went wrong before it rested says nothing of now.
    afterResume: (deps, context) => {
      deps.lastRound.failed = false;
      LIFE.afterResume(deps, context);
    },
  },
  commands: { ...COMMANDS, round: (_, { lastRound }) => ({ failed: lastRound.failed }) },
  checks: CHECKS,
  upgrade: changeVersion,
  work: (task: Task, deps) => atWork(task, deps, (desk) => patrol(desk, deps.lastRound)),
});
