import { HealthFactor } from './health-model.ts';

const STORY = 'events(first: 20) { nodes { occurredAt name detail } }';
const ERRORS = `logs(first: 20, filter: { minSeverity: ERROR, range: { last: "PT10M" } }) { nodes { time severity body traceId } }`;
const TRACES = (more: string) =>
  `traces(first: 20, filter: { ${more} range: { last: "PT10M" } }) { nodes { traceId durationMs errors } }`;

/** What shows each factor, as fields of an agent. */
const FIELDS: Record<HealthFactor, string> = {
  SILENCE: `presence lastSeenAt leaseExpiresAt ${STORY}`,
  LATENESS: 'presence lastSeenAt leaseExpiresAt',
  FAILURE: `state ${STORY} ${ERRORS}`,
  QUARANTINE: `state desiredState ${STORY}`,
  ERRORS: `${ERRORS} ${TRACES('errors: true')}`,
  LATENCY: TRACES('minDurationMs: 1000'),
  CHECKS: `health { penalties { reason evidence } } ${ERRORS}`,
  RESTARTS: `restarts ${STORY}`,
  QUEUE:
    'series(query: { metric: "tasks_total", range: { last: "PT30M" }, overTime: RATE }) { series { labels times values } }',
  CPU: 'series(query: { metric: "process_cpu_seconds_total", range: { last: "PT30M" }, overTime: RATE }) { series { times values } }',
  MEMORY:
    'series(query: { metric: "process_resident_memory_bytes", range: { last: "PT30M" } }) { series { times values } }',
  ANOMALY: `${TRACES('')} ${ERRORS}`,
  SPEND: 'usage(range: { last: "PT1H" }) { tasks cost byModel { model inputTokens outputTokens cost } }',
  DEPENDENCY: 'dependencies rootCause { id name state presence health { score penalties { reason points } } }',
};

/** A query, ready to be sent, that shows what a penalty is about. @param agentId the agent's global id */
export function evidenceQuery(factor: HealthFactor, agentId: string): string {
  return `{ agent(id: ${JSON.stringify(agentId)}) { name ${FIELDS[factor]} } }`;
}
