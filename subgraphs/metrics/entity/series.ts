import { Field, Float, ObjectType } from 'type-graphql';
import { SCALARS } from '../../../lib/graphql/scalars.ts';

@ObjectType({ description: 'A value at a time; no value where there were no samples.' })
export class Point {
  @Field(() => Date, { description: 'The time of the step.' })
  time!: Date;

  @Field(() => Float, { nullable: true, description: 'The value then.' })
  value!: number | null;
}

@ObjectType({ description: 'Values of one set of labels along the steps of a query.' })
export class Series {
  @Field({ description: 'The metric’s name.' })
  metric!: string;

  @Field(() => SCALARS.Labels, { description: 'The labels it kept.' })
  labels!: Record<string, string>;

  @Field(() => [Float], {
    description: 'Times of the steps, milliseconds since 1970; the same for all series of an answer.',
  })
  times!: number[];

  @Field(() => [Float], { nullable: 'items', description: 'Values at those times; null where there is none.' })
  values!: (number | null)[];
}

@ObjectType({ description: 'What a series query found.' })
export class SeriesResult {
  @Field(() => [Series], {
    description: 'The series, greatest last value first when `topK` is given, else by their labels.',
  })
  series!: Series[];

  @Field(() => [String], { description: 'What the answer leaves out and what to do about it.' })
  warnings!: string[];
}
