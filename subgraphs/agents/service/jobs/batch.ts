import type { Clock } from '../../../../lib/clock.ts';
import { asFleetError } from '../../../../lib/errors.ts';
import { nodeId } from '../../../../lib/node-id.ts';
import type { EventDraft } from '../../../../lib/write/rows.ts';
import type { SystemEntry } from '../../../../lib/write/writes.ts';
import { type Agent, snapshotOf } from '../../entity/agent.ts';
import type { AgentEvent } from '../../entity/agent-event.ts';
import { type Job, type JobTarget, JobTargetState } from '../../entity/job.ts';
import type { Settled } from '../../store/jobs.ts';
import type { CommandDraft } from '../../store/mail.ts';
import { ask } from '../asking.ts';
import type { LifeAction } from '../lifecycle.ts';
import { agentEvent, audited } from '../record.ts';

/** What a batch of a job comes to, before it is written. */
export interface Batch {
  settled: Settled[];
  /** Agents that were asked, as they are now, each with the command that tells it. */
  asked: { agent: Agent; draft: CommandDraft }[];
  stories: AgentEvent[];
  entries: SystemEntry[];
  events: EventDraft[];
}

export const lifeActionOf = ({ action }: Pick<Job, 'action'>): LifeAction => action.toLowerCase() as LifeAction;

/**
 * Asks the agents of a batch, whose rows are locked, what their job asks: each is asked or refuses, with its reason.
 * @param agents by bare uuid
 */
export function batchOf(
  job: Job,
  targets: readonly JobTarget[],
  agents: ReadonlyMap<string, Agent>,
  clock: Clock,
): Batch {
  const batch: Batch = { settled: [], asked: [], stories: [], entries: [], events: [] };
  for (const target of targets) {
    const agent = agents.get(target.agentUuid);
    if (agent && !agent.deregisteredAt) askOne(batch, job, target, agent, clock);
    else refuse(batch, job, target, 'it was deregistered before its turn');
  }
  return batch;
}

function askOne(batch: Batch, job: Job, target: JobTarget, agent: Agent, clock: Clock): void {
  const previous = snapshotOf(agent);
  const before = audited(agent);
  const now = new Date(clock.nowMs());
  try {
    const letter = ask(agent, lifeActionOf(job), job.reason, now);
    const id = clock.uuid();
    agent.changedBy = id;
    const draft = { ...letter, uuid: clock.uuid(), issuedAt: now, issuedBy: job.createdBy, expiresAt: null };
    batch.asked.push({ agent, draft });
    batch.settled.push({ number: target.number, state: JobTargetState.DONE, reason: null });
    batch.events.push(agentEvent(agent, previous));
    batch.entries.push({ ...entryOf(job, target), id, before, after: audited(agent) });
    batch.stories.push({
      id: clock.uuid(),
      agentUuid: agent.uuid,
      occurredAt: now,
      name: `${lifeActionOf(job)}Agent`,
      detail: { ...letter.arguments, configVersion: agent.configVersion, job: job.id },
      actor: job.createdBy,
    });
  } catch (error) {
    const refusal = asFleetError(error);
    if (refusal?.code !== 'CONFLICT') throw error;
    // Without the agent's name, so that equal reasons are counted together.
    refuse(batch, job, target, refusal.message.replace(`agent ${agent.name}`, 'it'));
  }
}

function refuse(batch: Batch, job: Job, target: JobTarget, reason: string): void {
  batch.settled.push({ number: target.number, state: JobTargetState.REFUSED, reason });
  batch.entries.push({ ...entryOf(job, target), outcome: 'FAILED', reason });
}

function entryOf(job: Job, { agentUuid }: JobTarget): SystemEntry {
  return {
    action: `agent.job.${lifeActionOf(job)}`,
    target: { type: 'Agent', id: nodeId('Agent', agentUuid) },
    ...(job.reason === null ? {} : { reason: job.reason }),
    causedBy: job.entryId,
  };
}
