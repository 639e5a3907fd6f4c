import { perAgent } from '../../sdk/factory/index.ts';
import type { Desk, Task } from '../task.ts';
import { atWork, CHECKS, COMMANDS, changeVersion, defineTrade, LIFE, modelConfig, PARTS } from '../trade.ts';

/** What a reviewer has decided. */
export interface Verdicts {
  approved: number;
  declined: number;
}

/** Reads a change; the longer it is the likelier it wants another draft. */
export async function review(desk: Desk, verdicts: Verdicts, strictness: number): Promise<string> {
  const lines = Number.parseInt(desk.task.goal, 10) || 1;
  await desk.think(800 + lines * 12, 180);
  const approved = desk.chance() > Math.min(strictness, lines / 500);
  verdicts[approved ? 'approved' : 'declined']++;
  desk.log(approved ? 'change approved' : 'changes requested', { 'review.lines': lines });
  desk.count(approved ? 'reviews_approved_total' : 'reviews_declined_total', 1);
  return approved ? 'approved' : 'changes requested';
}

export const reviewer = defineTrade({
  kind: 'reviewer',
  version: '1.4.0',
  description: 'Reads a change and decides; the longer it is, the likelier another draft is wanted.',
  config: {
    type: 'object',
    properties: {
      ...modelConfig('claude-sonnet-4-5', 0.2),
      strictness: {
        description: 'The largest share of changes that is declined; long ones come near it.',
        type: 'number',
        minimum: 0,
        maximum: 1,
        default: 0.5,
      },
    },
  },
  capabilities: ['review'],
  provide: { ...PARTS, verdicts: perAgent((): Verdicts => ({ approved: 0, declined: 0 })) },
  hooks: {
    ...LIFE,
    // Other models judge otherwise: what was decided by the one before is told and counted no longer.
    afterMigrate: (deps, context) => {
      deps.agent.event('verdicts', { ...deps.verdicts });
      Object.assign(deps.verdicts, { approved: 0, declined: 0 });
      LIFE.afterMigrate(deps, context);
    },
  },
  commands: { ...COMMANDS, verdicts: (_, { verdicts }) => ({ ...verdicts }) },
  checks: CHECKS,
  upgrade: changeVersion,
  work: (task: Task, deps) => atWork(task, deps, (desk) => review(desk, deps.verdicts, deps.config.strictness)),
});
