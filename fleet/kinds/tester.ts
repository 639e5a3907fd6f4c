import { perTask } from '../../sdk/factory/index.ts';
import type { Desk, Task } from '../task.ts';
import { atWork, CHECKS, COMMANDS, changeVersion, defineTrade, LIFE, modelConfig, PARTS } from '../trade.ts';

/** Where one run of the tests takes place; nothing of it is left for the next. */
export interface Sandbox {
  cases: number;
}

/** Runs the tests, which are no model's work, and asks one only to read a failure. */
export async function test(desk: Desk, sandbox: Sandbox, failureShare: number): Promise<string> {
  sandbox.cases = 20 + Math.floor(desk.chance() * 180);
  await desk.toil('run tests', sandbox.cases);
  const broken = desk.chance() < failureShare ? 1 + Math.floor(desk.chance() * 4) : 0;
  desk.span.set({ 'test.cases': sandbox.cases, 'test.failures': broken });
  desk.count('tests_run_total', sandbox.cases);
  if (!broken) return 'passed';
  await desk.think(1_200, 90);
  desk.log('tests failed', { 'test.failures': broken });
  return `${broken} failed`;
}

export const tester = defineTrade({
  kind: 'tester',
  version: '2.0.0',
  description: 'Runs the tests, and asks a model only to read a failure.',
  config: {
    type: 'object',
    properties: {
      ...modelConfig('claude-haiku-4-5', 0.2),
      failureShare: {
        description: 'Share of the runs in which tests fail.',
        type: 'number',
        minimum: 0,
        maximum: 1,
        default: 0.15,
      },
    },
  },
  capabilities: ['run-tests'],
  provide: {
    ...PARTS,
    sandbox: perTask(
      (): Sandbox => ({ cases: 0 }),
      (sandbox) => {
        sandbox.cases = 0;
      },
    ),
  },
  hooks: {
    ...LIFE,
    afterStart: {
      // The first run warms the runner up; that it takes long is no failure.
      onFailure: 'ignore',
      run: async (deps, context) => {
        await deps.condition.take(10);
        LIFE.afterStart(deps, context);
      },
    },
  },
  commands: COMMANDS,
  checks: CHECKS,
  upgrade: changeVersion,
  work: (task: Task, deps) => atWork(task, deps, (desk) => test(desk, deps.sandbox, deps.config.failureShare)),
});
