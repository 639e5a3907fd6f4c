import { Field, ID, InputType, Int, ObjectType } from 'type-graphql';
import { AuditEntryReference } from '../../../lib/graphql/references.ts';
import { UserError } from '../../../lib/graphql/shared.ts';
import { Agent } from '../entity/agent.ts';
import { AgentAction, Job, JobRefusal } from '../entity/job.ts';
import { AgentFilter } from './inputs.ts';

const KEY = 'Idempotency key: a repeat returns the first outcome.';
const WHY = 'Why, for the audit trail and for the agents.';

@InputType({ description: 'Something asked of many agents.' })
export class ActOnAgentsInput {
  @Field(() => AgentAction, { description: 'What is asked.' })
  action!: AgentAction;

  @Field(() => AgentFilter, { description: 'Of which agents; with nothing in it, of all.' })
  filter!: AgentFilter;

  @Field(() => Int, {
    defaultValue: 1_000,
    description: 'Refused with CONFLICT when it is about more agents than this; at most 100,000.',
  })
  maxAffected!: number;

  @Field(() => Boolean, { nullable: true, description: 'Changes nothing, and tells what it would.' })
  dryRun?: boolean | null;

  @Field(() => String, { nullable: true, description: WHY })
  reason?: string | null;

  @Field(() => String, { nullable: true, description: KEY })
  clientMutationId?: string | null;
}

@InputType({ description: 'Something done to one job.' })
export class JobActionInput {
  @Field(() => ID, { description: 'Global id of the job.' })
  id!: string;

  @Field(() => String, { nullable: true, description: 'Why, for the audit trail.' })
  reason?: string | null;

  @Field(() => String, { nullable: true, description: KEY })
  clientMutationId?: string | null;
}

@ObjectType({ description: 'What became of something asked of many agents.' })
export class JobPayload {
  @Field(() => Job, { nullable: true, description: 'The job; null for a dry run.' })
  job!: Job | null;

  @Field(() => Int, { nullable: true, description: 'How many agents it is about.' })
  affected!: number | null;

  @Field(() => [Agent], { nullable: true, description: 'Of a dry run: the first 100 that would be asked.' })
  agents!: Agent[] | null;

  @Field(() => [JobRefusal], { nullable: true, description: 'Of a dry run: why how many others would refuse.' })
  refusals!: JobRefusal[] | null;

  @Field(() => [UserError], { description: 'Expected failures; empty when it was done.' })
  userErrors!: UserError[];

  @Field(() => AuditEntryReference, { nullable: true, description: 'Its entry in the audit trail.' })
  auditEntry!: AuditEntryReference | null;
}
