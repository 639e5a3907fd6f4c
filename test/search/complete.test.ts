import { completions } from '../../lib/search/complete.ts';
import { parseSearch } from '../../lib/search/index.ts';
import { LOG_FIELDS } from '../../subgraphs/logs/store/index.ts';

const VALUES = ['web', 'web store', 'w"eb', '/web', 'db'];
const NAMES = ['user.id', 'us er', 'status'];
const KNOWN = { values: async () => VALUES, names: async () => NAMES };
const texts = async (query: string, caret = query.length) =>
  (await completions(query, caret, LOG_FIELDS, KNOWN)).map(({ text }) => text);

test.each([
  ['se', ['severity:', 'service:']],
  ['slow (-tr', ['traceId:']],
  ['attr', ['attributes.']],
  ['attributes.', ['attributes.user.id:', 'attributes.status:']],
  ['-resource.US', ['resource.user.id:']],
  ['severity>=w', ['warn']],
  ['severity:', ['trace', 'debug', 'info', 'warn', 'error', 'fatal']],
  ['a service:W', ['web', '"web store"', '"w\\"eb"']],
  ['service:/w', ['"/web"']],
  ['attributes.user.id:d', ['db']],
  ['"in quotes ', []],
  ['nothing', []],
])('%s goes on with %j', async (query, expected) => {
  expect(await texts(query)).toEqual(expected);
});

test('what goes on is put where the word begins, and is a query then', async () => {
  const query = 'slow -service:w OR x';
  const found = await completions(query, 15, LOG_FIELDS, KNOWN);
  expect(found[1]).toEqual({ text: '"web store"', from: 14 });
  for (const { text, from } of found) {
    expect(parseSearch(query.slice(0, from) + text + query.slice(15), LOG_FIELDS)).not.toBeNull();
  }
});
