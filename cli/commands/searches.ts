import type { Command } from 'commander';
import type { UserError } from '../../sdk/index.ts';
import { settled } from '../client.ts';
import { contextOf, type Surface } from '../context.ts';

const SHOWN = 'name version query description owner { id name }';
const LIST = `query SavedLogSearches { savedLogSearches { ${SHOWN} } }`;
const APPLY = `mutation ApplySavedLogSearch($input: SavedLogSearchInput!) {
  applySavedLogSearch(input: $input) { savedSearch { ${SHOWN} } userErrors { code message field } }
}`;
const DELETE = `mutation DeleteSavedLogSearch($input: DeleteByNameInput!) {
  deleteSavedLogSearch(input: $input) { name userErrors { code message field } }
}`;

interface SearchRow {
  name: string;
  version: number;
  query: string;
  description: string;
  owner: { name: string };
}

interface SaveOptions {
  description?: string;
  version?: string;
  dryRun?: boolean;
}

export function addSearches(program: Command, surface: Surface): void {
  const searches = program
    .command('searches')
    .description('Searches of the log that have a name: `fleet logs --saved <name>`.');
  searches.action(async () => {
    const { client, printer, missing } = contextOf(searches, surface);
    const { data, errors = [] } = await client.ask<{ savedLogSearches: SearchRow[] | null }>(LIST);
    missing(errors);
    const rows = data?.savedLogSearches ?? [];
    printer.answer(rows, () =>
      printer.table<SearchRow>(
        [
          { title: 'NAME', text: ({ name }) => name },
          { title: 'VERSION', text: ({ version }) => String(version), right: true },
          { title: 'BY', text: ({ owner }) => owner.name },
          { title: 'SEARCH', text: ({ query }) => query },
          { title: 'WHAT FOR', text: ({ description }) => description },
        ],
        rows,
      ),
    );
  });
  const save = searches
    .command('save')
    .description('Gives a search a name, or changes the search of that name; audited.')
    .argument('<name>', 'its name')
    .argument('<query...>', 'words of the search language')
    .option('--description <text>', 'what it is for')
    .option('--version <number>', 'only if it has this version; 0: only if it is new')
    .option('--dry-run', 'only tell what would be');
  save.action(async (name: string, words: string[], { description, version, dryRun }: SaveOptions) => {
    const { client, printer } = contextOf(save, surface);
    const expected = version === undefined ? {} : { expectedVersion: Number(version) };
    const input = { name, query: words.join(' '), description, dryRun, ...expected };
    const { applySavedLogSearch } = await client.query<{
      applySavedLogSearch: { savedSearch: SearchRow | null; userErrors: UserError[] } | null;
    }>(APPLY, { input });
    const { savedSearch } = settled(applySavedLogSearch);
    printer.answer(savedSearch, () =>
      printer.line(`${name} is at version ${savedSearch?.version}: ${savedSearch?.query}`),
    );
  });
  const forget = searches
    .command('delete')
    .description('Forgets a saved search; audited.')
    .argument('<name>', 'its name');
  forget.action(async (name: string) => {
    const { client, printer } = contextOf(forget, surface);
    const { deleteSavedLogSearch } = await client.query<{
      deleteSavedLogSearch: { name: string | null; userErrors: UserError[] } | null;
    }>(DELETE, { input: { name } });
    printer.answer(settled(deleteSavedLogSearch), () => printer.line(`${name} is forgotten`));
  });
}
