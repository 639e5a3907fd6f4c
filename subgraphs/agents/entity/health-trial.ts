import { Field, Float, Int, ObjectType } from 'type-graphql';
import { Agent } from './agent.ts';
import { HealthGrade } from './enums.ts';

@ObjectType({ description: 'Minutes that would have been graded otherwise.' })
export class HealthTrialMove {
  @Field(() => HealthGrade, { description: 'The grade by the weights that hold.' })
  from!: HealthGrade;

  @Field(() => HealthGrade, { description: 'The grade by the weights that are tried.' })
  to!: HealthGrade;

  @Field(() => Int, { description: 'How many minutes of agents.' })
  minutes!: number;
}

@ObjectType({ description: 'An agent whose scores would have been others.' })
export class HealthTrialAgent {
  @Field(() => Agent, { nullable: true, description: 'The agent that was judged anew.' })
  agent!: Agent | null;

  @Field(() => Int, { description: 'How many of its minutes were looked at.' })
  minutes!: number;

  @Field(() => Float, { description: 'Its mean score by the weights that hold.' })
  meanScore!: number;

  @Field(() => Float, { description: 'Its mean score by the weights that are tried.' })
  triedMeanScore!: number;
}

@ObjectType({ description: 'What other weights would have made of what was.' })
export class HealthTrial {
  @Field(() => Int, { description: 'How many minutes of agents were looked at; a day is kept, of 1,000 agents.' })
  minutes!: number;

  @Field(() => [HealthTrialMove], { description: 'Those that would have had another grade, the most frequent first.' })
  moves!: HealthTrialMove[];

  @Field(() => [HealthTrialAgent], { description: 'The 20 agents whose scores would have differed the most.' })
  agents!: HealthTrialAgent[];
}
