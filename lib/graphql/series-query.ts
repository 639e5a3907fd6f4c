import { Field, InputType, Int, registerEnumType } from 'type-graphql';
import { SCALARS } from './scalars.ts';
import { LabelMatcher, TimeRange } from './shared.ts';

/** What metrics are asked by: the metrics house answers it, alert rules carry it. One copy, identical in both. */

export enum OverTime {
  LAST = 'LAST',
  RATE = 'RATE',
  INCREASE = 'INCREASE',
  DELTA = 'DELTA',
  AVG = 'AVG',
  MIN = 'MIN',
  MAX = 'MAX',
  SUM = 'SUM',
  COUNT = 'COUNT',
  P50 = 'P50',
  P90 = 'P90',
  P95 = 'P95',
  P99 = 'P99',
}
registerEnumType(OverTime, {
  name: 'OverTime',
  description: 'What is made of one series at each step, from its samples in the window before it.',
  valuesConfig: {
    LAST: { description: 'The newest value.' },
    RATE: { description: 'Growth a second of a counter.' },
    INCREASE: { description: 'Growth of a counter.' },
    DELTA: { description: 'Difference of a gauge, last less first.' },
    AVG: { description: 'The mean.' },
    MIN: { description: 'The least.' },
    MAX: { description: 'The greatest.' },
    SUM: { description: 'The sum.' },
    COUNT: { description: 'How many samples.' },
    P50: { description: 'The median.' },
    P90: { description: 'The 90th percentile.' },
    P95: { description: 'The 95th percentile.' },
    P99: { description: 'The 99th percentile.' },
  },
});

export enum Across {
  SUM = 'SUM',
  AVG = 'AVG',
  MIN = 'MIN',
  MAX = 'MAX',
  COUNT = 'COUNT',
}
registerEnumType(Across, {
  name: 'Across',
  description: 'How series that share the `by` labels become one.',
  valuesConfig: {
    SUM: { description: 'Their sum.' },
    AVG: { description: 'Their mean.' },
    MIN: { description: 'The least of them.' },
    MAX: { description: 'The greatest of them.' },
    COUNT: { description: 'How many there are.' },
  },
});

@InputType({
  description: 'Series of one metric: `overTime` works on each, then `across` joins those that share the `by` labels.',
})
export class SeriesQuery {
  @Field({ description: 'The metric’s name.' })
  metric!: string;

  @Field(() => [LabelMatcher], { nullable: true, description: 'Only series whose labels match all of these.' })
  labels?: LabelMatcher[] | null;

  @Field(() => TimeRange, { nullable: true, description: 'The stretch of time; nothing means the last hour.' })
  range?: TimeRange | null;

  @Field(() => SCALARS.Duration, {
    nullable: true,
    description: 'Distance of two points; nothing fits the range into `maxPoints`.',
  })
  step?: string | null;

  @Field(() => Int, {
    nullable: true,
    defaultValue: 300,
    description: 'Points a series at most when `step` is not given.',
  })
  maxPoints?: number | null;

  @Field(() => OverTime, {
    nullable: true,
    defaultValue: OverTime.LAST,
    description: 'What is made of each series at each step.',
  })
  overTime?: OverTime | null;

  @Field(() => SCALARS.Duration, {
    nullable: true,
    description:
      'How far back each step looks; nothing means one step, and at least five minutes for LAST, RATE, INCREASE and DELTA.',
  })
  window?: string | null;

  @Field(() => Across, { nullable: true, description: 'How series are joined; nothing leaves them apart.' })
  across?: Across | null;

  @Field(() => [String], { nullable: true, description: 'Labels that joined series keep.' })
  by?: string[] | null;

  @Field(() => Int, { nullable: true, description: 'Only so many series: those with the greatest last value.' })
  topK?: number | null;
}
