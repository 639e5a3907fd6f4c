import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import type { AnyShape } from '../../support/house.ts';
import { ADMIN_TOKEN, bearer, type Harbour, openHarbour, SHIP } from './support.ts';

const ROBIN = { id: 'key:robin', kind: 'SCRIPT', name: 'robin', scopes: ['viewer'] };
const JSON_TYPE = { 'content-type': 'application/json' };
const GZIP = { 'content-encoding': 'gzip' };
const CSRF = { 'x-fleet-csrf': '1' };

let harbour: Harbour;
beforeAll(async () => {
  harbour = await openHarbour();
  harbour.sea.tokens.set('robin', ROBIN);
});
afterAll(() => harbour.stop());

interface Sent {
  url?: string;
  token?: string;
  headers?: Record<string, string>;
}

async function post(body: string | Uint8Array, { url = harbour.url, token = ADMIN_TOKEN, headers = {} }: Sent = {}) {
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { ...bearer(token), ...JSON_TYPE, ...headers },
    body: body as never,
  });
  const answer = (await response.json()) as AnyShape;
  const [error] = answer.errors ?? [];
  return {
    status: response.status,
    code: error?.extensions.code,
    message: error?.message,
    answer,
    ratelimit: response.headers.get('ratelimit'),
  };
}

async function get(parameters: Record<string, string>, headers: Record<string, string> = CSRF) {
  const response = await fetch(`${harbour.url}/graphql?${new URLSearchParams(parameters)}`, {
    headers: { ...bearer(ADMIN_TOKEN), ...headers },
  });
  return { status: response.status, answer: (await response.json()) as AnyShape };
}

const CREWS = '{"query":"{ crews }"}';
const padded = (bytes: number) => `{"query":"{ crews }","extensions":{"a":"${'x'.repeat(bytes - 43)}"}}`;
const members = (n: number) => Array.from({ length: n }, (_, at) => `"m${at}":1`).join();
const deep = (levels: number) => `${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}`;
const noise = (bytes: number) =>
  JSON.stringify({
    query: '{ crews }',
    variables: { a: Array.from({ length: bytes / 8 }, (_, at) => ((at * 2_654_435_761) % 2 ** 32).toString(36)) },
  });

