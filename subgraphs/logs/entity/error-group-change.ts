import { Field, ID, InputType, ObjectType } from 'type-graphql';
import { LogSeverity } from '../../../lib/graphql/log-filter.ts';
import { Change } from '../../../lib/graphql/shared.ts';
import { ErrorGroup, ErrorGroupState } from './error-group.ts';

@InputType({ description: 'Which groups of errors are followed: lists mean any of, and all parts must hold.' })
export class ErrorGroupFilter {
  @Field(() => [ID], { nullable: true, description: 'Any of these groups.' })
  ids?: string[] | null;

  @Field(() => [String], { nullable: true, description: 'Of any of these codes.' })
  codes?: string[] | null;

  @Field(() => [String], { nullable: true, description: 'In any of these services.' })
  services?: string[] | null;

  @Field(() => [ID], { nullable: true, description: 'That happened to any of these agents.' })
  agentIds?: string[] | null;

  @Field(() => LogSeverity, { nullable: true, description: 'At least this grave.' })
  minSeverity?: LogSeverity | null;
}

@ObjectType({ implements: Change, description: 'A group of errors is new, was counted on, or is of another state.' })
export class ErrorGroupChange extends Change {
  @Field(() => ErrorGroup, { description: 'The group as of this change.' })
  node!: ErrorGroup;

  @Field(() => ErrorGroupState, { nullable: true, description: 'Its state before; null when it is new.' })
  previous!: ErrorGroupState | null;
}
