import { Arg, Ctx, Mutation, Query, Resolver } from 'type-graphql';
import { DeletedPayload } from '../../../lib/graphql/deleted-payload.ts';
import { DeleteByNameInput } from '../../../lib/graphql/shared.ts';
import { SavedLogSearch, SavedLogSearchInput, SavedLogSearchPayload } from '../entity/index.ts';
import type { LogContext } from './context.ts';

@Resolver()
export class SavedSearchResolver {
  @Query(() => [SavedLogSearch], { nullable: true, description: 'Searches that were given a name, by name.' })
  savedLogSearches(@Ctx() { service }: LogContext): Promise<SavedLogSearch[]> {
    return service.searches.all();
  }

  @Mutation(() => SavedLogSearchPayload, { nullable: true, description: 'Makes or changes a saved search, by name.' })
  applySavedLogSearch(
    @Arg('input', () => SavedLogSearchInput, { description: 'The search as it is to be.' }) input: SavedLogSearchInput,
    @Ctx() { service, call }: LogContext,
  ): Promise<SavedLogSearchPayload> {
    return service.searches.apply(input, call);
  }

  @Mutation(() => DeletedPayload, {
    nullable: true,
    description: 'Deletes a saved search; what asks by its name is refused from then on.',
  })
  deleteSavedLogSearch(
    @Arg('input', () => DeleteByNameInput, { description: 'Which search, by its name.' }) input: DeleteByNameInput,
    @Ctx() { service, call }: LogContext,
  ): Promise<DeletedPayload> {
    return service.searches.delete(input, call);
  }
}
