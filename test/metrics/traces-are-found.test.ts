import { agentOf, type MetricsHouse, standingClock, startMetricsHouse } from './metrics-house.ts';

const NOW = Math.floor(Date.now() / 1_000) * 1_000;
const MINUTE = 60_000;
const DAY = 86_400_000;
const planner = agentOf(1);
const writer = agentOf(2);
const ns = (ms: number) => `${ms}000000`;
const idOf = (number: number) => String(number).padStart(32, 'a');

let house: MetricsHouse;

interface Piece {
  trace: number;
  span: number;
  parent?: number;
  name?: string;
  agoMs: number;
  tookMs?: number;
  error?: boolean;
  attributes?: Record<string, unknown>;
}

async function send(service: string, principal: ReturnType<typeof agentOf>, pieces: Piece[]): Promise<void> {
  const spans = pieces.map(({ trace, span, parent, name = 'work', agoMs, tookMs = 1_000, error, attributes = {} }) => ({
    traceId: idOf(trace),
    spanId: String(span).padStart(16, 'b'),
    ...(parent === undefined ? {} : { parentSpanId: String(parent).padStart(16, 'b') }),
    name,
    kind: 1,
    startTimeUnixNano: ns(NOW - agoMs),
    endTimeUnixNano: ns(NOW - agoMs + tookMs),
    attributes: Object.entries(attributes).map(([key, value]) => ({
      key,
      value: typeof value === 'number' ? { doubleValue: value } : { stringValue: String(value) },
    })),
    status: error ? { code: 2, message: 'it broke' } : {},
  }));
  const resource = { attributes: [{ key: 'service.name', value: { stringValue: service } }] };
  const answer = await house.send('traces', { resourceSpans: [{ resource, scopeSpans: [{ spans }] }] }, principal);
  expect(answer).toMatchObject({ status: 200, body: '{}' });
}

beforeAll(async () => {
  house = await startMetricsHouse({ clock: standingClock(NOW) });
  await send('planner', planner, [
    {
      trace: 1,
      span: 1,
      agoMs: 5 * MINUTE,
      tookMs: 4_000,
      name: 'plan a journey',
      attributes: { city: 'Ulm', rooms: 2 },
    },
    { trace: 2, span: 1, agoMs: 2 * DAY, name: 'plan nothing' },
    { trace: 3, span: 1, agoMs: 30 * DAY },
    { trace: 4, span: 1, agoMs: 5 * MINUTE, error: true, attributes: { city: 'Bonn' } },
  ]);
  const part = { trace: 1, span: 2, parent: 1, agoMs: 5 * MINUTE - 1_000, tookMs: 5_000, name: 'write a letter' };
  await send('writer', writer, [part]);
  await send('writer', writer, [part, { trace: 5, span: 9, parent: 8, agoMs: 3 * 3_600_000 }]);
});
afterAll(() => house.stop());

const LIST = `query ($filter: TraceFilter, $first: Int, $after: String) {
  traces(filter: $filter, first: $first, after: $after) {
    nodes { traceId } totalCount pageInfo { hasNextPage endCursor }
  }
}`;
async function found(filter: object): Promise<number[]> {
  const answer = await house.ask(LIST, { filter });
  if (answer.errors) throw new Error(`${answer.errors[0]?.extensions.code} ${answer.errors[0]?.message}`);
  const { nodes, totalCount } = answer.data.traces;
  expect(totalCount).toBe(nodes.length);
  return nodes.map(({ traceId }: { traceId: string }) => Number(traceId.replaceAll('a', '')));
}

test('a trace is one whole, over the agents that had a part in it', async () => {
  const answer = await house.ask(
    `query ($traceId: String!) { trace(traceId: $traceId) {
      traceId services errors startedAt durationMs root { name }
      spans { spanId parentSpanId name service kind startedAt durationMs error attributes events agent { id } } } }`,
    { traceId: idOf(1).toUpperCase() },
  );
  const at = (ms: number) => `${new Date(ms).toISOString().slice(0, -1)}000000Z`;
  expect(answer.data.trace).toEqual({
    traceId: idOf(1),
    services: ['planner', 'writer'],
    errors: 0,
    startedAt: at(NOW - 5 * MINUTE),
    durationMs: 6_000,
    root: { name: 'plan a journey' },
    spans: [
      expect.objectContaining({ parentSpanId: null, attributes: { city: 'Ulm', rooms: 2 }, agent: { id: planner.id } }),
      {
        spanId: 'bbbbbbbbbbbbbbb2',
        parentSpanId: 'bbbbbbbbbbbbbbb1',
        name: 'write a letter',
        service: 'writer',
        kind: 'INTERNAL',
        startedAt: at(NOW - 5 * MINUTE + 1_000),
        durationMs: 5_000,
        error: false,
        attributes: {},
        events: [],
        agent: { id: writer.id },
      },
    ],
  });
});

