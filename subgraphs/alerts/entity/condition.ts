import { Field, Float, InputType, Int, registerEnumType } from 'type-graphql';
import { AgentPresence } from '../../../lib/graphql/agent-presence.ts';
import { LogFilter, LogGroup } from '../../../lib/graphql/log-filter.ts';
import { SCALARS } from '../../../lib/graphql/scalars.ts';
import { SeriesQuery } from '../../../lib/graphql/series-query.ts';

@InputType({ description: 'Series that leave their bounds; each that does is an alert of its own.' })
export class MetricConditionInput {
  @Field(() => SeriesQuery, { description: 'Which series; `range.last` says how far back, five minutes without it.' })
  query!: SeriesQuery;

  @Field(() => Float, { nullable: true, description: 'Breached when the newest value is greater.' })
  above?: number | null;

  @Field(() => Float, { nullable: true, description: 'Breached when the newest value is less.' })
  below?: number | null;
}

@InputType({ description: 'More log entries in a window than there should be.' })
export class LogConditionInput {
  @Field(() => LogFilter, { description: 'Which entries are counted; the window takes the place of its range.' })
  filter!: LogFilter;

  @Field(() => SCALARS.Duration, { description: 'How far back entries are counted.' })
  window!: string;

  @Field(() => SCALARS.SafeInt, { description: 'Breached by more entries than this.' })
  above!: number;

  @Field(() => LogGroup, {
    nullable: true,
    description: 'Counts each group apart; each that breaches is an alert of its own.',
  })
  groupBy?: LogGroup | null;
}

export enum ErrorSign {
  NEW = 'NEW',
  REGRESSED = 'REGRESSED',
  ANY = 'ANY',
}
registerEnumType(ErrorSign, {
  name: 'ErrorSign',
  description: 'Which groups of errors a rule is about.',
  valuesConfig: {
    NEW: { description: 'Those that failed for the first time within the window.' },
    REGRESSED: { description: 'Those that came again after they were said to be mended.' },
    ANY: { description: 'All that nobody said to be mended.' },
  },
});

@InputType({
  description:
    'Groups of errors that nobody has mended; each is an alert of its own, with its code, place and service as labels. Resolving the group resolves the alert.',
})
export class ErrorConditionInput {
  @Field(() => ErrorSign, { description: 'Which groups.' })
  sign!: ErrorSign;

  @Field(() => LogFilter, {
    nullable: true,
    description: 'Which entries are counted, all errors without it; the window takes the place of its range.',
  })
  filter?: LogFilter | null;

  @Field(() => SCALARS.Duration, { description: 'How far back entries are counted.' })
  window!: string;

  @Field(() => SCALARS.SafeInt, {
    nullable: true,
    description: 'Breached by more entries of one group than this; by any without it.',
  })
  above?: number | null;
}

@InputType({ description: 'Agents with this presence; each is an alert of its own.' })
export class PresenceConditionInput {
  @Field(() => [String], { nullable: true, description: 'Only agents of these kinds.' })
  kinds?: string[] | null;

  @Field(() => AgentPresence, { description: 'The presence that breaches.' })
  presence!: AgentPresence;
}

@InputType({ description: 'Agents whose health is too low; each is an alert of its own.' })
export class HealthConditionInput {
  @Field(() => [String], { nullable: true, description: 'Only agents of these kinds.' })
  kinds?: string[] | null;

  @Field(() => Int, { description: 'Breached by a lower score, 1 to 100.' })
  below!: number;
}

@InputType({ description: 'What a rule watches: exactly one of its fields.' })
export class AlertConditionInput {
  @Field(() => MetricConditionInput, { nullable: true, description: 'A metric leaves its bounds.' })
  metric?: MetricConditionInput | null;

  @Field(() => LogConditionInput, { nullable: true, description: 'Too many log entries.' })
  logs?: LogConditionInput | null;

  @Field(() => ErrorConditionInput, { nullable: true, description: 'An error is new, came again, or comes too often.' })
  errors?: ErrorConditionInput | null;

  @Field(() => PresenceConditionInput, { nullable: true, description: 'An agent is away.' })
  presence?: PresenceConditionInput | null;

  @Field(() => HealthConditionInput, { nullable: true, description: 'An agent is unwell.' })
  health?: HealthConditionInput | null;
}

/** A condition as it is stored: exactly one part, without what was not given. */
export type Condition =
  | { metric: MetricConditionInput }
  | { logs: LogConditionInput }
  | { errors: ErrorConditionInput }
  | { presence: PresenceConditionInput }
  | { health: HealthConditionInput };
