import { Directive, Field, ID, ObjectType, registerEnumType } from 'type-graphql';
import { Column, Entity, PrimaryColumn } from 'typeorm';
import { ActorKind, Node } from '../../../lib/graphql/shared.ts';
import { nodeId } from '../../../lib/node-id.ts';
import { connectionOf } from '../../../lib/page.ts';

export enum AuditOutcome {
  SUCCEEDED = 'SUCCEEDED',
  FAILED = 'FAILED',
  DENIED = 'DENIED',
}
registerEnumType(AuditOutcome, {
  name: 'AuditOutcome',
  description: 'How an audited attempt ended.',
  valuesConfig: {
    SUCCEEDED: { description: 'It was done.' },
    FAILED: { description: 'It was refused for what it asked, and nothing changed.' },
    DENIED: { description: 'The caller may not do it, and nothing changed.' },
  },
});

/** One attempt to change something. The columns are for finding it; what is proved are the bytes of `leaf`. */
@Entity('entry')
@Directive('@key(fields: "id")')
@ObjectType({
  implements: Node,
  description: 'One attempt to change something: who, what, when, how it ended, and its proof.',
})
export class AuditEntry {
  @PrimaryColumn('uuid', { name: 'id' })
  uuid!: string;

  @Field(() => ID, { description: 'Opaque, stable for life; a mutation’s payload carries it at once.' })
  get id(): string {
    return nodeId('AuditEntry', this.uuid);
  }

  /** Its place in the log from 1 on, given after commit; bigint as text. */
  @Column('bigint', { nullable: true })
  position!: string | null;

  @Column('timestamptz', { name: 'occurred_at' })
  @Field({ description: 'When it was attempted.' })
  occurredAt!: Date;

  @Column('text', { name: 'actor_id' })
  actorId!: string;

  @Column('text', { name: 'actor_kind' })
  actorKind!: ActorKind;

  @Column('text', { name: 'actor_name' })
  actorName!: string;

  @Column('text')
  @Field({
    description: 'The mutation’s name (`registerAgent`), or a dotted name for what the platform did by itself.',
  })
  action!: string;

  @Column('text')
  @Field(() => AuditOutcome, { description: 'How it ended.' })
  outcome!: AuditOutcome;

  @Column('boolean', { name: 'is_dry_run' })
  @Field({ description: 'Whether it was only asked what would be: nothing was changed, whatever the outcome.' })
  isDryRun!: boolean;

  @Column('text', { nullable: true })
  @Field(() => String, { nullable: true, description: 'Why: the caller’s words, or what it was refused for.' })
  reason!: string | null;

  @Column('text', { name: 'target_type' })
  @Field({ description: 'The type of what it was aimed at.' })
  targetType!: string;

  @Column('text', { name: 'target_id' })
  @Field(() => ID, {
    description: 'The id of what it was aimed at, or its name where it has no id; may be empty when there is none yet.',
  })
  targetId!: string;

  @Column('text', { name: 'request_id' })
  @Field({ description: 'The request it came with.' })
  requestId!: string;

  @Column('text', { name: 'trace_id', nullable: true })
  @Field(() => String, { nullable: true, description: 'The trace it came with.' })
  traceId!: string | null;

  @Column('text', { name: 'client_ip', nullable: true })
  @Field(() => String, { nullable: true, description: 'The address it came from.' })
  clientIp!: string | null;

  /** uuid of the entry that caused this one. */
  @Column('uuid', { name: 'caused_by', nullable: true })
  causedBy!: string | null;

  /** Parts that were changed, as JSON pointers: what `AuditFilter.paths` looks at. */
  @Column('text', { array: true })
  changed!: string[];

  /** Canonical bytes (docs/audit.md), null once retention removed them. */
  @Column('bytea', { nullable: true })
  leaf!: Buffer | null;

  @Column('bytea', { name: 'leaf_hash' })
  leafHash!: Buffer;
}

export const { Connection: AuditEntryConnection } = connectionOf(() => AuditEntry, 'AuditEntry', true);
