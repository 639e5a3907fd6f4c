import { Directive, Field, ID, ObjectType } from 'type-graphql';
import { nodeId } from '../node-id.ts';

/** An audit entry as the other houses know it: the receipt that a mutation's payload carries. */
@Directive('@key(fields: "id", resolvable: false)')
@ObjectType('AuditEntry')
export class AuditEntryReference {
  @Field(() => ID)
  id!: string;

  /** @param uuid of the entry, as the write unit made it */
  static of(uuid: string): AuditEntryReference {
    return Object.assign(new AuditEntryReference(), { id: nodeId('AuditEntry', uuid) });
  }
}
