import { Field, ID, ObjectType } from 'type-graphql';
import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { Scope } from '../../../lib/call/principal.ts';
import { Actor } from '../../../lib/graphql/shared.ts';

/** A key of a script. Its secret is nowhere: the table has its SHA-256. */
@Entity('api_key')
@ObjectType({ description: 'A credential of a script or a service.' })
export class ApiKey {
  @PrimaryColumn('uuid')
  @Field(() => ID, { description: 'Also the id of the actor that uses it.' })
  id!: string;

  @Column('text')
  @Field({ description: 'What it is for.' })
  name!: string;

  @Column('jsonb')
  @Field(() => [String], { description: 'What it may do.' })
  scopes!: Scope[];

  @Column('bytea', { select: false })
  hash!: Buffer;

  @Column('double precision', { name: 'requests_per_second', nullable: true })
  requestsPerSecond!: number | null;

  @Column('timestamptz', { name: 'created_at' })
  @Field(() => Date, { description: 'When it was made.' })
  createdAt!: Date;

  @Column('timestamptz', { name: 'expires_at', nullable: true })
  @Field(() => Date, { nullable: true, description: 'When it ends by itself.' })
  expiresAt!: Date | null;

  @Column('timestamptz', { name: 'last_used_at', nullable: true })
  @Field(() => Date, { nullable: true, description: 'When it was last used, within seconds.' })
  lastUsedAt!: Date | null;

  @Column('timestamptz', { name: 'revoked_at', nullable: true })
  @Field(() => Date, { nullable: true, description: 'When it was revoked.' })
  revokedAt!: Date | null;

  @Column('jsonb', { name: 'created_by' })
  @Field(() => Actor, { description: 'Who made it.' })
  createdBy!: Actor;
}

/** An agent's token. Its secret is nowhere: the table has its SHA-256. */
@Entity('agent_token')
export class AgentToken {
  @PrimaryColumn('uuid')
  id!: string;

  @Column('uuid', { name: 'agent_id' })
  agentUuid!: string;

  /** Which process of the agent it was given to. */
  @Column('int')
  incarnation!: number;

  @Column('bytea', { select: false })
  hash!: Buffer;

  @Column('timestamptz', { name: 'created_at' })
  createdAt!: Date;

  @Column('timestamptz', { name: 'last_used_at', nullable: true })
  lastUsedAt!: Date | null;

  @Column('timestamptz', { name: 'revoked_at', nullable: true })
  revokedAt!: Date | null;
}
