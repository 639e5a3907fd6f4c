import { perAgent } from '../../sdk/factory/index.ts';
import type { Desk, Task } from '../task.ts';
import { atWork, CHECKS, COMMANDS, changeVersion, defineTrade, LIFE, modelConfig, PARTS } from '../trade.ts';

const STAGES = ['build image', 'canary', 'roll out'] as const;

/** Takes a change out in stages; a canary that looks bad is rolled back. */
export async function deploy(desk: Desk, canaryFailureShare: number): Promise<string> {
  for (const stage of STAGES) {
    await desk.toil(stage, 60);
    if (stage !== 'canary' || desk.chance() > canaryFailureShare) continue;
    await desk.toil('roll back', 40);
    desk.log('rolled back', { 'deploy.stage': stage });
    desk.count('rollbacks_total', 1);
    return 'rolled back';
  }
  desk.log('deployed', { 'deploy.stages': STAGES.length });
  desk.count('deployments_total', 1);
  return 'deployed';
}

/** The deployment in hand: it is not left half done. */
export class Rollout {
  #running: Promise<unknown> = Promise.resolve();

  run(work: () => Promise<string>): Promise<string> {
    const running = work();
    this.#running = running.catch(() => undefined);
    return running;
  }

  async settled(): Promise<void> {
    await this.#running;
  }
}

export const deployer = defineTrade({
  kind: 'deployer',
  version: '1.2.5',
  description: 'Takes a change out in stages; a canary that looks bad is rolled back.',
  config: {
    type: 'object',
    properties: {
      ...modelConfig('gpt-5-mini', 0.2),
      canaryFailureShare: {
        description: 'Share of the deployments whose canary looks bad.',
        type: 'number',
        minimum: 0,
        maximum: 1,
        default: 0.08,
      },
    },
  },
  capabilities: ['deploy', 'roll-back'],
  provide: { ...PARTS, rollout: perAgent(() => new Rollout()) },
  hooks: {
    ...LIFE,
    beforePause: {
      timeoutMs: 5_000,
      // A pause that somebody asks for is not refused by a slow canary.
      onFailure: 'ignore',
      run: async (deps, context) => {
        await deps.rollout.settled();
        LIFE.beforePause(deps, context);
      },
    },
  },
  commands: COMMANDS,
  checks: CHECKS,
  upgrade: changeVersion,
  work: (task: Task, deps) =>
    atWork(task, deps, (desk) => deps.rollout.run(() => deploy(desk, deps.config.canaryFailureShare))),
});
