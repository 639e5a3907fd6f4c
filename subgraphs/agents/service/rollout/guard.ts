import { RolloutPhase } from '../../entity/rollout-enums.ts';
import { type Member, type Sights, TOUCHED } from './members.ts';
import type { Plan } from './plan.ts';

/** A program that was started anew so often since it has the new version will not come up. */
const CRASH_LOOP = 3;

/**
 * What no statistics are needed for: agents that do not come up, and agents that come up again and again. One lost agent is bad
 * luck, unless it is the only one.
 * @returns why the rollout must be taken back
 */
export function guardOf(plan: Plan, members: readonly Member[], sights: Sights): string | undefined {
  const touched = members.filter(({ phase }) => TOUCHED.includes(phase));
  if (!touched.length) return undefined;
  const looping = touched.filter(({ agent }) => (sights.get(agent)?.restarts ?? 0) >= CRASH_LOOP);
  if (looping.length) return `${looping.length} agents restart again and again: ${CRASH_LOOP} times since they have it`;
  const lost = touched.filter(({ phase }) => phase === RolloutPhase.LOST).length;
  const isMany = lost >= 2 && lost > Math.min(plan.maxUnavailable, touched.length / 10);
  if (isMany || (lost && lost === touched.length)) {
    return `${lost} of ${touched.length} agents with it did not come up, failed, or are not heard`;
  }
  return undefined;
}
