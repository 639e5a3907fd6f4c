import { Directive, Field, ID, InputType, ObjectType, registerEnumType } from 'type-graphql';
import { LogSeverity } from '../../../lib/graphql/log-filter.ts';
import { AuditEntryReference } from '../../../lib/graphql/references.ts';
import { SCALARS } from '../../../lib/graphql/scalars.ts';
import { Actor, Node, UserError } from '../../../lib/graphql/shared.ts';
import { connectionOf } from '../../../lib/page.ts';
import { Agent, Trace } from './references.ts';

export enum ErrorGroupState {
  UNRESOLVED = 'UNRESOLVED',
  RESOLVED = 'RESOLVED',
  REGRESSED = 'REGRESSED',
}
registerEnumType(ErrorGroupState, {
  name: 'ErrorGroupState',
  description: 'Whether an error is mended.',
  valuesConfig: {
    UNRESOLVED: { description: 'Nobody said that it is mended.' },
    RESOLVED: { description: 'It was said to be mended, and has not come since.' },
    REGRESSED: { description: 'It came again after it was said to be mended.' },
  },
});

/** Errors that are one: never stored, but read from the entries that make it. Its id is its fingerprint. */
@Directive('@key(fields: "id")')
@ObjectType({
  implements: Node,
  description:
    'Log entries of severity ERROR and FATAL that are one error: of one code, thrown in one place, saying the same but for particulars. Counts, times and lists are of the entries that were asked for; the state is of all.',
})
export class ErrorGroup extends Node {
  @Field(() => ErrorGroupState, { description: 'Whether it is mended.' })
  state!: ErrorGroupState;

  @Field(() => String, { nullable: true, description: 'The error’s code, or the type of the exception.' })
  code!: string | null;

  @Field({
    description: 'Where it was thrown: the program’s own first frame; the logger or service where no stack tells.',
  })
  place!: string;

  @Field({
    description: 'What it says; `<n>`, `<uuid>`, `<text>`, `<address>` and their like stand for its particulars.',
  })
  message!: string;

  @Field(() => LogSeverity, { description: 'The gravest severity among them.' })
  severity!: LogSeverity;

  @Field(() => SCALARS.SafeInt, { description: 'How many entries.' })
  count!: number;

  @Field(() => Date, { description: 'When the first of them happened.' })
  firstSeenAt!: string;

  @Field(() => Date, { description: 'When the last of them happened.' })
  lastSeenAt!: string;

  @Field(() => [Agent], { description: 'The agents that it happened to; at most 100.' })
  agents!: Agent[];

  @Field(() => SCALARS.SafeInt, { description: 'How many agents it happened to.' })
  agentCount!: number;

  @Field(() => [String], { description: 'The versions that it happened in, `service.version`; at most 100.' })
  versions!: string[];

  @Field(() => [String], { description: 'The services that it happened in; at most 100.' })
  services!: string[];

  /** uuid of the newest entry. */
  newest!: string;

  @Field(() => Trace, { nullable: true, description: 'The trace of the newest entry that has one.' })
  trace!: Trace | null;

  @Field(() => Date, { nullable: true, description: 'When it was said to be mended.' })
  resolvedAt!: Date | null;

  @Field(() => Actor, { nullable: true, description: 'Who said so.' })
  resolvedBy!: Actor | null;

  @Field(() => String, { nullable: true, description: 'The version that it was said to be mended in.' })
  resolvedInVersion!: string | null;
}

export const { Connection: ErrorGroupConnection } = connectionOf(() => ErrorGroup, 'ErrorGroup', true);

const KEY = 'Idempotency key: a repeat returns the first outcome.';
const NOTE = 'Why, for the audit trail; up to 2,000 characters.';

@InputType({ description: 'An error that is mended.' })
export class ResolveErrorGroupInput {
  @Field(() => ID, { description: 'Global id of the group.' })
  id!: string;

  @Field(() => String, {
    nullable: true,
    description:
      'The version that it is mended in: only a later one, or one that is not told, makes it REGRESSED. Without it any later error does.',
  })
  inVersion?: string | null;

  @Field(() => String, { nullable: true, description: NOTE })
  note?: string | null;

  @Field(() => String, { nullable: true, description: KEY })
  clientMutationId?: string | null;
}

@InputType({ description: 'An error that is not mended after all.' })
export class ReopenErrorGroupInput {
  @Field(() => ID, { description: 'Global id of the group.' })
  id!: string;

  @Field(() => String, { nullable: true, description: NOTE })
  note?: string | null;

  @Field(() => String, { nullable: true, description: KEY })
  clientMutationId?: string | null;
}

@ObjectType({ description: 'What became of a change of a group of errors.' })
export class ErrorGroupPayload {
  @Field(() => ErrorGroup, { nullable: true, description: 'The group now; null when it was refused.' })
  errorGroup!: ErrorGroup | null;

  @Field(() => [UserError], { description: 'Why it was refused; empty when it was done.' })
  userErrors!: UserError[];

  @Field(() => AuditEntryReference, { nullable: true, description: 'The receipt of this mutation.' })
  auditEntry!: AuditEntryReference | null;
}
