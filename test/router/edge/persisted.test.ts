import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fixedFlags } from '../../../lib/flags/index.ts';
import { loadSettings } from '../../../lib/settings/index.ts';
import { documentsIn } from '../../../router/documents/document-settings.ts';
import { Documents, hashOf } from '../../../router/documents/documents.ts';
import { readRegistered } from '../../../router/documents/registered.ts';
import type { AnyShape } from '../../support/house.ts';
import { until } from '../../support/until.ts';
import { openEvents, openReady } from './stream-clients.ts';
import { ADMIN_TOKEN, bearer, type Harbour, openHarbour } from './support.ts';

const LISTED = 'query Listed { crews }';
const MOVES = 'subscription Moves { shipMoved { cursor } }';
/** Deeper than any client's document may be. */
const LARGE = `query Large { ${Array.from({ length: 300 }, (_, at) => `a${at}: crews`).join(' ')} }`;

const folder = mkdtempSync(path.join(tmpdir(), 'operations-'));
writeFileSync(path.join(folder, 'listed.graphql'), LISTED);
mkdirSync(path.join(folder, 'more'));
const manifest = {
  format: 'apollo-persisted-query-manifest',
  version: 1,
  operations: [
    { id: 'moves', name: 'Moves', type: 'subscription', body: MOVES },
    { id: hashOf(LARGE), name: 'Large', type: 'query', body: LARGE },
  ],
};
writeFileSync(path.join(folder, 'more', 'manifest.json'), JSON.stringify(manifest));
const registered = readRegistered(folder);

const byHash = (hash: string) => ({ extensions: { persistedQuery: { version: 1, sha256Hash: hash } } });

let harbour: Harbour;
beforeAll(async () => {
  harbour = await openHarbour();
});
afterAll(() => harbour.stop());

async function post(url: string, body: object, headers = {}) {
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { ...bearer(ADMIN_TOKEN), 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });
  return { status: response.status, ...((await response.json()) as AnyShape) };
}

/** Moves ships until it was seen. */
const moved = <T>(seen: () => T) =>
  until(() => {
    harbour.sea.move();
    return seen();
  });

describe('a text that a client names by its hash', () => {
  const query = 'query Learned { crews }';

  test('is asked for once, as Apollo’s clients expect, then known over POST, GET and WebSocket', async () => {
    const { url } = harbour;
    const named = byHash(hashOf(query));
    expect(await post(url, named)).toMatchObject({
      status: 200,
      errors: [{ message: 'PersistedQueryNotFound', extensions: { code: 'PERSISTED_QUERY_NOT_FOUND' } }],
    });
    const accept = { accept: 'application/graphql-response+json' };
    expect(await post(url, { query, ...named }, accept)).toEqual({ status: 200, data: { crews: 1 } });
    expect(await post(url, named)).toEqual({ status: 200, data: { crews: 1 } });
    const got = await fetch(`${url}/graphql?extensions=${encodeURIComponent(JSON.stringify(named.extensions))}`, {
      headers: { ...bearer(ADMIN_TOKEN), 'apollo-require-preflight': '1' },
    });
    expect(await got.json()).toEqual({ data: { crews: 1 } });
    const socket = await openReady(harbour.router);
    socket.socket.send(JSON.stringify({ id: '1', type: 'subscribe', payload: { query: '', ...named } }));
    expect(await until(() => socket.messages.find(({ type }) => type === 'next'))).toMatchObject({
      payload: { data: { crews: 1 } },
    });
    socket.socket.close();
  });

  test('is learned by GET too, and also subscribed to by its hash', async () => {
    const named = byHash(hashOf(MOVES));
    await post(harbour.url, { query: MOVES, ...named });
    const got = await fetch(
      `${harbour.url}/graphql?${new URLSearchParams({ query: MOVES, extensions: JSON.stringify(named.extensions) })}`,
      { headers: { ...bearer(ADMIN_TOKEN), 'apollo-require-preflight': '1' } },
    );
    expect(got.status).toBe(400);
    const stream = await openEvents(harbour.router, { query: '', ...named });
    await moved(() => stream.events.some(({ event }) => event === 'next'));
    stream.stop();
  });

  test.each([
    ['of another text', { query: '{ crews }', ...byHash(hashOf('{ other }')) }, 'BAD_INPUT', 'does not match'],
    [
      'of another version',
      { query, extensions: { persistedQuery: { version: 2, sha256Hash: 'a' } } },
      'BAD_INPUT',
      'version',
    ],
    [
      'that is no text',
      { query, extensions: { persistedQuery: { version: 1, sha256Hash: 7 } } },
      'BAD_INPUT',
      'sha256Hash',
    ],
    ['that is none', byHash('nonsense'), 'PERSISTED_QUERY_NOT_FOUND', 'PersistedQueryNotFound'],
  ])('is refused with a hash %s', async (_, body, code, sentence) => {
    expect(await post(harbour.url, body)).toMatchObject({
      errors: [{ message: expect.stringContaining(sentence), extensions: { code } }],
    });
  });

  test('is learned only once it proved to be an operation, and is subject to all limits', async () => {
    for (const bad of ['{ nothing }', LARGE]) {
      const named = byHash(hashOf(bad));
      expect((await post(harbour.url, { query: bad, ...named })).status).toBe(400);
      expect((await post(harbour.url, named)).errors[0].message).toBe('PersistedQueryNotFound');
    }
  });

  test('is not asked for where none are learned', async () => {
    const { url } = await harbour.another({ documents: { learnedBytes: 0 } });
    expect(await post(url, byHash(hashOf(query)))).toMatchObject({
      status: 200,
      errors: [{ message: 'PersistedQueryNotSupported' }],
    });
  });

  test('is forgotten when others were used since and memory is full', () => {
    const documents = new Documents({ learnedBytes: 1_000 });
    const texts = Array.from({ length: 10 }, (_, at) => `{ a${at} ${'b '.repeat(50)} }`);
    for (const text of texts) documents.learn({ query: text, documentId: hashOf(text) });
    expect(documents.size.sizeBytes).toBeLessThanOrEqual(1_000);
    expect(() => documents.resolve({ query: undefined, documentId: hashOf(texts[0] as string) })).toThrow();
    const last = documents.resolve({ query: undefined, documentId: hashOf(texts[9] as string) });
    expect(last).toMatchObject({ request: { query: texts[9] }, isTrusted: false });
  });
});

