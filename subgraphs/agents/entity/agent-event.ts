import { Field, ID, ObjectType } from 'type-graphql';
import { Column, Entity, PrimaryColumn } from 'typeorm';
import { SCALARS } from '../../../lib/graphql/scalars.ts';
import { Actor } from '../../../lib/graphql/shared.ts';

/** One line of an agent's own story. */
@Entity('agent_event')
@ObjectType({ description: 'Something that happened in an agent’s life.' })
export class AgentEvent {
  @PrimaryColumn('uuid', { name: 'id' })
  @Field(() => ID, { description: 'Unique: a line that is told again is stored once.' })
  id!: string;

  @Column('uuid', { name: 'agent_id' })
  agentUuid!: string;

  @Column('timestamptz', { name: 'occurred_at' })
  @Field(() => Date, { description: 'When it happened.' })
  occurredAt!: Date;

  @Column('text')
  @Field({
    description:
      'What happened: `registered`, `state.changed`, `command.completed`, …; `hook.…` and `own.…` the agent tells itself.',
  })
  name!: string;

  @Column('jsonb')
  @Field(() => SCALARS.JSON, { description: 'The particulars.' })
  detail!: Record<string, unknown>;

  @Column('jsonb')
  @Field(() => Actor, { description: 'Who did it.' })
  actor!: Actor;
}
