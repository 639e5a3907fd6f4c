import 'reflect-metadata';
import { Directive, Field, ID, InputType, Int, InterfaceType, ObjectType, registerEnumType } from 'type-graphql';
import { SCALARS } from './scalars.ts';

/** What several houses give out: one copy, identical in all, as composition demands. */

@InterfaceType({
  description: 'Anything with an opaque global id, stable for life.',
  autoRegisterImplementations: false,
})
export abstract class Node {
  @Field(() => ID, { description: 'Opaque, stable for life; `node(id)` finds it again.' })
  id!: string;
}

@Directive('@shareable')
@ObjectType({ description: 'Where a page stands in its list.' })
export class PageInfo {
  @Field({ description: 'Whether more follow this page.' })
  hasNextPage!: boolean;

  @Field({ description: 'Whether some precede this page.' })
  hasPreviousPage!: boolean;

  @Field(() => String, { nullable: true, description: 'Cursor of the first edge.' })
  startCursor!: string | null;

  @Field(() => String, { nullable: true, description: 'Cursor of the last edge.' })
  endCursor!: string | null;
}

@Directive('@shareable')
@ObjectType({ description: 'An expected failure of a mutation: something the caller can mend.' })
export class UserError {
  @Field({ description: 'One of the codes in docs/errors.md.' })
  code!: string;

  @Field({ description: 'One sentence: what happened and what to do.' })
  message!: string;

  @Field(() => [String], { nullable: true, description: 'Path of the input field it is about.' })
  field!: string[] | null;
}

export enum ActorKind {
  PERSON = 'PERSON',
  SCRIPT = 'SCRIPT',
  AGENT = 'AGENT',
  SYSTEM = 'SYSTEM',
}
registerEnumType(ActorKind, {
  name: 'ActorKind',
  description: 'What kind of caller did it.',
  valuesConfig: {
    PERSON: { description: 'A person, signed in.' },
    SCRIPT: { description: 'A program with an API key or the admin token.' },
    AGENT: { description: 'An agent with its own token.' },
    SYSTEM: { description: 'The platform itself.' },
  },
});

@Directive('@shareable')
@ObjectType({ description: 'Who did something.' })
export class Actor {
  @Field(() => ID, { description: 'Stable id of the caller; an agent’s is its node id.' })
  id!: string;

  @Field(() => ActorKind, { description: 'What kind of caller it is.' })
  kind!: ActorKind;

  @Field({ description: 'The name to show.' })
  name!: string;
}

@Directive('@shareable')
@ObjectType({ description: 'One step from an old value to a new one, RFC 6902.' })
export class JsonPatchOp {
  @Field({ description: '`add`, `remove` or `replace`.' })
  op!: string;

  @Field({ description: 'JSON pointer to what changed.' })
  path!: string;

  @Field(() => SCALARS.JSON, { nullable: true, description: 'The new value.' })
  value?: unknown;

  @Field(() => SCALARS.JSON, { nullable: true, description: 'The value before.' })
  oldValue?: unknown;
}

export enum ChangeKind {
  CREATED = 'CREATED',
  UPDATED = 'UPDATED',
  LEFT = 'LEFT',
  DELETED = 'DELETED',
}
registerEnumType(ChangeKind, {
  name: 'ChangeKind',
  description: 'What happened to the node of a live payload.',
  valuesConfig: {
    CREATED: { description: 'It is new.' },
    UPDATED: { description: 'It changed.' },
    LEFT: { description: 'It no longer matches the filter.' },
    DELETED: { description: 'It is gone.' },
  },
});

@InterfaceType({ description: 'What every live payload carries.', autoRegisterImplementations: false })
export abstract class Change {
  @Field({ description: 'Resume after this payload with `after`.' })
  cursor!: string;

  @Field(() => Date, { description: 'When it happened.' })
  occurredAt!: Date;

  @Field(() => ChangeKind, { description: 'What happened.' })
  kind!: ChangeKind;
}

export enum MatchOp {
  EQ = 'EQ',
  NE = 'NE',
  RE = 'RE',
  NRE = 'NRE',
}
registerEnumType(MatchOp, {
  name: 'MatchOp',
  description: 'How a label is compared.',
  valuesConfig: {
    EQ: { description: 'Equal.' },
    NE: { description: 'Not equal; also when the label is absent.' },
    RE: { description: 'Matches the whole value by regular expression.' },
    NRE: { description: 'Does not match the regular expression.' },
  },
});

@InputType({ description: 'A condition on one label.' })
export class LabelMatcher {
  @Field({ description: 'The label’s name.' })
  name!: string;

  @Field(() => MatchOp, { nullable: true, defaultValue: MatchOp.EQ, description: 'How to compare.' })
  op!: MatchOp;

  @Field({ description: 'What to compare with; an anchored regular expression for RE and NRE.' })
  value!: string;
}

@InputType({ description: 'A stretch of time: `last`, or `from` and `to`.' })
export class TimeRange {
  @Field(() => Date, { nullable: true, description: 'From this time on, inclusive.' })
  from?: Date | null;

  @Field(() => Date, { nullable: true, description: 'Up to this time, exclusive.' })
  to?: Date | null;

  @Field(() => SCALARS.Duration, { nullable: true, description: 'The stretch that ends now.' })
  last?: string | null;
}

@InputType({ description: 'Deletes one configuration by its name.' })
export class DeleteByNameInput {
  @Field({ description: 'The name of what is deleted.' })
  name!: string;

  @Field(() => Int, { nullable: true, description: 'Refused with CONFLICT when it has another version.' })
  expectedVersion?: number | null;

  @Field(() => String, { nullable: true, description: 'Idempotency key: a repeat returns the first outcome.' })
  clientMutationId?: string | null;
}
