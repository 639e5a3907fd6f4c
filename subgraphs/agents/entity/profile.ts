import { Field, Float, ID, Int, ObjectType, registerEnumType } from 'type-graphql';
import { SCALARS } from '../../../lib/graphql/scalars.ts';
import { Actor } from '../../../lib/graphql/shared.ts';
import { nodeId } from '../../../lib/node-id.ts';

export enum ProfileKind {
  CPU = 'CPU',
  HEAP = 'HEAP',
}
registerEnumType(ProfileKind, {
  name: 'ProfileKind',
  description: 'What a profile looks at.',
  valuesConfig: {
    CPU: { description: 'Which functions take the time, in microseconds.' },
    HEAP: { description: 'Which functions allocate memory, in bytes.' },
  },
});

export enum ProfileState {
  ASKED = 'ASKED',
  RUNNING = 'RUNNING',
  DONE = 'DONE',
  REFUSED = 'REFUSED',
  FAILED = 'FAILED',
  EXPIRED = 'EXPIRED',
}
registerEnumType(ProfileState, {
  name: 'ProfileState',
  description: 'How far a profile is.',
  valuesConfig: {
    ASKED: { description: 'Its agent has not taken it yet.' },
    RUNNING: { description: 'Its agent makes it.' },
    DONE: { description: 'It is here.' },
    REFUSED: { description: 'Its agent will not, or cannot: `reason` says why.' },
    FAILED: { description: 'It was begun and came to nothing: `reason` says why.' },
    EXPIRED: { description: 'Its agent was not heard in time.' },
  },
});

@ObjectType({ description: 'What one function costs in a profile.' })
export class ProfileFunction {
  @Field({ description: 'What it is called; `(anonymous)` when it has no name.' })
  name!: string;

  @Field({ description: 'The file it is in; empty for the runtime’s own.' })
  file!: string;

  @Field(() => Int, { description: 'The line it begins at; 0 when nobody knows.' })
  line!: number;

  @Field(() => Float, { description: 'Its own share of the whole, 0 to 1.' })
  self!: number;

  @Field(() => Float, { description: 'Its share with all that it calls, 0 to 1.' })
  total!: number;
}

/** A profile without its file, and how its command ended. */
@ObjectType({ description: 'Where an agent’s time or memory went for some seconds.' })
export class AgentProfile {
  uuid!: string;
  agentUuid!: string;
  commandUuid!: string;

  @Field(() => ID, { description: 'Unique.' })
  get id(): string {
    return nodeId('AgentProfile', this.uuid);
  }

  @Field(() => ID, { description: 'Whose it is.' })
  get agentId(): string {
    return nodeId('Agent', this.agentUuid);
  }

  @Field(() => ProfileKind, { description: 'What it looks at.' })
  kind!: ProfileKind;

  @Field(() => Int, { description: 'How long it looks.' })
  seconds!: number;

  @Field(() => Date, { description: 'When it was asked for.' })
  askedAt!: Date;

  @Field(() => Actor, { description: 'Who asked.' })
  askedBy!: Actor;

  @Field(() => Date, { description: 'When it counts as EXPIRED unless it is here.' })
  expiresAt!: Date;

  @Field(() => ProfileState, { description: 'How far it is.' })
  state!: ProfileState;

  @Field(() => String, { nullable: true, description: 'Why it was refused or failed.' })
  reason!: string | null;

  @Field(() => Date, { nullable: true, description: 'When it came, or failed.' })
  finishedAt!: Date | null;

  @Field(() => Int, { nullable: true, description: 'Stacks or allocations that were looked at.' })
  samples!: number | null;

  @Field(() => Float, { nullable: true, description: 'Microseconds that ran, or bytes that were allocated.' })
  total!: number | null;

  @Field(() => SCALARS.SafeInt, {
    nullable: true,
    description: 'Size of its file, packed: `GET /v1/profiles?id=` gives it.',
  })
  sizeBytes!: number | null;

  @Field(() => [ProfileFunction], { description: 'Its costliest functions, at most 50.' })
  top!: ProfileFunction[];
}
