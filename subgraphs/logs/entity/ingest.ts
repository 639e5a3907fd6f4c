import { Field, ID, InputType, Int, ObjectType } from 'type-graphql';
import { LogSeverity } from '../../../lib/graphql/log-filter.ts';
import { RejectedRecord } from '../../../lib/graphql/rejected-record.ts';
import { SCALARS } from '../../../lib/graphql/scalars.ts';
import { UserError } from '../../../lib/graphql/shared.ts';

@InputType({ description: 'One line to log.' })
export class LogRecordInput {
  @Field(() => Date, { nullable: true, description: 'When it happened, from 1970 on; now when absent.' })
  time?: Date | null;

  @Field(() => LogSeverity, { description: 'How much it matters.' })
  severity!: LogSeverity;

  @Field({ description: 'The service that says it.' })
  service!: string;

  @Field({ description: 'What it says.' })
  body!: string;

  @Field(() => SCALARS.JSON, { nullable: true, description: 'What else it says: an object.' })
  attributes?: unknown;

  @Field(() => ID, {
    nullable: true,
    description: 'The agent that says it; an agent’s own token speaks for itself only.',
  })
  agentId?: string | null;

  @Field(() => String, { nullable: true, description: 'The trace it belongs to, 32 hexadecimal digits.' })
  traceId?: string | null;

  @Field(() => String, { nullable: true, description: 'The span it belongs to, 16 hexadecimal digits.' })
  spanId?: string | null;
}

@InputType({ description: 'Lines to log.' })
export class IngestLogsInput {
  @Field(() => [LogRecordInput], { description: 'At most 10,000.' })
  records!: LogRecordInput[];

  @Field(() => String, {
    nullable: true,
    description: 'The same batch again within a day is stored once. 1–255 visible ASCII characters.',
  })
  batchId?: string | null;
}

@ObjectType({ description: 'What became of the lines.' })
export class IngestLogsPayload {
  @Field(() => Int, { description: 'How many are stored, durably.' })
  accepted!: number;

  @Field(() => [RejectedRecord], { description: 'Those that are not, each with its reason.' })
  rejected!: RejectedRecord[];

  @Field(() => [UserError], { description: 'What was wrong with the request as a whole.' })
  userErrors!: UserError[];
}

@ObjectType({ description: 'Whether logs are taken in, and what bounds them.' })
export class LogIntake {
  @Field({ description: 'Whether more is taken at this moment; else it is refused as OVERLOADED.' })
  isAccepting!: boolean;

  @Field({ description: 'Whether it is refused because the telemetry store’s disk is nearly full.' })
  isDiskFull!: boolean;

  @Field(() => SCALARS.SafeInt, { nullable: true, description: 'Room on that disk, bytes; null when it is not known.' })
  diskFreeBytes!: number | null;

  @Field(() => SCALARS.SafeInt, { nullable: true, description: 'Size of that disk, bytes; null when it is not known.' })
  diskSizeBytes!: number | null;

  @Field(() => SCALARS.SafeInt, { description: 'What waits to be stored, bytes.' })
  pendingBytes!: number;

  @Field(() => SCALARS.SafeInt, { description: 'What may wait, bytes.' })
  maxPendingBytes!: number;
}