describe('where only registered operations run', () => {
  let url: string;
  let router: Awaited<ReturnType<Harbour['another']>>;
  beforeAll(async () => {
    router = await harbour.another({
      flags: fixedFlags({ 'router.persisted-only': true }),
      documents: { registered, registeredOnly: true },
      limits: { adminPerSecond: 1_000 },
    });
    url = router.url;
  });

  test.each([
    ['a hash', byHash(hashOf(LISTED))],
    ['a documentId', { documentId: `sha256:${hashOf(LISTED)}` }],
    ['the text', { query: LISTED }],
    ['the text written otherwise', { query: '# a comment\nquery Listed {\n  crews,\n}' }],
    ['hash and text', { query: LISTED, ...byHash(hashOf(LISTED)) }],
  ])('one is run by %s', async (_, body) => {
    expect(await post(url, body)).toEqual({ status: 200, data: { crews: 1 } });
  });

  test('one of them may pass the limits of documents, but not those of rates', async () => {
    expect((await post(url, byHash(hashOf(LARGE)))).data.a299).toBe(1);
    expect((await post(harbour.url, { query: LARGE })).errors[0].extensions.code).toBe('QUERY_TOO_LARGE');
    const slow = await harbour.another({ documents: { registered }, limits: { adminPerSecond: 1 } });
    const answers = await Promise.all([1, 2, 3].map(() => post(slow.url, { query: LARGE })));
    expect(answers.filter(({ status }) => status === 429).length).toBeGreaterThan(0);
  });

  test.each([
    ['another text', { query: '{ crews }' }],
    ['another text with its hash', { query: '{ crews }', ...byHash(hashOf('{ crews }')) }],
    ['a hash nobody knows', byHash(hashOf('{ crews }'))],
    ['introspection', { query: '{ __schema { queryType { name } } }' }],
    ['what is no GraphQL', { query: '{ "' }],
    ['a text longer than any listed', { query: `{ ${' '.repeat(20_000)} crews }` }],
  ])('%s is refused, and told what to do', async (_, body) => {
    for (const time of [1, 2]) {
      expect([time, await post(url, body)]).toMatchObject([
        time,
        {
          status: 400,
          errors: [{ message: expect.stringContaining('register'), extensions: { code: 'PERSISTED_QUERY_REQUIRED' } }],
        },
      ]);
    }
  });

  test('the text of a listed name cannot be another', async () => {
    expect(await post(url, { query: '{ crews }', documentId: 'moves' })).toMatchObject({
      errors: [{ extensions: { code: 'BAD_INPUT' } }],
    });
  });

  test('the same holds for server-sent events and WebSocket', async () => {
    const stream = await openEvents(router, { query: '', documentId: 'moves' });
    await moved(() => stream.events.some(({ event }) => event === 'next'));
    stream.stop();
    const socket = await openReady(router);
    for (const [id, payload] of Object.entries({ 1: { query: MOVES }, 2: { query: `${MOVES} query B { crews }` } })) {
      socket.socket.send(JSON.stringify({ id, type: 'subscribe', payload }));
    }
    const refused = await until(() => socket.messages.find(({ type }) => type === 'error'));
    expect(refused).toMatchObject({ id: '2', payload: [{ extensions: { code: 'PERSISTED_QUERY_REQUIRED' } }] });
    expect(await moved(() => socket.messages.find(({ type }) => type === 'next'))).toMatchObject({ id: '1' });
    socket.socket.close();
  });
});

test('a list that cannot be read stops the start and names its file', () => {
  const place = mkdtempSync(path.join(tmpdir(), 'operations-'));
  const file = path.join(place, 'a.json');
  for (const text of [
    '{',
    '{"format":"other","operations":[]}',
    JSON.stringify({ ...manifest, operations: [{ id: 1 }] }),
  ]) {
    writeFileSync(file, text);
    expect(() => documentsIn(loadSettings({ FLEET_OPERATIONS: place }))).toThrow(file);
  }
  writeFileSync(file, JSON.stringify({ ...manifest, operations: [{ id: 'a', body: '{ a' }] }));
  expect(() => readRegistered(file)).toThrow(file);
  expect(() => documentsIn(loadSettings({ FLEET_OPERATIONS_ONLY: 'true' }))).toThrow('FLEET_OPERATIONS');
  expect(documentsIn(loadSettings({})).registered).toBeUndefined();
  expect(registered.size).toBe(3);
});
