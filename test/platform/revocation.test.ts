import { startTestPlatform, type TestPlatform } from '../support/platform.ts';
import { until } from '../support/until.ts';

let platform: TestPlatform;
beforeAll(async () => {
  platform = await startTestPlatform();
});
afterAll(() => platform.stop());

const CREATE = `mutation ($input: CreateApiKeyInput!) { createApiKey(input: $input) { apiKey { id } secret } }`;
const REVOKE = `mutation ($input: RevokeApiKeyInput!) { revokeApiKey(input: $input) { userErrors { code } } }`;

/** A stream of alerts with this credential, and what came on it. */
async function openAlerts(secret: string) {
  const response = await platform.fetch('/graphql', {
    method: 'POST',
    headers: { authorization: `Bearer ${secret}`, 'content-type': 'application/json', accept: 'text/event-stream' },
    body: JSON.stringify({ query: 'subscription { alertChanged { cursor } }' }),
  });
  const opened = { status: response.status, text: '', isEnded: false };
  void (async () => {
    for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
      opened.text += Buffer.from(chunk).toString();
    }
    opened.isEnded = true;
  })();
  return opened;
}

test('a key that is revoked ends its own streams, and no others, and is refused from then on', async () => {
  const keys = [];
  for (const name of ['leaked', 'kept']) {
    const { data } = await platform.ask(CREATE, { input: { name, scopes: ['viewer'] } });
    keys.push(data.createApiKey);
  }
  const [leaked, kept] = keys;
  const [ending, going] = [await openAlerts(leaked.secret), await openAlerts(kept.secret)];
  expect([ending.status, going.status]).toEqual([200, 200]);
  await until(() => ending.text && going.text);
  await platform.ask(REVOKE, { input: { id: leaked.apiKey.id, reason: 'leaked' } });
  await until(() => ending.isEnded);
  expect(ending.text).toContain('UNAUTHENTICATED');
  expect(going.isEnded).toBe(false);
  const asked = async (secret: string) =>
    (await platform.ask('{ fleet { total } }', {}, { authorization: `Bearer ${secret}` })).errors?.[0]?.extensions.code;
  expect(await asked(leaked.secret)).toBe('UNAUTHENTICATED');
  expect(await asked(kept.secret)).toBeUndefined();
});
