import { Field, Float, Int, ObjectType, registerEnumType } from 'type-graphql';
import { Column, Entity, PrimaryColumn } from 'typeorm';

export enum HealthFactor {
  SILENCE = 'SILENCE',
  LATENESS = 'LATENESS',
  FAILURE = 'FAILURE',
  QUARANTINE = 'QUARANTINE',
  ERRORS = 'ERRORS',
  LATENCY = 'LATENCY',
  CHECKS = 'CHECKS',
  RESTARTS = 'RESTARTS',
  QUEUE = 'QUEUE',
  CPU = 'CPU',
  MEMORY = 'MEMORY',
  ANOMALY = 'ANOMALY',
  SPEND = 'SPEND',
  DEPENDENCY = 'DEPENDENCY',
}
registerEnumType(HealthFactor, {
  name: 'HealthFactor',
  description: 'What a health score is made of.',
  valuesConfig: {
    SILENCE: { description: 'Its lease has ended.' },
    LATENESS: { description: 'A beat is missing.' },
    FAILURE: { description: 'It says that it failed.' },
    QUARANTINE: { description: 'It is kept from work.' },
    ERRORS: { description: 'The share of its requests that fail.' },
    LATENCY: { description: 'How long its requests take on average, milliseconds.' },
    CHECKS: { description: 'How many of its own checks fail, three at most.' },
    RESTARTS: { description: 'How often it was started anew within ten minutes.' },
    QUEUE: { description: 'How many pieces of work wait.' },
    CPU: { description: 'The share of a processor it uses.' },
    MEMORY: { description: 'How its memory compares with what it used over the last minutes.' },
    ANOMALY: { description: 'How far its latency or errors are from its own habit, in usual deviations.' },
    SPEND: { description: 'What it spent within the hour, as a share of its budget.' },
    DEPENDENCY: { description: 'What it depends on is the cause of its trouble.' },
  },
});

@ObjectType({ description: 'What one factor can take from a score.' })
export class HealthWeight {
  @Field(() => HealthFactor, { description: 'What is weighed.' })
  factor!: HealthFactor;

  @Field(() => Int, { description: 'The most it takes, 0 to 100; 0 turns it off.' })
  points!: number;

  @Field(() => Float, { description: 'Up to this value it takes nothing.' })
  from!: number;

  @Field(() => Float, { description: 'From this value on it takes all its points; between them in proportion.' })
  to!: number;
}

/** One version of the weights: the row and the GraphQL type are the same class. */
@Entity('health_model')
@ObjectType({ description: 'How health scores are computed.' })
export class HealthModel {
  @PrimaryColumn('int')
  @Field(() => Int, { description: 'Counts its changes, from 1; 0 is the one that is built in.' })
  version!: number;

  @Column('jsonb')
  @Field(() => [HealthWeight], { description: 'What each factor can take from 100.' })
  weights!: HealthWeight[];

  @Column('timestamptz', { name: 'applied_at' })
  @Field(() => Date, { nullable: true, description: 'Since when it holds; null for the one that is built in.' })
  appliedAt!: Date | null;
}
