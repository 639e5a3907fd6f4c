import { Field, ID, ObjectType } from 'type-graphql';
import { Column, Entity, PrimaryColumn } from 'typeorm';
import { SCALARS } from '../../../lib/graphql/scalars.ts';
import { Actor } from '../../../lib/graphql/shared.ts';
import { nodeId } from '../../../lib/node-id.ts';
import { ConfigOperation } from './config-operation.ts';

/** What a version of a kind of agents is configured by. Published once, never changed. */
@Entity('agent_version')
@ObjectType({
  description:
    'A published version of a kind of agents: what it is configured by, and how that comes from an older version’s.',
})
export class AgentVersion {
  @PrimaryColumn('uuid', { name: 'id' })
  uuid!: string;

  @Field(() => ID, { description: 'Opaque, stable for life.' })
  get id(): string {
    return nodeId('AgentVersion', this.uuid);
  }

  @Column('text')
  @Field({ description: 'The kind of agents.' })
  kind!: string;

  @Column('text')
  @Field({ description: 'A semantic version, unique for its kind.' })
  version!: string;

  @Column('jsonb', { name: 'config_schema', nullable: true })
  @Field(() => SCALARS.JSON, {
    nullable: true,
    description: 'JSON Schema (2020-12) of its configuration; null takes any.',
  })
  configSchema!: Record<string, unknown> | null;

  @Column('jsonb')
  @Field(() => SCALARS.JSON, { description: 'What a configuration says that says nothing of it.' })
  defaults!: Record<string, unknown>;

  @Column('text', { name: 'migrates_from', nullable: true })
  @Field(() => String, { nullable: true, description: 'The version whose configurations `operations` start from.' })
  migratesFrom!: string | null;

  @Column('jsonb')
  @Field(() => [ConfigOperation], {
    description: 'From that version’s configuration to this one’s, and backwards to its.',
  })
  operations!: ConfigOperation[];

  @Column('text', { nullable: true })
  @Field(() => String, { nullable: true, description: 'What is new.' })
  notes!: string | null;

  @Column('timestamptz', { name: 'published_at' })
  @Field(() => Date, { description: 'When it was published.' })
  publishedAt!: Date;

  @Column('jsonb', { name: 'published_by' })
  @Field(() => Actor, { description: 'Who published it.' })
  publishedBy!: Actor;
}

/** What is compared when a version is published again: what it does. */
export function contentOf({ configSchema, defaults, migratesFrom, operations, notes }: AgentVersion) {
  return { configSchema, defaults, migratesFrom, operations, notes };
}
