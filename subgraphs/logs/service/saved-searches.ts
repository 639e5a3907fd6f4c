import type { Call } from '../../../lib/call/signing.ts';
import { FleetError } from '../../../lib/errors.ts';
import type { DeletedPayload } from '../../../lib/graphql/deleted-payload.ts';
import type { LogFilter } from '../../../lib/graphql/log-filter.ts';
import type { Actor, DeleteByNameInput } from '../../../lib/graphql/shared.ts';
import { parseSearch } from '../../../lib/search/index.ts';
import type { Writes } from '../../../lib/write/writes.ts';
import type { SavedLogSearch, SavedLogSearchInput, SavedLogSearchPayload } from '../entity/index.ts';
import { LOG_FIELDS, type NamedStore } from '../store/index.ts';
import { NamedConfiguration } from './named.ts';

type Asked = LogFilter | null | undefined;

const MAX_SEARCHES = 1_000;
const MAX_DESCRIPTION = 2_000;
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/;

/** Searches that were given a name, and what a filter that names one asks for. */
export class SavedSearches {
  readonly #configuration: NamedConfiguration<SavedLogSearch>;

  constructor(
    private readonly store: NamedStore<SavedLogSearch>,
    writes: Writes,
  ) {
    const [type, what] = ['SavedLogSearch', 'saved search'];
    this.#configuration = new NamedConfiguration({ type, what, max: MAX_SEARCHES, store, writes });
  }

  all(): Promise<SavedLogSearch[]> {
    return this.store.all();
  }

  /**
   * The filter with what its saved search says, beside its own query.
   * @throws NOT_FOUND when there is no such search; BAD_QUERY with the column in the filter's own query
   */
  async expanded(filter: Asked): Promise<Asked> {
    if (filter?.savedSearch == null) return filter;
    const { savedSearch, query, ...rest } = filter;
    const saved = await this.store.find(savedSearch);
    if (!saved) {
      throw new FleetError('NOT_FOUND', `there is no saved search ${savedSearch.slice(0, 100)}`, {
        field: ['filter', 'savedSearch'],
      });
    }
    // By itself: of both together, a column would be another one.
    if (query) parseSearch(query, LOG_FIELDS);
    return { ...rest, query: query?.trim() ? `(${query}) (${saved.query})` : saved.query };
  }

  async apply(input: SavedLogSearchInput, call: Call): Promise<SavedLogSearchPayload> {
    const { stored, ...rest } = await this.#configuration.apply(call, 'applySavedLogSearch', input, (before) => {
      const { id, kind, name } = call.principal;
      return { ...checked(input), owner: before?.owner ?? { id, kind: kind as Actor['kind'], name } };
    });
    return { ...rest, savedSearch: stored, changes: rest.changes as SavedLogSearchPayload['changes'] };
  }

  delete(input: DeleteByNameInput, call: Call): Promise<DeletedPayload> {
    return this.#configuration.delete(call, 'deleteSavedLogSearch', input);
  }
}

function checked({ name, query, description }: SavedLogSearchInput) {
  if (!NAME.test(name)) refuse('BAD_INPUT', 'a name has 1 to 63 letters, digits, dots, dashes or underscores', 'name');
  if ((description?.length ?? 0) > MAX_DESCRIPTION) {
    refuse('BAD_INPUT', `a description has at most ${MAX_DESCRIPTION} characters`, 'description');
  }
  if (!parseSearch(query, LOG_FIELDS)) refuse('BAD_QUERY', 'column 1: expected something to search for', 'query');
  return { name, query, description: description ?? '' };
}

function refuse(code: 'BAD_INPUT' | 'BAD_QUERY', sentence: string, field: string): never {
  throw new FleetError(code, sentence, { field: ['input', field] });
}