test.each<[string, () => string | Buffer, Record<string, string>, number, string?, string?]>([
  ['gzip', () => gzipSync(CREWS), { 'content-encoding': 'gzip' }, 200],
  ['deflate', () => deflateSync(CREWS), { 'content-encoding': 'deflate' }, 200],
  ['brotli', () => brotliCompressSync(CREWS), { 'content-encoding': 'BR' }, 200],
  ['no packing that says so', () => CREWS, { 'content-encoding': 'identity' }, 200],
  ['much that packs as text does', () => gzipSync(noise(300_000)), { 'content-encoding': 'gzip' }, 200],
  [
    'a megabyte less than unpacked',
    () => gzipSync(noise(1_600_000)),
    { 'content-encoding': 'gzip' },
    413,
    'QUERY_TOO_LARGE',
    'at most 1000000 bytes unpacked',
  ],
  [
    'a bomb of gzip',
    () => gzipSync(padded(900_000)),
    { 'content-encoding': 'gzip' },
    413,
    'QUERY_TOO_LARGE',
    '100 times',
  ],
  [
    'a bomb of brotli',
    () => brotliCompressSync(padded(900_000)),
    { 'content-encoding': 'br' },
    413,
    'QUERY_TOO_LARGE',
    '100 times',
  ],
  [
    'a bomb within a bomb',
    () => gzipSync(gzipSync(Buffer.alloc(50_000_000))),
    { 'content-encoding': 'gzip, gzip' },
    415,
    'BAD_INPUT',
  ],
  ['an unknown packing', () => CREWS, { 'content-encoding': 'zstd' }, 415, 'BAD_INPUT', 'gzip, deflate or br'],
  ['what is not packed', () => CREWS, { 'content-encoding': 'gzip' }, 400, 'BAD_INPUT', 'not packed with gzip'],
  [
    'packed bytes that are no UTF-8',
    () => gzipSync(Buffer.from([0x22, 0xff, 0x22])),
    { 'content-encoding': 'gzip' },
    400,
    'BAD_INPUT',
    'not UTF-8',
  ],
  [
    'bytes that are no UTF-8',
    () =>
      Buffer.concat([Buffer.from('{"query":"{ crews }","a":"'), Buffer.from([0xed, 0xa0, 0x80]), Buffer.from('"}')]),
    {},
    400,
    'BAD_INPUT',
    'not UTF-8',
  ],
  ['exactly a megabyte', () => padded(1_000_000), {}, 200],
  ['a byte over a megabyte', () => padded(1_000_001), {}, 413, 'QUERY_TOO_LARGE'],
  ['variables 64 deep', () => `{"query":"{ crews }","variables":${deep(64)}}`, {}, 200],
  [
    'variables 66 deep',
    () => `{"query":"{ crews }","variables":${deep(66)}}`,
    {},
    400,
    'QUERY_TOO_LARGE',
    'variables nest',
  ],
  ['variables of 50,000 values', () => `{"query":"{ crews }","variables":{"a":[${Array(49_999).fill(1)}]}}`, {}, 200],
  [
    'variables of 50,001 values',
    () => `{"query":"{ crews }","variables":{"a":[${Array(50_000).fill(1)}]}}`,
    {},
    400,
    'QUERY_TOO_LARGE',
    'at most 50000 values',
  ],
  ['20,000 members', () => `{"query":"{ crews }","variables":{${members(19_998)}}}`, {}, 200],
  [
    '20,001 members',
    () => `{"query":"{ crews }","variables":{${members(19_999)}}}`,
    {},
    400,
    'QUERY_TOO_LARGE',
    'at most 20000 members',
  ],
  [
    'extensions 66 deep',
    () => `{"query":"{ crews }","extensions":${deep(66)}}`,
    {},
    400,
    'QUERY_TOO_LARGE',
    'extensions nest',
  ],
  ['a body of nothing but brackets', () => '['.repeat(900_000), {}, 400, 'BAD_INPUT', 'no JSON'],
  ['a member that is there twice: the last counts', () => '{"query":"{ nothing }","query":"{ crews }"}', {}, 200],
  [
    'a name of 256 characters',
    () => `{"query":"query ${'n'.repeat(256)} { crews }","operationName":"${'n'.repeat(256)}"}`,
    {},
    200,
  ],
  [
    'a name of 257 characters',
    () => `{"query":"{ crews }","operationName":"${'n'.repeat(257)}"}`,
    {},
    400,
    'QUERY_TOO_LARGE',
  ],
  [
    'a name no operation has',
    () => '{"query":"query A { crews }","operationName":"B"}',
    {},
    400,
    'BAD_QUERY',
    'no operation of that name',
  ],
  [
    'several operations and no name',
    () => '{"query":"query A { crews } query B { crews }"}',
    {},
    400,
    'BAD_QUERY',
    'say which',
  ],
  ['two members of gzip', () => Buffer.concat(['{"query":', '"{ crews }"}'].map((part) => gzipSync(part))), GZIP, 200],
  [
    'a bomb of many members of gzip',
    () => Buffer.concat([gzipSync(CREWS), ...Array(200).fill(gzipSync(Buffer.alloc(50_000, ' ')))]),
    GZIP,
    413,
    'QUERY_TOO_LARGE',
  ],
  ['half a gzip', () => gzipSync(CREWS).subarray(0, 20), GZIP, 400, 'BAD_INPUT', 'not packed with gzip'],
  ['nothing, packed with gzip', () => '', GZIP, 400, 'BAD_INPUT'],
  ['half a brotli', () => brotliCompressSync(CREWS).subarray(0, 9), { 'content-encoding': 'br' }, 400, 'BAD_INPUT'],
  ['a mark of byte order', () => `\ufeff${CREWS}`, {}, 400, 'BAD_INPUT', 'no JSON'],
  [
    'variables with half a character',
    () => '{"query":"{ crews }","variables":{"a":[{"b":"\\ud83d"}]}}',
    {},
    400,
    'BAD_INPUT',
    'half a character',
  ],
  [
    'variables of such a name',
    () => '{"query":"{ crews }","variables":{"a":{"\\udc00":1}}}',
    {},
    400,
    'BAD_INPUT',
    'half a character',
  ],
  ['variables with a whole one', () => '{"query":"{ crews }","variables":{"a":"\\ud83d\\ude00"}}', {}, 200],
  ['a text with half a character', () => '{"query":"{ ship(id: \\"\\ud800\\") { name } }"}', {}, 400, 'BAD_QUERY'],
  ['large numbers', () => '{"query":"{ crews }","variables":{"a":1e308,"b":-0,"c":123456789012345678901}}', {}, 200],
  [
    'a number beyond all',
    () => '{"query":"{ crews }","variables":{"a":[-1e999]}}',
    {},
    400,
    'BAD_INPUT',
    'a number beyond',
  ],
  ['a form', () => CREWS, { 'content-type': 'application/x-www-form-urlencoded' }, 415, 'BAD_INPUT'],
  ['text that a page may send unasked', () => CREWS, { 'content-type': 'text/plain' }, 415, 'BAD_INPUT'],
  ['a batch', () => `[${CREWS},${CREWS}]`, {}, 400, 'BAD_INPUT', 'one request at a time'],
  [
    'variables named like inherited members',
    () => '{"query":"{ crews }","variables":{"__proto__":{"a":1},"constructor":2}}',
    {},
    200,
  ],
])('a body: %s', async (_, ...row) => {
  const [body, headers, status, code, sentence] = row;
  const { answer, ...told } = await post(body(), { headers });
  expect(told).toMatchObject({ status, ...(code ? { code } : {}) });
  if (sentence) expect(told.message).toContain(sentence);
  if (status === 200) expect(answer).toEqual({ data: { crews: 1 } });
});

