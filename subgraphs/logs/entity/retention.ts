import { Field, InputType, Int, ObjectType } from 'type-graphql';
import { Column, Entity, PrimaryColumn } from 'typeorm';
import { AuditEntryReference } from '../../../lib/graphql/references.ts';
import { isoDuration, SCALARS } from '../../../lib/graphql/scalars.ts';
import { JsonPatchOp, UserError } from '../../../lib/graphql/shared.ts';
import { LogMatch, LogMatchInput } from './log-match.ts';

/** milliseconds ↔ bigint, which pg gives as text */
const asNumber = {
  to: (value: number | null) => value,
  from: (value: string | null) => (value === null ? null : Number(value)),
};

@Entity('retention_policy')
@ObjectType({ description: 'How long log entries are kept, counted from when they were observed.' })
export class RetentionPolicy {
  @Field({ description: 'Its name; `default` is for what no other policy is about.' })
  @PrimaryColumn('text')
  name!: string;

  @Field(() => Int, { description: 'Counts its changes; 0 while it is only the setting’s default.' })
  @Column('int')
  version!: number;

  @Field(() => LogMatch, { description: 'What it is about.' })
  @Column('jsonb')
  match!: LogMatch;

  @Column('bigint', { name: 'keep_for_ms', transformer: asNumber })
  keepForMs!: number;

  @Field(() => SCALARS.Duration, {
    description: 'How long they are kept. Of several policies about an entry the longest holds.',
  })
  get keepFor(): string {
    return isoDuration(this.keepForMs);
  }

  @Field(() => SCALARS.SafeInt, {
    nullable: true,
    description: 'How much of them is kept, bytes before compression; the oldest go first.',
  })
  @Column('bigint', { name: 'max_bytes', nullable: true, transformer: asNumber })
  maxBytes!: number | null;

  @Field({ description: 'Whether they are kept whatever any policy says.' })
  @Column('boolean')
  hold!: boolean;
}

/** What a policy governs at the moment: counted anew when asked. */
export interface PolicyUsage {
  entryCount: number;
  /** Before compression. */
  sizeBytes: number;
  oldestAt: Date | null;
}

@InputType({ description: 'A retention policy to make or change, by name.' })
export class RetentionPolicyInput {
  @Field({ description: 'Its name; `default` is for what no other policy is about.' })
  name!: string;

  @Field(() => LogMatchInput, { description: 'What it is about; empty for everything.' })
  match!: LogMatchInput;

  @Field(() => SCALARS.Duration, {
    description: 'How long they are kept, from when they were observed; at least a minute.',
  })
  keepFor!: string;

  @Field(() => SCALARS.SafeInt, { nullable: true, description: 'How much of them is kept, bytes before compression.' })
  maxBytes?: number | null;

  @Field(() => Boolean, { nullable: true, description: 'Whether they are kept whatever any policy says.' })
  hold?: boolean | null;

  @Field(() => Int, {
    nullable: true,
    description: 'Refused with CONFLICT when it has another version; 0 when it must be new.',
  })
  expectedVersion?: number | null;

  @Field(() => Boolean, { nullable: true, description: 'Says what would change and changes nothing.' })
  dryRun?: boolean | null;

  @Field(() => String, { nullable: true, description: 'Idempotency key: a repeat returns the first outcome.' })
  clientMutationId?: string | null;
}

@ObjectType({ description: 'What became of a retention policy.' })
export class RetentionPolicyPayload {
  @Field(() => RetentionPolicy, {
    nullable: true,
    description: 'The policy as it is, or as it would be after a dry run.',
  })
  policy!: RetentionPolicy | null;

  @Field(() => [JsonPatchOp], { description: 'What changed, or would change.' })
  changes!: JsonPatchOp[];

  @Field(() => [UserError], { description: 'Why it was refused, if it was.' })
  userErrors!: UserError[];

  @Field(() => AuditEntryReference, { nullable: true, description: 'The receipt of this mutation.' })
  auditEntry!: AuditEntryReference | null;
}
