import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { getOperationAST, Kind, parse } from 'graphql';
import { parseSearch } from '../../lib/search/index.ts';
import { LOG_FIELDS } from '../../subgraphs/logs/store/index.ts';
import { callOf } from '../support/house.ts';
import { type LogsHouse, startLogsHouse } from './support.ts';

const root = path.resolve(__dirname, '../..');
const page = readFileSync(path.join(root, 'docs/logs.md'), 'utf8');
const operations = path.join(root, 'schema/operations');

let house: LogsHouse;
beforeAll(async () => {
  house = await startLogsHouse();
});
afterAll(() => house.close());

/** Runs it; of a subscription, that it begins. */
async function run(query: string) {
  if (getOperationAST(parse(query))?.operation !== 'subscription') return await house.ask(query);
  const headers = { accept: 'text/event-stream' };
  const stream = await house.client.open('POST /graphql', { call: callOf(), body: JSON.stringify({ query }), headers });
  for await (const chunk of stream) {
    stream.destroy();
    return { errors: String(chunk).includes('"errors"') ? [String(chunk)] : undefined };
  }
  return { errors: ['it ended'] };
}

const own = readdirSync(operations).filter((file) => file.startsWith('logs-') && file !== 'logs-of-agents.graphql');
test.each(own)('schema/operations/%s runs', async (file) => {
  expect((await run(readFileSync(path.join(operations, file), 'utf8'))).errors).toBeUndefined();
});

test('every root field of the house has an operation', () => {
  const shown = own.flatMap((file) => {
    const operation = getOperationAST(parse(readFileSync(path.join(operations, file), 'utf8')));
    return operation?.selectionSet.selections.map((field) => (field.kind === Kind.FIELD ? field.name.value : '')) ?? [];
  });
  const { schema } = house.subgraph;
  const roots = [schema.getQueryType(), schema.getMutationType(), schema.getSubscriptionType()];
  const fields = roots.flatMap((type) => Object.keys(type?.getFields() ?? {})).filter((name) => !name.startsWith('_'));
  expect(shown.sort()).toEqual(fields.sort());
});

test('every search on the page is one', () => {
  const table = page.slice(page.indexOf('| written |'), page.indexOf('Words are looked for'));
  const searches = table.split('\n').flatMap((row) => [...(row.split('|')[1] ?? '').matchAll(/`([^`]+)`/g)]);
  expect(searches.length).toBeGreaterThan(15);
  for (const [, search] of searches) expect(parseSearch(search as string, LOG_FIELDS)).not.toBeNull();
});
