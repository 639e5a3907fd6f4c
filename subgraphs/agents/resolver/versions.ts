import { Arg, Ctx, Field, Mutation, ObjectType, Query, Resolver } from 'type-graphql';
import { AuditEntryReference } from '../../../lib/graphql/references.ts';
import { JsonPatchOp, UserError } from '../../../lib/graphql/shared.ts';
import { AgentVersion } from '../entity/agent-version.ts';
import { receiptOf } from './answers.ts';
import type { AgentsContext } from './context.ts';
import { PublishAgentVersionInput } from './version-inputs.ts';

@ObjectType({ description: 'What became of the publication of a version.' })
export class AgentVersionPayload {
  @Field(() => AgentVersion, { nullable: true, description: 'The version.' })
  agentVersion!: AgentVersion | null;

  @Field(() => [JsonPatchOp], { description: 'What is new of it; empty when it was published before.' })
  changes!: JsonPatchOp[];

  @Field(() => [UserError], { description: 'Expected failures; empty when it was done.' })
  userErrors!: UserError[];

  @Field(() => AuditEntryReference, { nullable: true, description: 'Its entry in the audit trail.' })
  auditEntry!: AuditEntryReference | null;
}

@Resolver()
export class VersionResolver {
  @Query(() => [AgentVersion], { nullable: true, description: 'The published versions of a kind, newest first.' })
  agentVersions(
    @Ctx() { services }: AgentsContext,
    @Arg('kind', () => String, { description: 'The kind of agents.' }) kind: string,
  ): Promise<AgentVersion[]> {
    return services.versions.ofKind(kind);
  }

  @Mutation(() => AgentVersionPayload, {
    nullable: true,
    description:
      'Publishes a version of a kind of agents: the schema of its configuration and how that comes from an older version’s. Published once, it stays as it is.',
  })
  async publishAgentVersion(
    @Arg('input', { description: 'The version.' }) input: PublishAgentVersionInput,
    @Ctx() { services, call }: AgentsContext,
  ): Promise<AgentVersionPayload> {
    const outcome = await services.versions.publish(call, input);
    const { kind, version, preview, changes = [] } = outcome.result ?? {};
    const shown = preview
      ? Object.assign(new AgentVersion(), preview)
      : kind && version
        ? await services.versions.find(kind, version)
        : null;
    return { agentVersion: shown, changes, ...receiptOf(outcome) };
  }
}
