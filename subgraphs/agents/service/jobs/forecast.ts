import type { Job, JobRefusal } from '../../entity/job.ts';
import type { NamedAgent } from '../../store/list.ts';
import { refusalOf } from '../lifecycle.ts';
import { lifeActionOf } from './batch.ts';

/** What would come of a job, were it made now. */
export interface Forecast {
  /** Bare uuids of the first that would be asked. */
  agents: string[];
  refusals: JobRefusal[];
}

/** Agents that a forecast names. */
const NAMED = 100;

/** What a job's action would meet, agent by agent. */
export function forecastOf(agents: readonly NamedAgent[], job: Pick<Job, 'action'>): Forecast {
  const counts = new Map<string, number>();
  const asked: string[] = [];
  for (const agent of agents) {
    const refusal = refusalOf(agent, lifeActionOf(job));
    if (refusal) counts.set(`it ${refusal}`, (counts.get(`it ${refusal}`) ?? 0) + 1);
    else if (asked.length < NAMED) asked.push(agent.uuid);
  }
  const refusals = [...counts].map(([reason, count]) => ({ reason, count })).sort((a, b) => b.count - a.count);
  return { agents: asked, refusals };
}
