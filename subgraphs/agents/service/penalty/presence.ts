import { AgentPresence } from '../../../../lib/graphql/agent-presence.ts';
import { AgentState } from '../../entity/enums.ts';
import { HealthFactor } from '../../entity/health-model.ts';
import type { HealthFacts, Penalty } from './penalty.ts';
import type { Weights } from './weights.ts';

const AT_REST: readonly AgentState[] = [AgentState.STOPPED, AgentState.RETIRED];

/** Silence of an agent that was neither asked to be silent nor said farewell. */
export function presence({ presence: is, state, desired, suspicion }: HealthFacts, weights: Weights): Penalty[] {
  if (is === AgentPresence.ONLINE || AT_REST.includes(desired) || state === AgentState.STOPPED) return [];
  const isLate = is === AgentPresence.SUSPECT;
  const factor = isLate ? HealthFactor.LATENESS : HealthFactor.SILENCE;
  const late = suspicion?.closed ? 'its connection closed' : 'a beat is missing';
  const evidence = [`presence ${is}`, ...(suspicion ? [suspicion.evidence] : [])].join(': ');
  return [{ factor, reason: isLate ? late : 'its lease has ended', points: weights[factor].points, evidence }];
}
