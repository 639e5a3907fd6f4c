import { readFileSync } from 'node:fs';
import path from 'node:path';
import { parseSearch } from '../../lib/search/index.ts';
import { ENTRY_SEARCH } from '../../subgraphs/audit/store/index.ts';
import type { TestHouse } from '../support/house.ts';
import { startAudit } from './support.ts';

const page = readFileSync(path.resolve(__dirname, '../../docs/audit.md'), 'utf8');
const examples = [...page.matchAll(/```graphql\n([\s\S]*?)```/g)].map(([, example]) => example as string);
let house: TestHouse;
beforeAll(async () => {
  house = await startAudit();
});
afterAll(() => house.stop());

test('the page has examples', () => expect(examples.length).toBeGreaterThanOrEqual(2));

test.each(examples)('the page’s example runs: %s', async (example) => {
  expect((await house.ask(example)).errors).toBeUndefined();
});

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
