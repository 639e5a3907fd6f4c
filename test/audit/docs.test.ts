import { readFileSync } from 'node:fs';
import path from 'node:path';
import { parseSearch } from '../../lib/search/index.ts';
import { ENTRY_SEARCH } from '../../subgraphs/audit/store/index.ts';

const page = readFileSync(path.resolve(__dirname, '../../docs/audit.md'), 'utf8');

test('every search on the page is one', () => {
  const searches = [
    'action:agent.* -actorKind:system time>=2026-01-31',
    'dryRun:true',
    'outcome:failed OR outcome:denied',
  ];
  for (const search of searches) {
    expect(page).toContain(search);
    expect(parseSearch(search, ENTRY_SEARCH)).not.toBeNull();
  }
});
