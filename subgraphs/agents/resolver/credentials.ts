import { Arg, Ctx, Mutation, Query, Resolver } from 'type-graphql';
import type { WriteOutcome } from '../../../lib/write/writes.ts';
import { ApiKey } from '../entity/credential.ts';
import { Viewer } from '../entity/fleet.ts';
import type { KeyResult } from '../service/credentials.ts';
import { actorOf } from '../service/record.ts';
import { receiptOf } from './answers.ts';
import type { AgentsContext } from './context.ts';
import { CreateApiKeyInput, RevokeApiKeyInput } from './inputs.ts';
import { ApiKeyPayload } from './payloads.ts';

@Resolver()
export class CredentialResolver {
  @Query(() => Viewer, { nullable: true, description: 'Who the caller is.' })
  viewer(@Ctx() { call: { principal } }: AgentsContext): Viewer {
    const { scopes, expiresAtMs } = principal;
    return { actor: actorOf(principal), scopes, expiresAt: expiresAtMs === undefined ? null : new Date(expiresAtMs) };
  }

  @Query(() => [ApiKey], { nullable: true, description: 'All API keys, newest first, the revoked ones too.' })
  apiKeys(@Ctx() { services }: AgentsContext): Promise<ApiKey[]> {
    return services.credentials.keys();
  }

  @Mutation(() => ApiKeyPayload, { nullable: true, description: 'Makes an API key and shows its secret this once.' })
  async createApiKey(
    @Arg('input', { description: 'What it is for, and what it may do.' }) input: CreateApiKeyInput,
    @Ctx() context: AgentsContext,
  ): Promise<ApiKeyPayload> {
    return keyPayload(context, await context.services.credentials.createKey(context.call, input));
  }

  @Mutation(() => ApiKeyPayload, { nullable: true, description: 'Ends an API key at once.' })
  async revokeApiKey(
    @Arg('input', { description: 'Which key, and why.' }) input: RevokeApiKeyInput,
    @Ctx() context: AgentsContext,
  ): Promise<ApiKeyPayload> {
    return keyPayload(context, await context.services.credentials.revokeKey(context.call, input));
  }
}

async function keyPayload({ services }: AgentsContext, outcome: WriteOutcome<KeyResult>): Promise<ApiKeyPayload> {
  const id = outcome.result?.key;
  return {
    apiKey: id ? await services.credentials.find(id) : null,
    secret: outcome.secret ?? null,
    ...receiptOf(outcome),
  };
}
