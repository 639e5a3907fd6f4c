import { ArgsType, Field, Int } from 'type-graphql';
import { AlertFilter } from './inputs.ts';

@ArgsType()
export class ForwardArgs {
  @Field(() => Int, { nullable: true, description: 'The first so many; 1 to 100, 50 without it.' })
  first?: number | null;

  @Field(() => String, { nullable: true, description: 'Those behind this cursor.' })
  after?: string | null;
}

@ArgsType()
export class NewestAlertsArgs extends ForwardArgs {
  @Field(() => AlertFilter, { nullable: true, description: 'Which alerts.' })
  filter?: AlertFilter | null;
}

@ArgsType()
export class AlertsArgs extends NewestAlertsArgs {
  @Field(() => Int, { nullable: true, description: 'The last so many; 1 to 100.' })
  last?: number | null;

  @Field(() => String, { nullable: true, description: 'Those before this cursor.' })
  before?: string | null;
}
