import { Field, Float, Int, ObjectType, registerEnumType } from 'type-graphql';

export enum BottleneckKind {
  CPU = 'CPU',
  GC = 'GC',
  LOCK = 'LOCK',
  N_PLUS_ONE = 'N_PLUS_ONE',
  SLOW_DEPENDENCY = 'SLOW_DEPENDENCY',
}
registerEnumType(BottleneckKind, {
  name: 'BottleneckKind',
  description: 'What keeps an agent from being faster.',
  valuesConfig: {
    CPU: { description: 'Its own code keeps the event loop busy.' },
    GC: { description: 'It allocates so much that collecting it takes its time.' },
    LOCK: { description: 'Its tasks wait for a lock, a queue or a pool.' },
    N_PLUS_ONE: { description: 'Its tasks make many equal calls one after the other where one would do.' },
    SLOW_DEPENDENCY: { description: 'Its tasks wait for what they call.' },
  },
});

@ObjectType({ description: 'A figure that speaks for a bottleneck.' })
export class BottleneckEvidence {
  @Field({ description: 'What was measured.' })
  what!: string;

  @Field(() => Float, { description: 'How much it is.' })
  value!: number;

  @Field(() => Float, { description: 'From where on it speaks for it.' })
  bound!: number;
}

@ObjectType({ description: 'What keeps an agent from being faster, from its spans and its runtime’s figures.' })
export class BottleneckFinding {
  @Field(() => BottleneckKind, {
    nullable: true,
    description: 'The one cause that explains most; null when none stands out.',
  })
  kind!: BottleneckKind | null;

  @Field(() => Float, { description: 'How sure that is, 0 to 1; 0 without a kind.' })
  confidence!: number;

  @Field(() => String, { nullable: true, description: 'The lock, call or dependency that it is about.' })
  subject!: string | null;

  @Field({ description: 'The finding in a sentence; without a kind, why there is none.' })
  reason!: string;

  @Field(() => [BottleneckEvidence], {
    description: 'What speaks for it, the strongest first; without a kind, what was looked at.',
  })
  evidence!: BottleneckEvidence[];

  @Field(() => Int, { description: 'Tasks that were looked at: the newest.' })
  tasks!: number;
}
