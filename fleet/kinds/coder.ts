import { perAgent } from '../../sdk/factory/index.ts';
import type { Desk, Task } from '../task.ts';
import { atWork, CHECKS, COMMANDS, changeVersion, defineTrade, LIFE, modelConfig, PARTS } from '../trade.ts';

/** Writes a change until its tests and its reviewer are content, then has it deployed. */
export async function code(desk: Desk, drafts: Drafts, maxDrafts: number): Promise<string> {
  for (let draft = 1; draft <= maxDrafts; draft++) {
    await desk.think(3_000, 1_200);
    const lines = drafts.write(desk.chance());
    desk.log('draft written', { 'code.draft': draft, 'code.lines': lines });
    const tested = await desk.ask('tester', `${lines} lines for: ${desk.task.goal}`);
    if (tested !== 'passed') continue;
    const verdict = await desk.ask('reviewer', `${lines} lines for: ${desk.task.goal}`);
    if (verdict !== 'approved') continue;
    desk.count('lines_written_total', lines);
    return desk.chance() < 0.4 ? desk.ask('deployer', desk.task.goal) : `${lines} lines merged`;
  }
  return `given back after ${maxDrafts} drafts`;
}

/** What a coder has written since it started. */
export class Drafts {
  written = 0;

  /** @param chance in [0, 1) @returns how many lines the draft has */
  write(chance: number): number {
    this.written++;
    return 5 + Math.floor(chance * 200);
  }
}

export const coder = defineTrade({
  kind: 'coder',
  version: '3.0.1',
  description: 'Writes a change until its tests and its reviewer are content, then may have it deployed.',
  config: {
    type: 'object',
    properties: {
      ...modelConfig('claude-sonnet-4-5', 0.2),
      maxDrafts: {
        description: 'Drafts of one change before it is given back.',
        type: 'integer',
        minimum: 1,
        maximum: 10,
        default: 3,
      },
    },
  },
  capabilities: ['write-code', 'refactor'],
  dependsOn: ['tester', 'reviewer', 'deployer'],
  provide: { ...PARTS, drafts: perAgent(() => new Drafts()) },
  hooks: {
    ...LIFE,
    // What was written before is not this process's work any more.
    afterRestart: (deps, context) => {
      deps.drafts.written = 0;
      LIFE.afterRestart(deps, context);
    },
  },
  commands: { ...COMMANDS, drafts: (_, { drafts }) => ({ written: drafts.written }) },
  checks: CHECKS,
  upgrade: changeVersion,
  work: (task: Task, deps) => atWork(task, deps, (desk) => code(desk, deps.drafts, deps.config.maxDrafts)),
});
