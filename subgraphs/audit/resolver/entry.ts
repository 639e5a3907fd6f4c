import { Ctx, FieldResolver, Resolver, Root } from 'type-graphql';
import { SCALARS } from '../../../lib/graphql/scalars.ts';
import { Actor, JsonPatchOp, Node } from '../../../lib/graphql/shared.ts';
import { patchOf } from '../../../lib/json-patch.ts';
import { readNodeId } from '../../../lib/node-id.ts';
import { Agent, Alert, AlertRule, AuditEntry, AuditProof, LogEntry } from '../entity/index.ts';
import { contentOf } from '../service/leaf.ts';
import type { AuditContext } from './context.ts';

/** Node types that an entry may be about, as stubs for the houses that own them. */
const TARGETS: Record<string, new () => { id: string }> = { Agent, Alert, AlertRule, LogEntry };

@Resolver(() => AuditEntry)
export class AuditEntryResolver {
  @FieldResolver(() => String, {
    nullable: true,
    description: 'Its leaf’s place in the tree, from 0, a decimal number; null until it has one.',
  })
  index(@Root() { position }: AuditEntry): string | null {
    return position === null ? null : String(BigInt(position) - 1n);
  }

  @FieldResolver(() => Actor, { description: 'Who attempted it.' })
  actor(@Root() { actorId, actorKind, actorName }: AuditEntry): Actor {
    return { id: actorId, kind: actorKind, name: actorName };
  }

  @FieldResolver(() => Node, {
    nullable: true,
    description: 'What it was aimed at, as it is now; null where it is no node.',
  })
  target(
    @Root() { targetType, targetId }: AuditEntry,
    @Ctx() { loaders }: AuditContext,
  ): Promise<Node | null> | Node | null {
    const read = readNodeId(targetId);
    if (read?.type !== targetType) return null;
    if (targetType === 'AuditEntry') return loaders.entry.load(read.uuid);
    const Target = TARGETS[targetType];
    return Target ? Object.assign(new Target(), { id: targetId }) : null;
  }

  @FieldResolver(() => SCALARS.JSON, { nullable: true, description: 'The value before, secrets redacted.' })
  before(@Root() { leaf }: AuditEntry): unknown {
    return contentOf(leaf).before;
  }

  @FieldResolver(() => SCALARS.JSON, { nullable: true, description: 'The value after, secrets redacted.' })
  after(@Root() { leaf }: AuditEntry): unknown {
    return contentOf(leaf).after;
  }

  @FieldResolver(() => [JsonPatchOp], { description: 'What turned the value before into the one after, RFC 6902.' })
  changes(@Root() { leaf }: AuditEntry): JsonPatchOp[] {
    const { before, after } = contentOf(leaf);
    return patchOf(before, after);
  }

  @FieldResolver(() => AuditEntry, { nullable: true, description: 'The entry that set this one off.' })
  causedBy(@Root() { causedBy }: AuditEntry, @Ctx() { loaders }: AuditContext): Promise<AuditEntry | null> | null {
    return causedBy === null ? null : loaders.entry.load(causedBy);
  }

  @FieldResolver(() => String, {
    description: 'SHA-256 of a zero byte and the entry’s canonical bytes, base64: its receipt.',
  })
  leafHash(@Root() { leafHash }: AuditEntry): string {
    return leafHash.toString('base64');
  }

  @FieldResolver(() => AuditProof, {
    nullable: true,
    description:
      'Its proof against the newest checkpoint. Waits up to 2 s for the leaf to be in the tree, then null with AUDIT_PENDING.',
  })
  proof(@Root() entry: AuditEntry, @Ctx() { loaders }: AuditContext): Promise<AuditProof> {
    return loaders.proof.load(entry);
  }
}
