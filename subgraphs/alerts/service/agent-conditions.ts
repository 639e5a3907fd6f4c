import type { HealthConditionInput, PresenceConditionInput } from '../entity/condition.ts';
import type { Houses, Instance, KnownAgent, Reading } from './sources.ts';

/** Not there because nobody asked it to be. */
const AT_REST = new Set(['REGISTERED', 'STOPPED', 'RETIRED']);

/** Agents with the presence; of those that are OFFLINE, only the ones that should be there. */
export async function readPresence(houses: Houses, { kinds, presence }: PresenceConditionInput): Promise<Reading> {
  const agents = await houses.agents({ presences: [presence], ...(kinds ? { kinds } : {}) });
  const astray =
    presence === 'OFFLINE'
      ? agents.filter((agent) => !AT_REST.has(agent.state) && !AT_REST.has(agent.desiredState))
      : agents;
  return {
    hasData: true,
    breaching: astray.map((agent) => ({ ...about(agent), summary: `${agent.name} is ${presence}.` })),
  };
}

/** Agents whose health is below the score. */
export async function readHealth(
  houses: Houses,
  { kinds, below }: HealthConditionInput,
  nowMs: number,
): Promise<Reading> {
  const agents = await houses.agents({ maxHealth: below - 1, ...(kinds ? { kinds } : {}) });
  const unwell = agents.filter((agent) => !AT_REST.has(agent.state));
  const time = new Date(nowMs).toISOString();
  return {
    hasData: true,
    breaching: unwell.map((agent) => ({
      ...about(agent),
      value: agent.health.score,
      threshold: below,
      samples: [{ time, value: agent.health.score }],
      summary: `The health of ${agent.name} is ${agent.health.score}, below ${below}.`,
    })),
  };
}

function about({ id, name, kind }: KnownAgent): Instance {
  return {
    key: { agent: id },
    labels: { agent: name, kind },
    agentId: id,
    value: null,
    threshold: null,
    samples: [],
    traceId: null,
    summary: '',
  };
}
