import { CursorSealer } from '../../lib/cursor.ts';
import { callOf } from '../support/house.ts';
import { ingest, LOGS, type LogsHouse, startLogsHouse } from './support.ts';

let house: LogsHouse;
beforeAll(async () => {
  house = await startLogsHouse();
});
afterAll(() => house.close());

interface Payload {
  data?: { logTail: { cursor: string; entries: { body: string }[]; missed: number } };
  errors?: { extensions: { code: string } }[];
}

/** A running subscription over server-sent events. */
async function follow(filter: object | null, after?: string, lastEventId?: string) {
  const query = `subscription ($filter: LogFilter, $after: String) {
    logTail(filter: $filter, after: $after) { cursor entries { body severity } missed }
  }`;
  const response = await house.client.open('POST /graphql', {
    call: callOf(lastEventId ? { lastEventId } : {}),
    body: JSON.stringify({ query, variables: { filter, ...(after ? { after } : {}) } }),
    headers: { accept: 'text/event-stream' },
  });
  response.setEncoding('utf8');
  const chunks = response[Symbol.asyncIterator]() as AsyncIterator<string>;
  let text = '';
  const next = async (): Promise<Payload> => {
    for (;;) {
      const match = /event: next\n(?:id: .*\n)?data: (.*)\n\n/.exec(text);
      if (match) {
        text = text.slice(match.index + match[0].length);
        return JSON.parse(match[1] as string) as Payload;
      }
      const step = await chunks.next();
      if (step.done) throw new Error(`the stream ended: ${text}`);
      text += step.value;
    }
  };
  return {
    next,
    /** Bodies until there are `count`, and the last cursor. */
    async take(count: number) {
      const seen: string[] = [];
      let cursor = '';
      while (seen.length < count) {
        const payload = await next();
        if (!payload.data) throw new Error(JSON.stringify(payload.errors));
        expect(payload.data.logTail.missed).toBe(0);
        seen.push(...payload.data.logTail.entries.map(({ body }) => body));
        cursor = payload.data.logTail.cursor;
      }
      return { seen, cursor };
    },
    close: () => response.destroy(),
  };
}

const numbered = (from: number, count: number, service = 'tail') =>
  [...Array(count).keys()].map((n) => ({ service, body: `line ${from + n}` }));
const named = (from: number, count: number) => numbered(from, count).map(({ body }) => body);

/** Waits until the subscription is known to run: it hears an entry of its own. */
async function started(stream: Awaited<ReturnType<typeof follow>>, service = 'tail') {
  await ingest(house, [{ service, body: 'hello' }]);
  return await stream.take(1);
}

test('a follower hears what matches, once and in order, and nothing else', async () => {
  const stream = await follow({ services: ['tail'], query: 'line OR hello', range: { last: 'PT1H' } });
  await started(stream);
  await ingest(house, [...numbered(0, 3), { service: 'other', body: 'line 99' }, { service: 'tail', body: 'quiet' }]);
  await ingest(house, numbered(3, 3));
  expect((await stream.take(6)).seen).toEqual(named(0, 6));
  stream.close();
});

test('what came while nobody listened is heard after resuming, by argument or by Last-Event-ID', async () => {
  const filter = { services: ['resumed'] };
  const stream = await follow(filter);
  const { cursor } = await started(stream, 'resumed');
  stream.close();
  await ingest(house, numbered(0, 1_200, 'resumed'));
  for (const resumed of [await follow(filter, cursor), await follow(filter, 'forged', cursor)]) {
    expect((await resumed.take(1_200)).seen).toEqual(named(0, 1_200));
    resumed.close();
  }
});

test('a page and the tail after its changeCursor hold every entry once, while entries come in', async () => {
  const filter = { services: ['race'] };
  const writing = (async () => {
    for (let round = 0; round < 20; round += 1) await ingest(house, numbered(round * 5, 5, 'race'));
  })();
  await ingest(house, numbered(1_000, 3, 'race'));
  const { logs } = (await house.ask(LOGS, { filter, first: 100 })).data;
  const stream = await follow(filter, logs.changeCursor);
  const page: string[] = logs.nodes.map(({ body }: { body: string }) => body);
  const { seen } = await stream.take(103 - page.length);
  await writing;
  expect(new Set([...page, ...seen]).size).toBe(103);
  stream.close();
});

test.each([
  { services: ['re'], attributes: [{ name: 'code', op: 'RE', value: '5..' }] },
  { services: ['re'], query: '/code 5\\d+$/' },
])('a filter that only the store can tell is followed too: %j', async (filter) => {
  const stream = await follow(filter);
  const send = (code: number) => ingest(house, [{ service: 're', body: `code ${code}`, attributes: { code } }]);
  // From now on: the first may come before the subscription does, the others are sent until one is heard.
  const heard = stream.take(1);
  let done = false;
  void heard.then(() => {
    done = true;
  });
  while (!done) {
    await send(404);
    await send(500);
  }
  expect((await heard).seen[0]).toBe('code 500');
  stream.close();
});

test('older entries than the window in memory come from the store', async () => {
  const first = await follow({ services: ['far'] });
  const { cursor } = await started(first, 'far');
  first.close();
  for (let round = 0; round < 3; round += 1) await ingest(house, numbered(round * 8_000, 8_000, 'far'));
  const stream = await follow({ services: ['far'] }, cursor);
  expect((await stream.take(24_000)).seen).toEqual(named(0, 24_000));
  stream.close();
});

test('a forged cursor, one from the future and one from below what retention took are refused', async () => {
  const sealer: CursorSealer = house.runtime.cursors;
  const future = sealer.seal('tail', [2 ** 51, 0]);
  const past = sealer.seal('tail', [5, 0]);
  await house.runtime.database.query('update retention_state set swept_stamp = 10');
  for (const [cursor, code] of [
    ['forged', 'BAD_CURSOR'],
    [future, 'RESUME_GAP'],
    [past, 'RESUME_GAP'],
  ] as const) {
    const stream = await follow(null, cursor);
    expect((await stream.next()).errors?.[0]?.extensions.code).toBe(code);
    stream.close();
  }
});
