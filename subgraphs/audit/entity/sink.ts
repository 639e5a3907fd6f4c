import { Field, InputType, Int, ObjectType, registerEnumType } from 'type-graphql';
import { Column, Entity, PrimaryColumn } from 'typeorm';
import { SCALARS } from '../../../lib/graphql/scalars.ts';
import { JsonPatchOp, UserError } from '../../../lib/graphql/shared.ts';

export enum AuditSinkFormat {
  NDJSON = 'NDJSON',
  OCSF = 'OCSF',
}
registerEnumType(AuditSinkFormat, {
  name: 'AuditSinkFormat',
  description: 'What a sink is given.',
  valuesConfig: {
    NDJSON: { description: 'The lines of the export: what is kept can be verified.' },
    OCSF: { description: 'Events of OCSF 1.6, class API Activity.' },
  },
});

@Entity('sink')
@ObjectType({ description: 'A place that is given the audit trail as it grows.' })
export class AuditSink {
  @PrimaryColumn('text')
  @Field({ description: 'Its name; of one that the settings name, its address.' })
  name!: string;

  @Column('int')
  @Field(() => Int, { description: 'Counts its changes, from 1; 0 of one that the settings name.' })
  version!: number;

  @Column('text')
  @Field({ description: 'Its address; of one that the settings name, without path and query.' })
  target!: string;

  @Column('text')
  @Field(() => AuditSinkFormat, { description: 'What it is given.' })
  format!: AuditSinkFormat;

  /** Encrypted; never shown. */
  @Column('bytea', { name: 'sealed_secret', nullable: true })
  sealedSecret!: Buffer | null;

  /** Its row of `progress`; absent of what is only asked about. */
  position?: string;
}

@InputType({ description: 'A sink of the audit trail to make or change, by name.' })
export class AuditSinkInput {
  @Field({ description: 'Its name, 1 to 256 characters.' })
  name!: string;

  @Field({
    description:
      'https://host/path or syslog+tls://host:6514; http and syslog only where that is allowed. No user, password or query.',
  })
  target!: string;

  @Field(() => AuditSinkFormat, {
    nullable: true,
    defaultValue: AuditSinkFormat.NDJSON,
    description: 'What it is given.',
  })
  format?: AuditSinkFormat | null;

  @Field(() => String, {
    nullable: true,
    description:
      'Signs what goes to a web sink, 16 to 1,024 characters; never told back. Without one it keeps what it has.',
  })
  secret?: string | null;

  @Field(() => Int, {
    nullable: true,
    description: 'Refused with CONFLICT when it has another version; 0 means that there must be none yet.',
  })
  expectedVersion?: number | null;

  @Field(() => Boolean, { nullable: true, description: 'Only tells what would change.' })
  dryRun?: boolean | null;

  @Field(() => String, { nullable: true, description: 'Idempotency key: a repeat returns the first outcome.' })
  clientMutationId?: string | null;
}

@ObjectType({ description: 'What became of a sink that was applied.' })
export class AuditSinkPayload {
  @Field(() => AuditSink, {
    nullable: true,
    description: 'The sink now, or as it would be after a dry run; null when it was refused.',
  })
  sink!: AuditSink | null;

  @Field(() => [JsonPatchOp], { description: 'What changed, or would; a secret’s value is never told.' })
  changes!: JsonPatchOp[];

  @Field(() => [UserError], { description: 'Why it was refused; empty when it was done.' })
  userErrors!: UserError[];

  /** Bare uuid; the receipt is a field of the resolver. */
  entryUuid!: string;
}

@ObjectType({ description: 'How long the bytes of audit entries are kept: what was before and after.' })
export class AuditRetention {
  @Field(() => Int, { description: 'Counts its changes, from 1; 0 while it is the setting.' })
  version!: number;

  @Field(() => SCALARS.Duration, {
    name: 'keepFor',
    nullable: true,
    description: 'How long; null: for good. Hashes and proofs are kept for good in any case.',
  })
  keepForMs!: number | null;
}

@InputType({ description: 'How long the bytes of audit entries are to be kept.' })
export class AuditRetentionInput {
  @Field(() => SCALARS.Duration, { nullable: true, description: 'A day or more; null: for good.' })
  keepFor?: string | null;

  @Field(() => Int, {
    nullable: true,
    description: 'Refused with CONFLICT when it has another version; 0 means that it must still be the setting.',
  })
  expectedVersion?: number | null;

  @Field(() => Boolean, { nullable: true, description: 'Only tells what would change.' })
  dryRun?: boolean | null;

  @Field(() => String, { nullable: true, description: 'Why, for the trail.' })
  reason?: string | null;

  @Field(() => String, { nullable: true, description: 'Idempotency key: a repeat returns the first outcome.' })
  clientMutationId?: string | null;
}

@ObjectType({ description: 'What became of a retention of the trail that was applied.' })
export class AuditRetentionPayload {
  @Field(() => AuditRetention, {
    nullable: true,
    description: 'The retention now, or as it would be after a dry run; null when it was refused.',
  })
  retention!: AuditRetention | null;

  @Field(() => [JsonPatchOp], { description: 'What changed, or would.' })
  changes!: JsonPatchOp[];

  @Field(() => [UserError], { description: 'Why it was refused; empty when it was done.' })
  userErrors!: UserError[];

  /** Bare uuid; the receipt is a field of the resolver. */
  entryUuid!: string;
}
