import { Field, InputType } from 'type-graphql';
import { SCALARS } from '../../../lib/graphql/scalars.ts';
import { ConfigOperation } from '../entity/config-operation.ts';

@InputType({ description: 'A version of a kind of agents, to be published.' })
export class PublishAgentVersionInput {
  @Field({ description: 'The kind of agents, 1 to 64 characters.' })
  kind!: string;

  @Field({ description: 'A semantic version, such as 2.1.0.' })
  version!: string;

  @Field(() => SCALARS.JSON, {
    nullable: true,
    description: 'JSON Schema (2020-12) of its configuration, without references to elsewhere; nothing takes any.',
  })
  configSchema?: unknown;

  @Field(() => SCALARS.JSON, { nullable: true, description: 'What a configuration says that says nothing of it.' })
  defaults?: unknown;

  @Field(() => String, { nullable: true, description: 'The version whose configurations `operations` start from.' })
  migratesFrom?: string | null;

  @Field(() => [ConfigOperation], {
    nullable: true,
    description: 'From that version’s configuration to this one’s, in order, at most 100; the way back is computed.',
  })
  operations?: ConfigOperation[] | null;

  @Field(() => String, { nullable: true, description: 'What is new, at most 4,000 characters.' })
  notes?: string | null;

  @Field(() => Boolean, { nullable: true, description: 'Only tells what would be.' })
  dryRun?: boolean | null;

  @Field(() => String, { nullable: true, description: 'Idempotency key: a repeat returns the first outcome.' })
  clientMutationId?: string | null;
}
