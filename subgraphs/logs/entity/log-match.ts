import { Field, ID, InputType, ObjectType } from 'type-graphql';
import { LogSeverity } from '../../../lib/graphql/log-filter.ts';
import { LabelMatcher, MatchOp } from '../../../lib/graphql/shared.ts';

@ObjectType({ description: 'A condition on one attribute.' })
export class LabelMatch {
  @Field({ description: 'The attribute’s name.' })
  name!: string;

  @Field(() => MatchOp, { description: 'How it is compared.' })
  op!: MatchOp;

  @Field({ description: 'What it is compared with; an anchored regular expression for RE and NRE.' })
  value!: string;
}

const SERVICES = 'Any of these services.';
const MAX_SEVERITY = 'This severity or a lesser one.';
const AGENTS = 'Any of these agents, by id.';
const ATTRIBUTES = 'Conditions on attributes.';
const RESOURCE = 'Conditions on attributes of the resource.';
const QUERY = 'An expression of the search language, regular expressions among it.';

@ObjectType({ description: 'Which entries a policy is about; all its parts must hold.' })
export class LogMatch {
  @Field(() => [String], { nullable: true, description: SERVICES })
  services?: string[] | null;

  @Field(() => LogSeverity, { nullable: true, description: MAX_SEVERITY })
  maxSeverity?: LogSeverity | null;

  @Field(() => [ID], { nullable: true, description: AGENTS })
  agentIds?: string[] | null;

  @Field(() => [LabelMatch], { nullable: true, description: ATTRIBUTES })
  attributes?: LabelMatch[] | null;

  @Field(() => [LabelMatch], { nullable: true, description: RESOURCE })
  resource?: LabelMatch[] | null;

  @Field(() => String, { nullable: true, description: QUERY })
  query?: string | null;
}

@InputType({ description: 'Which entries a policy is about; all its parts must hold.' })
export class LogMatchInput {
  @Field(() => [String], { nullable: true, description: SERVICES })
  services?: string[] | null;

  @Field(() => LogSeverity, { nullable: true, description: MAX_SEVERITY })
  maxSeverity?: LogSeverity | null;

  @Field(() => [ID], { nullable: true, description: AGENTS })
  agentIds?: string[] | null;

  @Field(() => [LabelMatcher], { nullable: true, description: ATTRIBUTES })
  attributes?: LabelMatcher[] | null;

  @Field(() => [LabelMatcher], { nullable: true, description: RESOURCE })
  resource?: LabelMatcher[] | null;

  @Field(() => String, { nullable: true, description: QUERY })
  query?: string | null;
}
