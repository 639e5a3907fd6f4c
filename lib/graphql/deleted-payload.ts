import { Directive, Field, ObjectType } from 'type-graphql';
import { AuditEntryReference } from './references.ts';
import { UserError } from './shared.ts';

/** Houses tell the same way what became of a configuration that was to be deleted. */
@Directive('@shareable')
@ObjectType({ description: 'What became of a deletion by name.' })
export class DeletedPayload {
  @Field(() => String, { nullable: true, description: 'The name of what is gone; null when it was refused.' })
  name!: string | null;

  @Field(() => [UserError], { description: 'Why it was refused; empty when it was done.' })
  userErrors!: UserError[];

  @Field(() => AuditEntryReference, { nullable: true, description: 'Its entry in the audit trail.' })
  auditEntry!: AuditEntryReference | null;
}