test.each([
  ['x-fleet-csrf', 200],
  ['apollo-require-preflight', 200],
  ['x-apollo-operation-name', 200],
  ['accept-language', 400],
])('a GET with the header %s is %d', async (name, status) => {
  expect((await get({ query: '{ crews }' }, { [name]: '1' })).status).toBe(status);
});

test.each([
  ['a mutation', { query: 'mutation { sail(to: "x") }' }, 405],
  ['a name no operation has', { query: 'query A { crews }', operationName: 'B' }, 400],
  ['variables too deep', { query: '{ crews }', variables: deep(66) }, 400],
  ['extensions that are none', { query: '{ crews }', extensions: '7' }, 400],
])('a GET of %s is refused', async (_, parameters, status) => {
  expect((await get(parameters as never)).status).toBe(status);
});

test.each([
  ['bytes that are no UTF-8', `query=${encodeURIComponent('{ ship(id: "')}%FF${encodeURIComponent('") { name } }')}`],
  [
    'variables that are no UTF-8',
    `query={crews}&variables=${encodeURIComponent('{"a":"')}%C3%28${encodeURIComponent('"}')}`,
  ],
  ['broken encoding', 'query={crews}&a=%zz'],
  ['a parameter that is there twice', 'query={crews}&query={nothing}'],
])('a GET with %s is refused', async (_, parameters) => {
  const response = await fetch(`${harbour.url}/graphql?${parameters}`, {
    headers: { ...bearer(ADMIN_TOKEN), ...CSRF },
  });
  expect(response.status).toBe(400);
  expect(((await response.json()) as AnyShape).errors[0].extensions.code).toBe('BAD_INPUT');
});

