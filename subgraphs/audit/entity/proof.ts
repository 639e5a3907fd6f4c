import { Field, ObjectType } from 'type-graphql';
import { Change, ChangeKind } from '../../../lib/graphql/shared.ts';
import { AuditEntry } from './entry.ts';

@ObjectType({
  description: 'Shows that an entry is in the tree: fold the leaf’s hash with `hashes` and get `rootHash` (RFC 6962).',
})
export class AuditProof {
  @Field({ description: 'The leaf’s place, from 0; a decimal number.' })
  leafIndex!: string;

  @Field({ description: 'Leaves of the tree that it is proved to be in; a decimal number.' })
  treeSize!: string;

  @Field(() => String, {
    nullable: true,
    description: 'The entry’s canonical bytes, base64; null once retention removed them.',
  })
  leaf!: string | null;

  @Field({ description: 'SHA-256 of a zero byte and the leaf, base64.' })
  leafHash!: string;

  @Field(() => [String], { description: 'The siblings on the way to the root, nearest first, base64.' })
  hashes!: string[];

  @Field({ description: 'The root of the tree of that size, base64; a checkpoint signs it.' })
  rootHash!: string;
}

@ObjectType({ description: 'The newest signed state of the audit log: what every proof leads up to.' })
export class AuditCheckpoint {
  @Field({ description: 'The name of this log.' })
  origin!: string;

  @Field({ description: 'Leaves in the tree; a decimal number.' })
  size!: string;

  @Field({ description: 'The tree’s root, base64.' })
  rootHash!: string;

  @Field({ description: 'The same as a signed note (C2SP tlog-checkpoint), Ed25519.' })
  signedNote!: string;

  @Field({ description: 'When it was signed.' })
  createdAt!: Date;
}

@ObjectType({ implements: Change, description: 'An entry was added to the audit log.' })
export class AuditAppended {
  cursor!: string;

  occurredAt!: Date;

  kind!: ChangeKind;

  @Field(() => AuditEntry, { description: 'The entry.' })
  node!: AuditEntry;
}
