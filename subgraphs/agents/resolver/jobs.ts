import { Arg, Ctx, FieldResolver, ID, Int, Mutation, Query, Resolver, Root, Subscription } from 'type-graphql';
import type { StreamedChange } from '../../../lib/events/stream.ts';
import { uuidOf } from '../../../lib/node-id.ts';
import { connectionOf } from '../../../lib/page.ts';
import type { WriteOutcome } from '../../../lib/write/writes.ts';
import { Agent } from '../entity/agent.ts';
import { Job, JobChange, JobRefusal, JobState, JobTarget, JobTargetState, jobOf } from '../entity/job.ts';
import type { JobResult } from '../service/jobs/jobs.ts';
import { receiptOf } from './answers.ts';
import type { AgentsContext } from './context.ts';
import { ActOnAgentsInput, JobActionInput, JobPayload } from './job-inputs.ts';

const { Connection: JobConnection } = connectionOf(() => Job, 'Job');
const { Connection: JobTargetConnection } = connectionOf(() => JobTarget, 'JobTarget');

const FIRST = { nullable: true, description: 'So many, 1 to 100.' };
const AFTER = { nullable: true, description: 'Only what follows this cursor.' };

@Resolver(() => Job)
export class JobResolver {
  @Mutation(() => JobPayload, {
    nullable: true,
    description:
      'Asks the same of all agents that a filter names now, as a job in batches. CONFLICT when they are more than `maxAffected`; with `dryRun` nothing is changed, and what would be is told.',
  })
  async actOnAgents(
    @Arg('input', { description: 'What is asked, and of which agents.' }) input: ActOnAgentsInput,
    @Ctx() context: AgentsContext,
  ): Promise<JobPayload> {
    return jobPayload(context, await context.services.jobs.act(context.call, input));
  }

  @Mutation(() => JobPayload, {
    nullable: true,
    description: 'Ends a job before all its agents were asked; those who were stay asked.',
  })
  async cancelJob(
    @Arg('input', { description: 'Which job, and why.' }) input: JobActionInput,
    @Ctx() context: AgentsContext,
  ): Promise<JobPayload> {
    return jobPayload(context, await context.services.jobs.cancel(context.call, input));
  }

  @Query(() => Job, { nullable: true, description: 'One job; null when there is none.' })
  job(
    @Arg('id', () => ID, { description: 'Global id of the job.' }) id: string,
    @Ctx() { services }: AgentsContext,
  ): Promise<Job | null> {
    return services.jobs.find(uuidOf('Job', id));
  }

  @Query(() => JobConnection, { nullable: true, description: 'Jobs, newest first; kept for 30 days after their end.' })
  jobs(
    @Ctx() { services }: AgentsContext,
    @Arg('first', () => Int, FIRST) first?: number,
    @Arg('after', () => String, AFTER) after?: string,
    @Arg('states', () => [JobState], { nullable: true, description: 'Only in any of these states.' })
    states?: JobState[],
  ) {
    return services.jobs.page({ first, after }, states ?? []);
  }

  @FieldResolver(() => JobTargetConnection, { nullable: true, description: 'Its agents, in the order of their turns.' })
  targets(
    @Root() job: Job,
    @Ctx() { services }: AgentsContext,
    @Arg('first', () => Int, FIRST) first?: number,
    @Arg('after', () => String, AFTER) after?: string,
    @Arg('states', () => [JobTargetState], { nullable: true, description: 'Only those of whom any of these is true.' })
    states?: JobTargetState[],
  ) {
    return services.jobs.targets(job, { first, after }, states ?? []);
  }

  @FieldResolver(() => [JobRefusal], {
    nullable: true,
    description: 'Why agents refused, the most frequent reason first; at most 20.',
  })
  refusals(@Root() job: Job, @Ctx() { services }: AgentsContext): Promise<JobRefusal[]> {
    return services.jobs.refusals(job);
  }

  @Subscription(() => JobChange, {
    nullable: true,
    description: 'A job as it goes on, batch by batch, to its end.',
    subscribe: ({ args, context }) => {
      const { call, services } = context as AgentsContext;
      return services.jobs.changes(args['id'] as string, call.lastEventId ?? (args['after'] as string | null)) as never;
    },
  })
  jobChanged(
    @Root() change: StreamedChange,
    @Arg('id', () => ID, { description: 'Global id of the job that is followed.' }) _id: string,
    @Arg('after', () => String, { nullable: true, description: 'Resume after this change’s cursor.' }) _after?: string,
  ): JobChange {
    const { cursor, occurredAt, kind, node, previous } = change;
    const shown = previous && { ...previous, uuid: undefined, id: jobOf(previous).id };
    return Object.assign(new JobChange(), { cursor, occurredAt, kind, node: jobOf(node), previous: shown });
  }
}

@Resolver(() => JobTarget)
export class JobTargetResolver {
  @FieldResolver(() => Agent, { nullable: true, description: 'Who is asked; null once nobody knows it any longer.' })
  agent(@Root() target: JobTarget, @Ctx() { agents }: AgentsContext): Promise<Agent | null> {
    return agents.byUuid.load(target.agentUuid);
  }
}

async function jobPayload({ services, agents }: AgentsContext, outcome: WriteOutcome<JobResult>): Promise<JobPayload> {
  const { result } = outcome;
  const found = await agents.byUuid.loadMany(result?.forecast?.agents ?? []);
  return {
    job: result && !result.forecast ? await services.jobs.find(result.job) : null,
    affected: result?.affected ?? null,
    agents: result?.forecast ? found.filter((agent): agent is Agent => agent instanceof Agent) : null,
    refusals: result?.forecast?.refusals ?? null,
    ...receiptOf(outcome),
  };
}
