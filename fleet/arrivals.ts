import type { Surroundings } from '../sdk/index.ts';
import type { Bus } from './bus.ts';
import type { Chance } from './chance.ts';
import type { KindName } from './roster.ts';

const VERBS = ['add', 'fix', 'speed up', 'document', 'remove', 'translate', 'migrate'] as const;
const THINGS = [
  'the sign-in page',
  'invoice export',
  'the search index',
  'e-mail digests',
  'rate limits',
  'the price list',
  'unit tests',
] as const;
const BETWEEN_MS = [100, 260] as const;
const PATROL_SHARE = 0.15;

/** People's wishes: about five and a half jobs a second, most for planners, some for monitors. */
export async function arrivals(
  bus: Bus,
  chance: Chance,
  surroundings: Surroundings,
  signal: AbortSignal,
): Promise<void> {
  const run = Math.floor(surroundings.nowMs()).toString(36);
  for (let number = 1; !signal.aborted; number++) {
    const kind: KindName = chance.happens(PATROL_SHARE) ? 'monitor' : 'planner';
    const goal = kind === 'monitor' ? 'make the rounds' : `${chance.pick(VERBS)} ${chance.pick(THINGS)}`;
    // A job that fails is told by the agents it failed at: in their logs, spans and statistics.
    bus.send(kind, { jobId: `job-${run}-${number}`, goal }).catch(() => undefined);
    await surroundings.sleep(chance.between(...BETWEEN_MS), signal);
  }
}
