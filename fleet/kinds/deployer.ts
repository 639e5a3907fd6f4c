import type { Desk } from '../task.ts';

const STAGES = ['build image', 'canary', 'roll out'] as const;

/** Takes a change out in stages; a canary that looks bad is rolled back. */
export async function deploy(desk: Desk): Promise<string> {
  for (const stage of STAGES) {
    await desk.toil(stage, 60);
    if (stage !== 'canary' || desk.chance() > 0.08) continue;
    await desk.toil('roll back', 40);
    desk.log('rolled back', { 'deploy.stage': stage });
    desk.count('rollbacks_total', 1);
    return 'rolled back';
  }
  desk.log('deployed', { 'deploy.stages': STAGES.length });
  desk.count('deployments_total', 1);
  return 'deployed';
}
