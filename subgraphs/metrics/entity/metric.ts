import { Field, ObjectType, registerEnumType } from 'type-graphql';
import { SCALARS } from '../../../lib/graphql/scalars.ts';
import { connectionOf } from '../../../lib/page.ts';

export enum MetricType {
  GAUGE = 'GAUGE',
  COUNTER = 'COUNTER',
  HISTOGRAM = 'HISTOGRAM',
  SUMMARY = 'SUMMARY',
}
registerEnumType(MetricType, {
  name: 'MetricType',
  description: 'What kind of number a metric is.',
  valuesConfig: {
    GAUGE: { description: 'A value that goes up and down.' },
    COUNTER: {
      description: 'A sum that only grows, from 0 again when its process restarts: ask for its RATE or INCREASE.',
    },
    HISTOGRAM: {
      description: 'A part of a distribution: counts up to a bound (label `le`), their sum, or their number.',
    },
    SUMMARY: { description: 'A part of a distribution with quantiles made by its source (label `quantile`).' },
  },
});

/** How a growing number is told: from the start of its process, or since the last sample. */
export type Temporality = 'CUMULATIVE' | 'DELTA';

@ObjectType({ description: 'A name under which numbers are recorded, with what is known of it.' })
export class Metric {
  @Field({ description: 'Its name, as its source gave it.' })
  name!: string;

  @Field(() => MetricType, { description: 'What kind of number it is.' })
  type!: MetricType;

  @Field(() => String, { nullable: true, description: 'Unit of its values, such as `s` or `By`.' })
  unit!: string | null;

  @Field(() => String, { nullable: true, description: 'What it means, as its source says.' })
  help!: string | null;

  @Field(() => [String], { description: 'Names of the labels that its series carry.' })
  labels!: string[];

  @Field(() => SCALARS.SafeInt, { description: 'How many series it has: one for each set of labels.' })
  series!: number;

  @Field(() => Date, { nullable: true, description: 'Time of its newest sample.' })
  lastSampleAt?: Date | null;
}

export const { Connection: MetricConnection } = connectionOf(() => Metric, 'Metric');
