import { Field, ID, ObjectType } from 'type-graphql';
import { Column, Entity, PrimaryColumn } from 'typeorm';
import { SCALARS } from '../../../lib/graphql/scalars.ts';
import { Actor } from '../../../lib/graphql/shared.ts';
import { nodeId } from '../../../lib/node-id.ts';
import { CommandOutcome } from './enums.ts';

/** One piece of mail of an agent: kept until it says how it ended. */
@Entity('command')
@ObjectType('AgentCommand', { description: 'Something an agent is asked to do.' })
export class AgentCommand {
  @PrimaryColumn('uuid', { name: 'id' })
  uuid!: string;

  @Field(() => ID, { description: 'Complete it by this.' })
  get id(): string {
    return nodeId('AgentCommand', this.uuid);
  }

  /** Sealed from agent and number when it is shown. */
  @Field({ description: 'Its place in the mailbox: resume `after` it.' })
  cursor!: string;

  @Column('uuid', { name: 'agent_id' })
  agentUuid!: string;

  @Field(() => ID, { description: 'Whose mailbox it is in.' })
  get agentId(): string {
    return nodeId('Agent', this.agentUuid);
  }

  /** Its place among the agent's commands, from 1, without gaps. */
  @Column('int')
  number!: number;

  @Column('text')
  @Field({ description: 'What to do.' })
  name!: string;

  @Column('jsonb')
  @Field(() => SCALARS.JSON, { description: 'What goes with it, as the sender gave it.' })
  arguments!: unknown;

  @Column('text')
  @Field({ description: 'Proves on completion that it is still this process’s to do: another one gets another fence.' })
  fence!: string;

  @Column('timestamptz', { name: 'issued_at' })
  @Field(() => Date, { description: 'When it was asked.' })
  issuedAt!: Date;

  @Column('jsonb', { name: 'issued_by' })
  @Field(() => Actor, { description: 'Who sent it.' })
  issuedBy!: Actor;

  @Column('timestamptz', { name: 'expires_at', nullable: true })
  expiresAt!: Date | null;

  @Column('timestamptz', { name: 'completed_at', nullable: true })
  @Field(() => Date, { nullable: true, description: 'When it ended.' })
  completedAt!: Date | null;

  @Column('text', { nullable: true })
  @Field(() => CommandOutcome, { nullable: true, description: 'How it ended.' })
  outcome!: CommandOutcome | null;

  @Column('jsonb', { nullable: true })
  result!: unknown;
}