test('an unknown trace is null, by reference it is empty, one without its root has none', async () => {
  const unknown = await house.ask('{ trace(traceId: "ffffffffffffffffffffffffffffffff") { traceId } }');
  expect(unknown).toEqual({ data: { trace: null } });
  const wrong = await house.ask('{ trace(traceId: "ff") { traceId } }');
  expect(wrong.errors?.[0]?.extensions).toMatchObject({ code: 'BAD_INPUT', field: ['traceId'] });
  const fields = 'traceId root { name } spans { name } services errors startedAt durationMs';
  const answer = await house.ask(
    `query ($of: [_Any!]!) { _entities(representations: $of) { ... on Trace { ${fields} } } }`,
    { of: [idOf(404), idOf(5)].map((traceId) => ({ __typename: 'Trace', traceId })) },
  );
  expect(answer.errors).toBeUndefined();
  const empty = { root: null, spans: [], services: [], errors: 0, startedAt: null, durationMs: null };
  expect(answer.data._entities).toEqual([
    { traceId: idOf(404), ...empty },
    expect.objectContaining({ traceId: idOf(5), root: null, spans: [{ name: 'work' }], services: ['writer'] }),
  ]);
});

test('the newest come first, however far back the next is', async () => {
  expect(await found({})).toEqual([4, 1, 5, 2, 3]);
});

test('pages follow each other without a hole or a double', async () => {
  const seen: string[] = [];
  let after: string | null = null;
  do {
    const { data } = await house.ask(LIST, { first: 1, after });
    seen.push(...data.traces.nodes.map(({ traceId }: { traceId: string }) => traceId));
    after = data.traces.pageInfo.hasNextPage ? data.traces.pageInfo.endCursor : null;
  } while (after);
  expect(seen).toEqual([4, 1, 5, 2, 3].map(idOf));
});

test.each([
  [{ services: ['writer'] }, [1, 5]],
  [{ services: ['writer', 'planner'] }, [4, 1, 5, 2, 3]],
  [{ services: [] }, []],
  [{ agentIds: [planner.id] }, [4, 1, 2, 3]],
  [{ agentIds: [planner.id], services: ['writer'] }, [1]],
  [{ minDurationMs: 6_000 }, [1]],
  [{ minDurationMs: 6_001 }, []],
  [{ errors: true }, [4]],
  [{ errors: false }, [1, 5, 2, 3]],
  [{ range: { last: 'PT1H' } }, [4, 1]],
  [{ range: { to: new Date(NOW - DAY).toISOString() } }, [2, 3]],
  [{ range: { from: new Date(NOW - 3 * DAY).toISOString() }, errors: false }, [1, 5, 2]],
])('of %j', async (filter, expected) => {
  expect(await found(filter)).toEqual(expected);
});

test.each([
  ['journey', [1]],
  ['JOURN*', [1]],
  ['"plan a"', [1]],
  ['"a plan"', []],
  ['letter OR nothing', [1, 2]],
  ['plan -nothing', [1]],
  ['Ulm', [1]],
  ['name:work', [4, 5, 3]],
  ['name:plan*', [1, 2]],
  ['service:writer', [1, 5]],
  ['error:true', [4]],
  [`agent:${writer.id}`, [1, 5]],
  ['agent:*', [4, 1, 5, 2, 3]],
  ['startedAt:*', [4, 1, 5, 2, 3]],
  [`traceId:${idOf(4)}`, [4]],
  ['durationMs>=4000', [1]],
  [`startedAt<${new Date(NOW - DAY).toISOString()}`, [2, 3]],
  ['attributes.city:Bonn', [4]],
  ['attributes.city:B*', [4]],
  ['attributes.city:*', [4, 1]],
  ['attributes.rooms:2', [1]],
  ['attributes.rooms:2.0', [1]],
  ['attributes.rooms>1', [1]],
  ['attributes.rooms>2', []],
  ['attributes.city>1', []],
  ['/^plan/', [1, 2]],
  ['name:/^w.rk$/', [4, 5, 3]],
  ['attributes.city:/nn$/', [4]],
  ['service:/^wr/ -error:/t/', [1, 5]],
  ['  ', [4, 1, 5, 2, 3]],
])('query %s', async (query, expected) => {
  expect(await found({ query })).toEqual(expected);
});

test('what cannot be searched for is told', async () => {
  await expect(found({ query: 'colour:red' })).rejects.toThrow('BAD_QUERY column 1');
  await expect(found({ query: '(a' })).rejects.toThrow('BAD_QUERY');
  await expect(found({ services: Array(101).fill('a') })).rejects.toThrow('BAD_INPUT');
  await expect(found({ range: { last: 'PT1H', to: new Date(NOW).toISOString() } })).rejects.toThrow('BAD_INPUT');
});

test('an agent has the traces that it took part in', async () => {
  const answer = await house.ask(
    `query ($of: [_Any!]!) { _entities(representations: $of) {
      ... on Agent { traces(filter: { range: { last: "PT1H" } }) { nodes { traceId errors root { name } } totalCount } } } }`,
    { of: [{ __typename: 'Agent', id: writer.id }] },
  );
  expect(answer.data._entities[0].traces).toEqual({
    nodes: [{ traceId: idOf(1), errors: 0, root: { name: 'plan a journey' } }],
    totalCount: 1,
  });
});
