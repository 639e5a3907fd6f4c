import { Backoff, FleetClient, type FleetFailure, machine } from '../../sdk/index.ts';
import { EventParser } from '../../sdk/wire/sse.ts';
import { until } from '../support/until.ts';
import { ContractServer, Whole } from './contract-server.ts';

type Json = Record<string, unknown>;

const FEED = 'subscription Feed($after: String) { feed(after: $after) { cursor text } }';
const event = (cursor: string, text: string) =>
  `event: next\nid: ${cursor}\ndata: ${JSON.stringify({ data: { feed: { cursor, text } } })}\n\n`;
const lastError = (code: string, more: Json = {}) =>
  `event: next\ndata: ${JSON.stringify({ errors: [{ message: `it is ${code}`, extensions: { code, ...more } }] })}\n\n`;

describe('a stream of changes', () => {
  const server = new ContractServer();
  let client: FleetClient;
  let over: AbortController;
  let heard: string[];
  let retries: FleetFailure[];

  beforeAll(async () => {
    await server.start();
    client = new FleetClient({ url: `${server.url}/`, token: 'viewer', timeoutMs: 200 });
  });
  afterAll(() => server.stop());
  beforeEach(() => {
    over = new AbortController();
    heard = [];
    retries = [];
    server.calls.length = 0;
  });
  afterEach(() => {
    over.abort();
    server.gate = () => undefined;
    server.streams.clear();
    for (const name of ['feed', 'word']) delete server.fields[name];
  });

  const listen = async (options: { after?: string; silenceMs?: number } = {}, query = FEED) => {
    const answers = client.subscribe<{ feed: { text: string } }>(
      query,
      {},
      { signal: over.signal, onRetry: (failure) => retries.push(failure), ...options },
    );
    for await (const { data } of answers) heard.push(data?.feed.text ?? 'nothing');
  };
  const connected = (count: number) => until(() => server.calls.length >= count && server.streams.size > 0);
  const cut = () => {
    for (const stream of server.streams) stream.destroy();
    server.streams.clear();
  };

  test('it comes back after the last event it heard, whatever cut it', async () => {
    const listening = listen();
    await connected(1);
    server.push(event('1', 'one') + event('2', 'two'));
    await until(() => heard.length === 2);
    cut();
    await connected(2);
    server.push(event('3', 'three'));
    await until(() => heard.length === 3);
    await server.stop();
    await until(() => retries.some(({ code }) => code === 'UNREACHABLE'));
    await server.start();
    await connected(3);
    server.push(`${event('4', 'four')}event: complete\ndata:\n\n`);
    await listening;
    expect(heard).toEqual(['one', 'two', 'three', 'four']);
    expect(server.calls.map(({ lastEventId, variables }) => [lastEventId, variables['after']])).toEqual([
      [undefined, undefined],
      ['2', '2'],
      ['3', '3'],
    ]);
  });

  test('a bookmark moves it on though nothing was said, and the payload’s cursor does too', async () => {
    const listening = listen({ after: '5' }, 'subscription { feed { cursor text } }');
    await connected(1);
    server.push(':\nid: 9\n\n');
    server.push(`data: ${JSON.stringify({ data: { feed: { cursor: '10', text: 'ten' } } })}\n\n`);
    await until(() => heard.length === 1);
    server.push(':\nid: 12\n\n');
    server.push(lastError('SLOW_CONSUMER', { retryable: true, cursor: '12' }));
    await connected(2);
    expect(server.calls.map(({ lastEventId, variables }) => [lastEventId, variables])).toEqual([
      ['5', {}],
      ['12', {}],
    ]);
    over.abort();
    await listening;
  });

  test('an end for good is told to the caller', async () => {
    const listening = listen();
    await connected(1);
    server.push(lastError('RESUME_GAP', { cursor: '40' }));
    await expect(listening).rejects.toMatchObject({
      code: 'RESUME_GAP',
      retryable: false,
      faults: [{ extensions: { cursor: '40' } }],
    });
    server.gate = () => ({ status: 403, body: { errors: [] } });
    await expect(listen()).rejects.toMatchObject({ code: 'FORBIDDEN' });
    server.gate = () => ({ body: { errors: [{ message: 'no such field', extensions: { code: 'BAD_QUERY' } }] } });
    await expect(listen()).rejects.toMatchObject({ code: 'BAD_QUERY' });
  });

  test('an overloaded platform is asked again, not before it wants to be', async () => {
    let refusals = 2;
    server.gate = () => (refusals-- > 0 ? { status: 429, headers: { 'retry-after': '0.05' }, body: '' } : undefined);
    const listening = listen();
    await connected(1);
    expect(retries.map(({ code, retryAfterMs }) => [code, retryAfterMs])).toEqual([
      ['RATE_LIMITED', 50],
      ['RATE_LIMITED', 50],
    ]);
    over.abort();
    await listening;
  });

  test('a silent stream counts as lost', async () => {
    const listening = listen({ silenceMs: 60 });
    await connected(1);
    await until(() => server.calls.length >= 2);
    over.abort();
    await listening;
  });

  test('a question has one attempt, a time limit, and a failure that says what kind it is', async () => {
    const codeOf = (failing: Promise<unknown>) =>
      failing.then(
        () => 'none',
        (failure: FleetFailure) => `${failure.code} ${failure.retryable}`,
      );
    const ask = () => codeOf(client.query('{ word }'));
    server.fields['word'] = () => 'yes';
    expect(await ask()).toBe('none');
    server.fields['word'] = () => new Whole({ body: { data: { word: null }, errors: [{ message: 'half' }] } });
    expect(await ask()).toBe('INTERNAL false');
    expect(await client.ask('{ word }')).toMatchObject({ data: { word: null } });
    server.fields['word'] = () => new Whole({ body: { data: null } });
    expect(await ask()).toBe('INTERNAL false');
    server.fields['word'] = () => new Whole({ body: '<html>' });
    expect(await ask()).toBe('UNREACHABLE false');
    for (const [status, expected] of [
      [400, 'BAD_INPUT false'],
      [401, 'UNAUTHENTICATED false'],
      [404, 'NOT_FOUND false'],
      [408, 'BAD_INPUT true'],
      [502, 'UNAVAILABLE true'],
    ] as const) {
      server.gate = () => ({ status, headers: { 'retry-after': 'soon' }, body: 'not json' });
      expect(await ask()).toBe(expected);
    }
    server.gate = () => 'cut';
    expect(await ask()).toBe('UNREACHABLE true');
    server.gate = () => undefined;
    server.fields['word'] = () => new Whole({ status: 302, headers: { location: 'http://127.0.0.1:9/' }, body: '' });
    expect(await ask()).toBe('UNREACHABLE true');
    const mute = new FleetClient({
      url: server.url,
      token: 'viewer',
      timeoutMs: 30,
      surroundings: { ...machine(), fetch: stalled },
    });
    expect(await codeOf(mute.query('{ word }'))).toBe('UNREACHABLE true');
  });

  test('events are told apart whatever the chunks and line ends', () => {
    const text =
      'retry: 5\r\nevent: next\r\ndata: a\r\ndata:b\r\nid: 7\r\n\r\n: comment\n\ndata\n\nevent: complete\n\nid\n\n';
    const whole = [
      { event: 'next', data: 'a\nb', id: '7' },
      { event: 'message', data: '' },
      { event: 'complete', data: '' },
      { event: 'message', data: '', id: '' },
    ];
    for (const size of [1, 2, 3, 7, text.length]) {
      const parser = new EventParser();
      const events = [];
      for (let at = 0; at < text.length; at += size) events.push(...parser.push(text.slice(at, at + size)));
      expect(events).toEqual(whole);
    }
  });

  test('waits grow to ten seconds with full jitter, and begin anew after a success', () => {
    const backoff = new Backoff(() => 0.999);
    const waits = Array.from({ length: 9 }, () => backoff.next());
    expect(waits).toEqual([99, 199, 399, 799, 1_598, 3_196, 6_393, 9_990, 9_990]);
    expect(new Backoff(() => 0).next(250)).toBe(250);
    backoff.reset();
    expect(backoff.next()).toBe(99);
  });
});

/** Never answers, but lets go when told to. */
function stalled(_: unknown, init?: RequestInit): Promise<Response> {
  return new Promise((_, reject) => init?.signal?.addEventListener('abort', () => reject(new Error('aborted'))));
}
