import { Directive, Field, Float, ID, InputType, ObjectType } from 'type-graphql';
import { SCALARS } from '../../../lib/graphql/scalars.ts';
import { TimeRange } from '../../../lib/graphql/shared.ts';
import { connectionOf } from '../../../lib/page.ts';

@ObjectType({ description: 'One piece of work within a trace.' })
export class Span {
  @Field({ description: 'Its id in the trace, 16 hexadecimal digits.' })
  spanId!: string;

  @Field(() => String, { nullable: true, description: 'The span it is part of; null for one that began the trace.' })
  parentSpanId!: string | null;

  @Field({ description: 'What was done.' })
  name!: string;

  @Field({ description: 'Which service did it.' })
  service!: string;

  @Field({ description: 'INTERNAL, SERVER, CLIENT, PRODUCER, CONSUMER or UNSPECIFIED.' })
  kind!: string;

  @Field(() => SCALARS.DateTime, { description: 'When it began, to the nanosecond.' })
  startedAt!: string;

  @Field(() => Float, { description: 'How long it took, milliseconds.' })
  durationMs!: number;

  @Field({ description: 'Whether it failed.' })
  error!: boolean;

  @Field(() => SCALARS.JSON, {
    description: 'What its source says of it; `otel.status_description` among it when it failed with one.',
  })
  attributes!: Record<string, unknown>;

  @Field(() => SCALARS.JSON, { description: 'What happened during it: a list of time, name and attributes.' })
  events!: unknown[];

  /** The agent's global id, or empty. */
  agentId!: string;
}

/** What the spans of a trace make together. */
export interface TraceSummary {
  services: string[];
  errors: number;
  /** RFC 3339, nanoseconds. */
  startedAt: string;
  durationMs: number;
}

@Directive('@key(fields: "traceId")')
@ObjectType({
  description: 'Work that crossed services, as the spans that were recorded of it. An unknown one is empty.',
})
export class Trace {
  @Field({ description: '32 hexadecimal digits.' })
  traceId!: string;

  /** Known when it came from a list. */
  summary?: TraceSummary;

  static of(traceId: string, summary?: TraceSummary): Trace {
    return Object.assign(new Trace(), { traceId }, summary ? { summary } : {});
  }
}

export const { Connection: TraceConnection } = connectionOf(() => Trace, 'Trace');

@InputType({ description: 'Which traces: lists mean any of, and all parts must hold, each by any of the spans.' })
export class TraceFilter {
  @Field(() => String, {
    nullable: true,
    description: 'An expression of the search language over names, services and attributes of spans.',
  })
  query?: string | null;

  @Field(() => [String], { nullable: true, description: 'Traces that any of these services took part in.' })
  services?: string[] | null;

  @Field(() => [ID], { nullable: true, description: 'Traces that any of these agents took part in, by id.' })
  agentIds?: string[] | null;

  @Field(() => Float, { nullable: true, description: 'Traces that took at least so long, milliseconds.' })
  minDurationMs?: number | null;

  @Field(() => Boolean, { nullable: true, description: 'Only traces with a failed span, or only those without.' })
  errors?: boolean | null;

  @Field(() => TimeRange, {
    nullable: true,
    description: 'Traces that began in this stretch; nothing means all that is kept.',
  })
  range?: TimeRange | null;
}