describe('a batch, where batches are taken,', () => {
  let url: string;
  beforeAll(async () => {
    ({ url } = await harbour.another({ limits: { batch: 3, clientPerSecond: 2 } }));
  });

  test('is answered whole, each request by itself, in their order', async () => {
    const { status, answer, ratelimit } = await post(
      JSON.stringify([
        { query: '{ crews }' },
        { query: '{ nothing }' },
        { query: 'subscription { shipMoved { cursor } }' },
      ]),
      { url },
    );
    expect(status).toBe(200);
    expect(ratelimit).toBeTruthy();
    expect(answer).toMatchObject([
      { data: { crews: 1 } },
      { errors: [{ extensions: { code: 'BAD_QUERY' } }] },
      { errors: [{ message: expect.stringContaining('not in a batch') }] },
    ]);
  });

  test('with mutations runs one after the other', async () => {
    const { answer } = await post(
      JSON.stringify(['a', 'b'].map((to) => ({ query: `mutation { sail(to: "${to}") }` }))),
      { url },
    );
    expect(answer).toEqual([{ data: { sail: 'sailing to a' } }, { data: { sail: 'sailing to b' } }]);
  });

  test('tells each what it alone cost, and shortens only the one that was a dry run', async () => {
    const { answer } = await post(
      JSON.stringify([
        { query: '{ crews }' },
        { query: `{ a: ship(id: "${SHIP}") { name crew } b: ship(id: "${SHIP}") { name } }` },
        { query: '{ rateLimit(dryRun: true) { cost } crews }' },
      ]),
      { url, headers: { 'x-cost': '1' } },
    );
    const [one, two, dry] = answer;
    expect(one.data).toEqual({ crews: 1 });
    expect(two.data).toEqual({ a: { name: 'Argo', crew: 50 }, b: { name: 'Argo' } });
    expect(dry.data).toEqual({ rateLimit: { cost: expect.any(Number) }, crews: null });
    expect(one.extensions.cost.requestedQueryCost).toBeGreaterThan(0);
    expect(two.extensions.cost.requestedQueryCost).toBeGreaterThan(one.extensions.cost.requestedQueryCost);
  });

  test('has one deadline for all, no later than its caller waits', async () => {
    const sentMs = Date.now();
    const query = `{ ship(id: "${SHIP}") { name } }`;
    const before = harbour.sea.calls.length;
    const headers = { 'x-timeout-ms': '2000' };
    const { answer } = await post(JSON.stringify([{ query }, { query: `query Again ${query}` }]), { url, headers });
    expect(answer).toEqual([{ data: { ship: { name: 'Argo' } } }, { data: { ship: { name: 'Argo' } } }]);
    const calls = harbour.sea.calls.slice(before);
    expect(calls.length).toBeGreaterThan(0);
    // As much later as the signed call was under way, and far from the time that any operation has.
    for (const { deadlineMs } of calls) expect(deadlineMs).toBeLessThan(sentMs + 4_000);
  });

  test('counts each of its requests', async () => {
    harbour.sea.tokens.set('slow', { ...ROBIN, id: 'key:slow' });
    const { answer } = await post(`[${CREWS},${CREWS},${CREWS}]`, { url, token: 'slow' });
    expect(answer.map(({ errors }: AnyShape) => errors?.[0].extensions.code)).toEqual([
      undefined,
      undefined,
      'RATE_LIMITED',
    ]);
  });

  test.each([
    ['one too many', `[${[1, 2, 3, 4].map(() => CREWS)}]`, {}, 'at most 3'],
    ['none', '[]', {}, 'at least one'],
    ['one that is none', `[${CREWS},7]`, {}, 'JSON object'],
    ['one within another', `[[${CREWS}]]`, {}, 'one request at a time'],
    ['as a stream', `[${CREWS}]`, { accept: 'text/event-stream' }, 'answered whole'],
  ])('of %s is refused', async (_, body, headers, sentence) => {
    expect(await post(body, { url, headers })).toMatchObject({
      status: 400,
      message: expect.stringContaining(sentence),
    });
  });
});
