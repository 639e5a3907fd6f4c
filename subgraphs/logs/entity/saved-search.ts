import { Field, InputType, Int, ObjectType } from 'type-graphql';
import { Column, Entity, PrimaryColumn } from 'typeorm';
import { AuditEntryReference } from '../../../lib/graphql/references.ts';
import { Actor, JsonPatchOp, UserError } from '../../../lib/graphql/shared.ts';

@Entity('saved_log_search')
@ObjectType({ description: 'A search of the log that was given a name: `LogFilter.savedSearch` asks by it.' })
export class SavedLogSearch {
  @Field({ description: 'Unique among the saved searches: 1 to 63 letters, digits, dots, dashes or underscores.' })
  @PrimaryColumn('text')
  name!: string;

  @Field(() => Int, { description: 'Counts its changes.' })
  @Column('int')
  version!: number;

  @Field({ description: 'An expression of the search language.' })
  @Column('text')
  query!: string;

  @Field({ description: 'What it is for.' })
  @Column('text')
  description!: string;

  @Field(() => Actor, { description: 'Who made it.' })
  @Column('jsonb')
  owner!: Actor;
}

@InputType({ description: 'A saved search to make or change, by name.' })
export class SavedLogSearchInput {
  @Field({ description: 'Its name: 1 to 63 letters, digits, dots, dashes or underscores.' })
  name!: string;

  @Field({ description: 'An expression of the search language.' })
  query!: string;

  @Field(() => String, { nullable: true, description: 'What it is for.' })
  description?: string | null;

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

@ObjectType({ description: 'What became of a saved search.' })
export class SavedLogSearchPayload {
  @Field(() => SavedLogSearch, {
    nullable: true,
    description: 'The search as it is, or as it would be after a dry run; null when it was refused.',
  })
  savedSearch!: SavedLogSearch | null;

  @Field(() => [JsonPatchOp], { description: 'What changed, or would change.' })
  changes!: JsonPatchOp[];

  @Field(() => [UserError], { description: 'Why it was refused, if it was.' })
  userErrors!: UserError[];

  @Field(() => AuditEntryReference, { nullable: true, description: 'The receipt of this mutation.' })
  auditEntry!: AuditEntryReference | null;
}
