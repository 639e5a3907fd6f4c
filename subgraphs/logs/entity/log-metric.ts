import { Field, Float, InputType, Int, ObjectType, registerEnumType } from 'type-graphql';
import { Column, Entity, PrimaryColumn } from 'typeorm';
import { LogFilter } from '../../../lib/graphql/log-filter.ts';
import { AuditEntryReference } from '../../../lib/graphql/references.ts';
import { SCALARS } from '../../../lib/graphql/scalars.ts';
import { JsonPatchOp, UserError } from '../../../lib/graphql/shared.ts';

export enum LogMetricKind {
  COUNTER = 'COUNTER',
  GAUGE = 'GAUGE',
  HISTOGRAM = 'HISTOGRAM',
}
registerEnumType(LogMetricKind, {
  name: 'LogMetricKind',
  description: 'What is made of the log entries that match.',
  valuesConfig: {
    COUNTER: { description: 'How many there were.' },
    GAUGE: { description: 'The number that the newest one says.' },
    HISTOGRAM: { description: 'How the numbers that they say are spread.' },
  },
});

@Entity('log_metric')
@ObjectType({
  description: 'A metric that is made of log entries as they are stored; the metrics house has its samples.',
})
export class LogMetric {
  @Field({ description: 'Its name, and the metric’s.' })
  @PrimaryColumn('text')
  name!: string;

  @Field(() => Int, { description: 'Counts its changes. With each the series begin anew.' })
  @Column('int')
  version!: number;

  @Field({ description: 'What it is for.' })
  @Column('text')
  description!: string;

  @Field(() => LogMetricKind, { description: 'What is made of the entries.' })
  @Column('text')
  kind!: LogMetricKind;

  @Field(() => SCALARS.JSON, { description: 'Which entries: a LogFilter.' })
  @Column('jsonb')
  filter!: LogFilter;

  @Field(() => String, { nullable: true, description: 'Where an entry says its number, e.g. `attributes.durationMs`.' })
  @Column('text', { nullable: true })
  value!: string | null;

  @Field(() => [String], { description: 'What entries are told apart by: fields of the search language.' })
  @Column('jsonb')
  by!: string[];

  @Field(() => [Float], { description: 'Upper bounds of a histogram’s buckets, rising; `+Inf` is always there.' })
  @Column('jsonb')
  buckets!: number[];

  @Field(() => Int, {
    description: 'How many series it has at most; what is beyond is one more, with `otel_metric_overflow`.',
  })
  @Column('int', { name: 'max_series' })
  maxSeries!: number;
}

@InputType({ description: 'A metric of log entries to make or change, by name.' })
export class LogMetricInput {
  @Field({ description: 'Its name: letters, digits, `_` and `:`, no digit in front.' })
  name!: string;

  @Field(() => String, { nullable: true, description: 'What it is for.' })
  description?: string | null;

  @Field(() => LogMetricKind, { description: 'What is made of the entries.' })
  kind!: LogMetricKind;

  @Field(() => LogFilter, { nullable: true, description: 'Which entries, without a range; all when absent.' })
  filter?: LogFilter | null;

  @Field(() => String, {
    nullable: true,
    description: 'Where an entry says its number, e.g. `attributes.durationMs`; a GAUGE and a HISTOGRAM have one.',
  })
  value?: string | null;

  @Field(() => [String], {
    nullable: true,
    description: 'At most 5 of `service`, `severity`, `agent`, `attributes.<name>` and `resource.<name>`.',
  })
  by?: string[] | null;

  @Field(() => [Float], { nullable: true, description: 'Upper bounds of a histogram’s buckets, rising; at most 50.' })
  buckets?: number[] | null;

  @Field(() => Int, { nullable: true, defaultValue: 100, description: 'How many series it has at most; 1 to 1,000.' })
  maxSeries?: number | null;

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

@ObjectType({ description: 'How far a metric of log entries is.' })
export class LogMetricProgress {
  @Field({ description: 'Every entry that was stored up to here is in its samples, and none that came later.' })
  countedUntil!: Date;

  @Field(() => Int, { description: 'How many series it has.' })
  series!: number;

  @Field({ description: 'Whether entries are in the series with `otel_metric_overflow`, because there were too many.' })
  isOverflowing!: boolean;
}

@ObjectType({ description: 'What became of a metric of log entries.' })
export class LogMetricPayload {
  @Field(() => LogMetric, {
    nullable: true,
    description: 'The metric as it is, or as it would be after a dry run; null when it was refused.',
  })
  metric!: LogMetric | null;

  @Field(() => [JsonPatchOp], { description: 'What changed, or would change.' })
  changes!: JsonPatchOp[];

  @Field(() => [UserError], { description: 'Why it was refused, if it was.' })
  userErrors!: UserError[];

  @Field(() => AuditEntryReference, { nullable: true, description: 'The receipt of this mutation.' })
  auditEntry!: AuditEntryReference | null;
}
