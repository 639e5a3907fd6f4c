import { Arg, Ctx, Field, ID, Int, Mutation, ObjectType, Query, Resolver, Root, Subscription } from 'type-graphql';
import type { StreamedChange } from '../../../lib/events/stream.ts';
import { AuditEntryReference } from '../../../lib/graphql/references.ts';
import { ChangeKind, UserError } from '../../../lib/graphql/shared.ts';
import { uuidOf } from '../../../lib/node-id.ts';
import { connectionOf } from '../../../lib/page.ts';
import type { WriteOutcome } from '../../../lib/write/writes.ts';
import { Rollout, RolloutChange, rolloutOf } from '../entity/rollout.ts';
import type { RolloutResult } from '../service/rollout/rollouts.ts';
import { receiptOf } from './answers.ts';
import type { AgentsContext } from './context.ts';
import { RolloutActionInput, StartRolloutInput } from './rollout-inputs.ts';

const { Connection: RolloutConnection } = connectionOf(() => Rollout, 'Rollout');

@ObjectType({ description: 'What became of a change of a rollout.' })
export class RolloutPayload {
  @Field(() => Rollout, { nullable: true, description: 'The rollout after it.' })
  rollout!: Rollout | null;

  @Field(() => [UserError], { description: 'Expected failures; empty when it was done.' })
  userErrors!: UserError[];

  @Field(() => AuditEntryReference, { nullable: true, description: 'Its entry in the audit trail.' })
  auditEntry!: AuditEntryReference | null;
}

const WHICH = { description: 'Which rollout, and why.' };

@Resolver(() => Rollout)
export class RolloutResolver {
  @Query(() => Rollout, { nullable: true, description: 'One rollout; null when there is none.' })
  rollout(
    @Ctx() { services }: AgentsContext,
    @Arg('id', () => ID, { description: 'Global id of the rollout.' }) id: string,
  ): Promise<Rollout | null> {
    return services.rollouts.find(uuidOf('Rollout', id));
  }

  @Query(() => RolloutConnection, { nullable: true, description: 'Rollouts, newest first.' })
  rollouts(
    @Ctx() { services }: AgentsContext,
    @Arg('first', () => Int, { nullable: true, description: 'So many, 1 to 100.' }) first?: number,
    @Arg('after', () => String, { nullable: true, description: 'Only what follows this cursor.' }) after?: string,
  ) {
    return services.rollouts.page({ first, after });
  }

  @Mutation(() => RolloutPayload, {
    nullable: true,
    description:
      'Takes a published version into the fleet: a canary first, which must prove itself against the others, then waves; a version that does harm is taken back by itself.',
  })
  async startRollout(
    @Arg('input', { description: 'Which version, for whom, and how.' }) input: StartRolloutInput,
    @Ctx() context: AgentsContext,
  ): Promise<RolloutPayload> {
    return payload(context, await context.services.rollouts.start(context.call, input));
  }

  @Mutation(() => RolloutPayload, {
    nullable: true,
    description: 'Holds a rollout: nobody else gets the version; harm takes it back all the same.',
  })
  async pauseRollout(
    @Arg('input', WHICH) input: RolloutActionInput,
    @Ctx() context: AgentsContext,
  ): Promise<RolloutPayload> {
    return payload(context, await context.services.rollouts.act(context.call, 'pause', input));
  }

  @Mutation(() => RolloutPayload, {
    nullable: true,
    description: 'Lets a paused rollout go on; with `promote`, past what its stage has not proved.',
  })
  async resumeRollout(
    @Arg('input', WHICH) input: RolloutActionInput,
    @Ctx() context: AgentsContext,
  ): Promise<RolloutPayload> {
    return payload(context, await context.services.rollouts.act(context.call, 'resume', input));
  }

  @Mutation(() => RolloutPayload, { nullable: true, description: 'Ends a rollout and takes it back.' })
  async abortRollout(
    @Arg('input', WHICH) input: RolloutActionInput,
    @Ctx() context: AgentsContext,
  ): Promise<RolloutPayload> {
    return payload(context, await context.services.rollouts.act(context.call, 'abort', input));
  }

  @Subscription(() => RolloutChange, {
    nullable: true,
    description: 'Rollouts as they change: state, stage, where their agents are, what the evidence says.',
    subscribe: ({ args, context }) => {
      const { call, services } = context as AgentsContext;
      const after = call.lastEventId ?? (args['after'] as string | null);
      return services.rollouts.changes(args['id'] as string | null, after) as never;
    },
  })
  rolloutChanged(
    @Root() { cursor, occurredAt, kind, node }: StreamedChange,
    @Arg('id', () => ID, { nullable: true, description: 'Only this rollout.' }) _id?: string,
    @Arg('after', () => String, { nullable: true, description: 'Resume after this change’s cursor.' }) _after?: string,
  ): RolloutChange {
    return Object.assign(new RolloutChange(), { cursor, occurredAt, kind: ChangeKind[kind], node: rolloutOf(node) });
  }
}

async function payload({ services }: AgentsContext, outcome: WriteOutcome<RolloutResult>): Promise<RolloutPayload> {
  const { rollout, preview } = outcome.result ?? {};
  const shown = preview
    ? Object.assign(new Rollout(), preview)
    : rollout
      ? await services.rollouts.find(rollout)
      : null;
  return { rollout: shown, ...receiptOf(outcome) };
}
