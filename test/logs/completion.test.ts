import { nodeId } from '../../lib/node-id.ts';
import { bodies, ingest, type LogsHouse, startLogsHouse } from './support.ts';

const COMPLETE = 'query ($query: String!, $caret: Int) { logCompletions(query: $query, caret: $caret) { text from } }';

let house: LogsHouse;
beforeAll(async () => {
  house = await startLogsHouse();
  const agentId = nodeId('Agent', '01890000-0000-7000-8000-000000000001');
  await ingest(house, [
    { body: 'a', service: 'checkout', attributes: { user: { id: 42, name: 'o' }, 'http.status': 500 } },
    { body: 'b', service: 'checkout', attributes: { user: { id: 7 }, 'odd name': 1 } },
    { body: 'c', service: 'check in', attributes: { user: { id: 42 } }, agentId },
    { body: 'd', service: 'Charge' },
    { body: 'e', service: 'long ago', time: '2026-01-01T00:00:00Z', attributes: { bygone: 1 } },
  ]);
});
afterAll(() => house.close());

const texts = async (query: string, caret?: number) => {
  const { data, errors } = await house.ask(COMPLETE, { query, caret });
  return errors?.[0]?.extensions.code ?? data.logCompletions.map(({ text }: { text: string }) => text);
};

test.each([
  ['ser', ['service:']],
  ['slow severity>=w', ['warn']],
  ['service:ch', ['checkout', 'Charge', '"check in"']],
  ['service:', ['checkout', 'Charge', '"check in"']],
  ['attributes.', ['attributes.user:', 'attributes.user.id:', 'attributes.http.status:', 'attributes.user.name:']],
  ['attributes.US', ['attributes.user:', 'attributes.user.id:', 'attributes.user.name:']],
  ['attributes.user.id:', ['42', '7']],
  ['attributes.http.status>', ['500']],
  ['attributes.bygone:', []],
  ['time:', []],
  ['none:', []],
  ['anything', []],
])('%s goes on with %j', async (query, expected) => {
  expect(await texts(query)).toEqual(expected);
});

test('at a caret inside of it; what is put there is a search', async () => {
  const query = 'service:che OR body';
  const { data } = await house.ask(COMPLETE, { query, caret: 11 });
  expect(data.logCompletions).toEqual([
    { text: 'checkout', from: 8 },
    { text: '"check in"', from: 8 },
  ]);
  for (const { text, from } of data.logCompletions) {
    expect((await bodies(house, { query: query.slice(0, from) + text + query.slice(11) })).length).toBeGreaterThan(0);
  }
  expect(await texts(query, 20)).toBe('BAD_INPUT');
  expect(await texts(query, -1)).toBe('BAD_INPUT');
  expect(await texts('x'.repeat(2_001))).toBe('BAD_INPUT');
});
