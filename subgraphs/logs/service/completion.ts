import type { Clock } from '../../../lib/clock.ts';
import { FleetError } from '../../../lib/errors.ts';
import { type Completion, completions } from '../../../lib/search/complete.ts';
import { type AnalysisStore, LOG_FIELDS, nanosOf } from '../store/index.ts';
import { countedFieldOf } from './analysis.ts';

const MAX_QUERY = 2_000;
const HOUR_MS = 60 * 60_000;

/** Goes on with a search that is being written, by what was logged within the last hour. */
export class SearchCompletion {
  constructor(
    private readonly store: AnalysisStore,
    private readonly clock: Clock,
  ) {}

  /**
   * @param caret characters before it (UTF-16 code units); behind the text unless given
   * @throws BAD_INPUT for a caret outside the text, or a text longer than a search may be
   */
  async complete(query: string, caret: number | null | undefined): Promise<Completion[]> {
    if (query.length > MAX_QUERY) bad(`a query has at most ${MAX_QUERY} characters`, 'query');
    const at = caret ?? query.length;
    if (at < 0 || at > query.length) bad(`the caret is at 0 to ${query.length}`, 'caret');
    const since = { from: nanosOf(Math.max(0, this.clock.nowMs() - HOUR_MS)) };
    return await completions(query, at, LOG_FIELDS, {
      values: async (name, begin) => {
        const field = countedFieldOf(name);
        return field ? await this.store.valuesThatBegin(since, field, begin) : [];
      },
      names: async (field, begin) =>
        field === 'attributes' || field === 'resource' ? await this.store.namesThatBegin(since, field, begin) : [],
    });
  }
}

function bad(sentence: string, field: string): never {
  throw new FleetError('BAD_INPUT', sentence, { field: [field] });
}
