import { Directive, Field, ObjectType } from 'type-graphql';
import { UserError } from '../../../lib/graphql/shared.ts';

/** As lib/graphql/deleted-payload.ts has it, but that the receipt is this house's own node. */
@Directive('@shareable')
@ObjectType('DeletedPayload', { description: 'What became of a deletion by name.' })
export class DeletedPayload {
  @Field(() => String, { nullable: true, description: 'The name of what is gone; null when it was refused.' })
  name!: string | null;

  @Field(() => [UserError], { description: 'Why it was refused; empty when it was done.' })
  userErrors!: UserError[];

  /** Bare uuid; the receipt is a field of the resolver. */
  entryUuid!: string;
}
