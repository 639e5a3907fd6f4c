import { Directive, Field, ObjectType } from 'type-graphql';
import { LogSeverity } from '../../../lib/graphql/log-filter.ts';
import { SCALARS } from '../../../lib/graphql/scalars.ts';
import { Node } from '../../../lib/graphql/shared.ts';
import { connectionOf } from '../../../lib/page.ts';
import { Agent, Trace } from './references.ts';

/** One line of a log. Kept in ClickHouse (store/tables.ts); its id is made of its place there. */
@Directive('@key(fields: "id")')
@ObjectType({ implements: Node, description: 'One line of a log: what a program said, when, and how grave it is.' })
export class LogEntry extends Node {
  /** Its place in the table, behind its id. */
  place!: { time: string; stamp: number; seq: number };

  @Field(() => Date, { description: 'When it happened, by the program that wrote it; its nanoseconds are kept.' })
  time!: string;

  @Field(() => Date, { description: 'When it was observed: retention counts from here.' })
  observedAt!: string;

  @Field(() => LogSeverity, { description: 'How much it matters.' })
  severity!: LogSeverity;

  @Field({ description: 'The service that wrote it, `service.name`.' })
  service!: string;

  @Field({ description: 'What it says; a structured body is JSON text.' })
  body!: string;

  @Field(() => SCALARS.JSON, { description: 'What else it says, by name.' })
  attributes!: unknown;

  @Field(() => SCALARS.JSON, { description: 'What is known of the program that wrote it.' })
  resource!: unknown;

  @Field(() => String, { nullable: true, description: 'The trace it belongs to, 32 hexadecimal digits.' })
  traceId!: string | null;

  @Field(() => String, { nullable: true, description: 'The span it belongs to, 16 hexadecimal digits.' })
  spanId!: string | null;

  @Field(() => Agent, { nullable: true, description: 'The agent that wrote it.' })
  agent!: Agent | null;

  @Field(() => Trace, { nullable: true, description: 'The trace it belongs to.' })
  trace!: Trace | null;
}

export const { Connection: LogConnection } = connectionOf(() => LogEntry, 'Log', true);

@ObjectType({ description: 'New log entries, in the order they became durable.' })
export class LogTail {
  @Field({ description: 'Resume after these entries with `after`.' })
  cursor!: string;

  @Field(() => [LogEntry], { description: 'At most 500 entries.' })
  entries!: LogEntry[];

  @Field(() => SCALARS.SafeInt, {
    description: 'Matching entries that were left out before these; 0 unless the reader fell behind what is kept.',
  })
  missed!: number;
}

@ObjectType({ description: 'How many entries fall into one stretch of time.' })
export class LogBucket {
  @Field(() => Date, { description: 'Where the stretch begins.' })
  time!: Date;

  @Field(() => String, {
    nullable: true,
    description:
      'The group counted: a severity, a service or an agent’s id; null for all, or for entries without an agent.',
  })
  group!: string | null;

  @Field(() => SCALARS.SafeInt, { description: 'How many entries.' })
  count!: number;
}
