import { ArgsType, Field, ID, InputType, Int } from 'type-graphql';
import { TimeRange } from '../../../lib/graphql/shared.ts';
import { AuditOutcome } from './entry.ts';

@InputType({ description: 'Which audit entries: lists mean any of, and all parts must hold.' })
export class AuditFilter {
  @Field(() => String, {
    nullable: true,
    description:
      'An expression of the search language: words of action, actor, target and reason; fields action, actor, actorKind, outcome, dryRun, target, targetType, requestId, traceId, time.',
  })
  query?: string | null;

  @Field(() => [ID], { nullable: true, description: 'Any of these actors, by id.' })
  actors?: string[] | null;

  @Field(() => [String], { nullable: true, description: 'Any of these actions.' })
  actions?: string[] | null;

  @Field(() => [String], { nullable: true, description: 'Aimed at any of these types.' })
  targetTypes?: string[] | null;

  @Field(() => [ID], { nullable: true, description: 'Aimed at any of these, by id.' })
  targetIds?: string[] | null;

  @Field(() => [AuditOutcome], { nullable: true, description: 'Ended in any of these ways.' })
  outcomes?: AuditOutcome[] | null;

  @Field(() => [String], {
    nullable: true,
    description:
      'Changed any of these parts, as JSON pointers (`/config/model`), or something in them; for who may read `changes`.',
  })
  paths?: string[] | null;

  @Field(() => TimeRange, { nullable: true, description: 'Attempted in this stretch of time.' })
  range?: TimeRange | null;
}

/** Entries newest first, a page at a time. */
@ArgsType()
export class NewestEntriesArgs {
  @Field(() => Int, { nullable: true, description: 'How many, newest first; 1 to 100, 50 when nothing is said.' })
  first?: number | null;

  @Field(() => String, { nullable: true, description: 'Behind this cursor.' })
  after?: string | null;

  @Field(() => AuditFilter, { nullable: true, description: 'Which entries.' })
  filter?: AuditFilter | null;
}

/** Entries from either end, a page at a time. */
@ArgsType()
export class AuditEntriesArgs extends NewestEntriesArgs {
  @Field(() => Int, { nullable: true, description: 'How many from the end of the list; 1 to 100.' })
  last?: number | null;

  @Field(() => String, { nullable: true, description: 'Before this cursor.' })
  before?: string | null;
}
