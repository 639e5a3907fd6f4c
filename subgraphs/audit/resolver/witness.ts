import { Ctx, FieldResolver, Query, Resolver, Root } from 'type-graphql';
import { AuditCheckpoint, AuditCosigned, AuditWitness, AuditWitnessedLog } from '../entity/index.ts';
import { cosignedOf } from '../service/cosigning/index.ts';
import type { AuditContext } from './context.ts';

/** What witnesses say of this log. */
@Resolver(() => AuditCheckpoint)
export class AuditCosignedResolver {
  @FieldResolver(() => AuditCosigned, {
    nullable: true,
    description:
      'The newest checkpoint that witnesses have cosigned, some seconds behind this one; null when none has, or none is named.',
  })
  async cosigned(
    @Root() { origin }: AuditCheckpoint,
    @Ctx() { cosignatures }: AuditContext,
  ): Promise<AuditCosigned | null> {
    return cosignedOf(await cosignatures.all(origin)) ?? null;
  }
}

/** What this instance says as the witness of others. */
@Resolver()
export class AuditWitnessResolver {
  @Query(() => AuditWitness, {
    nullable: true,
    description: 'This instance as the witness of other logs; null when it is nobody’s.',
  })
  async auditWitness(@Ctx() { desk }: AuditContext): Promise<AuditWitness | null> {
    const { key } = desk;
    if (key === undefined) return null;
    const logs = (await desk.seen()).map(({ origin, size, rootHash, cosignedAt }) =>
      Object.assign(new AuditWitnessedLog(), {
        origin,
        size: String(size),
        rootHash: rootHash.toString('base64'),
        cosignedAt,
      }),
    );
    return Object.assign(new AuditWitness(), { key, logs });
  }
}
