import { nodeId } from '../../lib/node-id.ts';
import { bodies, ingest, LOGS, type LogsHouse, startLogsHouse } from './support.ts';

let house: LogsHouse;
const AGENT_ID = nodeId('Agent', '0197aaaa-0000-7000-8000-000000000001');
const START = Date.parse('2026-01-01T00:00:00Z');
const at = (seconds: number) => new Date(START + seconds * 1_000).toISOString();

beforeAll(async () => {
  house = await startLogsHouse();
  // Two hundred entries on one timestamp, in three batches: only the cursor tells them apart.
  for (const part of [0, 1, 2]) {
    const records = [...Array(part === 2 ? 50 : 75).keys()].map((n) => ({
      time: at(0),
      service: 'crowd',
      body: `entry ${part * 75 + n}`,
    }));
    await ingest(house, records);
  }
  await ingest(house, [
    { time: at(0), severity: 'DEBUG', service: 'web', body: 'started', attributes: { code: 200, 'user.id': 'u1' } },
    {
      time: at(60),
      severity: 'INFO',
      service: 'web',
      body: 'a rate limit was hit',
      attributes: { code: 429, user: { id: 'u2' } },
    },
    {
      time: at(130),
      severity: 'ERROR',
      service: 'db',
      body: 'Connection lost',
      agentId: AGENT_ID,
      traceId: 'a'.repeat(32),
    },
    {
      time: at(190),
      severity: 'FATAL',
      service: 'db',
      body: 'gone',
      attributes: { code: '500', empty: '', nothing: null },
    },
  ]);
});
afterAll(() => house.close());

const page = async (variables: object) => {
  const answer = await house.ask(LOGS, { filter: { services: ['crowd'] }, ...variables });
  if (answer.errors) throw new Error(JSON.stringify(answer.errors));
  return answer.data.logs;
};

describe('pages', () => {
  test('forward and backward they give every entry once, also two hundred on one timestamp', async () => {
    const forward: string[] = [];
    let cursor: string | null = null;
    do {
      const { nodes, pageInfo } = await page({ first: 33, after: cursor });
      forward.push(...nodes.map(({ body }: { body: string }) => body));
      cursor = pageInfo.hasNextPage ? pageInfo.endCursor : null;
    } while (cursor);
    expect(forward).toHaveLength(200);
    expect(new Set(forward).size).toBe(200);

    const backward: string[] = [];
    do {
      const { nodes, pageInfo } = await page({ last: 33, before: cursor });
      backward.unshift(...nodes.map(({ body }: { body: string }) => body));
      cursor = pageInfo.hasPreviousPage ? pageInfo.startCursor : null;
    } while (cursor);
    expect(backward).toEqual(forward);
  });

  test('an entry that comes late lands where its time is, and pages go on exactly', async () => {
    const filter = { services: ['late'] };
    await ingest(
      house,
      [1, 3].map((seconds) => ({ time: at(seconds), service: 'late', body: `at ${seconds}` })),
    );
    const first = await page({ filter, first: 1 });
    await ingest(house, [{ time: at(2), service: 'late', body: 'at 2' }]);
    const rest = await page({ filter, after: first.pageInfo.endCursor });
    expect(rest.nodes.map(({ body }: { body: string }) => body)).toEqual(['at 2', 'at 1']);
    expect(rest.totalCount).toBe(3);
  });

  test('a forged cursor, another list’s and a page of nothing are refused', async () => {
    const { changeCursor } = await page({});
    for (const [variables, code] of [
      [{ after: 'bm9uZQ' }, 'BAD_CURSOR'],
      [{ after: changeCursor }, 'BAD_CURSOR'],
      [{ first: 0 }, 'BAD_INPUT'],
    ] as const) {
      const answer = await house.ask(LOGS, variables);
      expect(answer).toMatchObject({ data: { logs: null }, errors: [{ extensions: { code } }] });
    }
  });
});

describe('filters', () => {
  const rest = { services: ['web', 'db'] };
  test.each([
    ['severities', { severities: ['DEBUG', 'FATAL'] }, ['gone', 'started']],
    ['minSeverity', { minSeverity: 'ERROR' }, ['gone', 'Connection lost']],
    ['agentIds', { agentIds: [AGENT_ID] }, ['Connection lost']],
    ['traceId', { traceId: 'A'.repeat(32) }, ['Connection lost']],
    ['from inclusive, to exclusive', { range: { from: at(60), to: at(130) } }, ['a rate limit was hit']],
    ['last', { range: { last: 'PT1M' } }, []],
    ['attribute equal', { attributes: [{ name: 'code', value: '429' }] }, ['a rate limit was hit']],
    [
      'attribute inside',
      { attributes: [{ name: 'user.id', op: 'RE', value: 'u.' }] },
      ['a rate limit was hit', 'started'],
    ],
    [
      'attribute not equal, also absent',
      { attributes: [{ name: 'code', op: 'NE', value: '429' }] },
      ['gone', 'Connection lost', 'started'],
    ],
    [
      'attribute not matching',
      { attributes: [{ name: 'code', op: 'NRE', value: '[24]..' }] },
      ['gone', 'Connection lost'],
    ],
    ['anchored', { attributes: [{ name: 'code', op: 'RE', value: '0' }] }, []],
    ['nobody’s', { agentIds: [] }, []],
    ['query', { query: 'RATE limit -service:db' }, ['a rate limit was hit']],
    ['phrase in order', { query: '"limit rate"' }, []],
    ['prefix', { query: 'conn*' }, ['Connection lost']],
    ['part of a word', { query: 'nect' }, []],
    ['or', { query: 'started OR (gone AND severity>=error)' }, ['gone', 'started']],
    ['number', { query: 'attributes.code>=429' }, ['gone', 'a rate limit was hit']],
    ['number as text', { query: 'attributes.code:500' }, ['gone']],
    ['nested', { query: 'attributes.user.id:u2' }, ['a rate limit was hit']],
    ['exists', { query: 'attributes.code:*' }, ['gone', 'a rate limit was hit', 'started']],
    ['empty text', { query: 'attributes.empty:""' }, ['gone']],
    ['nothing there', { query: 'attributes.nothing:*' }, []],
    ['time', { query: 'time>=2026-01-01T00:01:00Z time<2026-01-01T00:02:10Z' }, ['a rate limit was hit']],
    [
      'before all',
      { query: 'time<1960-01-01 OR time>=1960-01-01' },
      ['gone', 'Connection lost', 'a rate limit was hit', 'started'],
    ],
    ['agent by id', { query: `agent:${AGENT_ID}` }, ['Connection lost']],
    ['agent by uuid', { query: 'agent:0197aaaa*' }, ['Connection lost']],
    ['trace', { query: `traceId:${'a'.repeat(32)}` }, ['Connection lost']],
    ['span', { query: 'spanId:*' }, []],
    ['not', { query: 'NOT severity:info severity<fatal' }, ['Connection lost', 'started']],
    ['resource', { query: 'resource.host:x' }, []],
    ['injection is text', { query: `service:"x' or 1=1 --"` }, []],
    ['observed', { query: 'observedAt>2026-01-01' }, ['gone', 'Connection lost', 'a rate limit was hit', 'started']],
  ])('%s', async (_name, filter, expected) => {
    expect(await bodies(house, { ...rest, ...filter })).toEqual(expected);
  });

  test.each([
    [{ query: 'a AND' }, 'BAD_QUERY', 'column 6'],
    [{ query: 'planet:earth' }, 'BAD_QUERY', 'column 1: there is no field planet'],
    [{ attributes: [{ name: 'a', op: 'RE', value: '(' }] }, 'BAD_QUERY', 'regular expression'],
    [{ agentIds: ['nobody'] }, 'BAD_INPUT', 'no id of the type Agent'],
    [{ traceId: 'xyz' }, 'BAD_INPUT', '32 hexadecimal digits'],
    [{ range: { last: 'PT1H', from: at(0) } }, 'BAD_INPUT', 'not both'],
    [{ services: Array(1_001).fill('x') }, 'BAD_INPUT', 'at most 1000 services'],
  ])('%j is refused', async (filter, code, message) => {
    const answer = await house.ask(LOGS, { filter });
    expect(answer).toMatchObject({ data: { logs: null }, errors: [{ extensions: { code } }] });
    expect(answer.errors?.[0]?.message).toContain(message);
  });
});

describe('by id', () => {
  test('an unknown id is null, another type’s is refused; the router’s references resolve', async () => {
    const unknown = nodeId('LogEntry', '019b0000-0000-7000-8000-000000000001');
    const foreign = nodeId('LogEntry', '019b0000-0000-4000-8000-000000000001');
    const ask = 'query ($a: ID!, $b: ID!) { a: logEntry(id: $a) { id } b: logEntry(id: $b) { id } }';
    expect(await house.ask(ask, { a: unknown, b: foreign })).toEqual({ data: { a: null, b: null } });
    const wrong = await house.ask('{ logEntry(id: "x") { id } }');
    expect(wrong.errors?.[0]?.extensions.code).toBe('BAD_INPUT');

    const { nodes } = await page({ filter: { query: 'gone' } });
    const representations = [
      { __typename: 'LogEntry', id: nodes[0].id },
      { __typename: 'LogEntry', id: 'x' },
      { __typename: 'Agent', id: AGENT_ID },
      { __typename: 'Trace', traceId: 'a'.repeat(32) },
      { __typename: 'Alert', id: 'any', startedAt: at(130), agent: { __typename: 'Agent', id: AGENT_ID } },
      { __typename: 'Alert', id: 'any', startedAt: at(130), agent: null },
    ];
    const entities = await house.ask(
      `query ($representations: [_Any!]!) { _entities(representations: $representations) {
         ... on LogEntry { id }
         ... on Agent { logs(first: 1, filter: { minSeverity: ERROR }) { nodes { body } } }
         ... on Trace { logs { totalCount } }
         ... on Alert { logs(within: "PT90S") { nodes { body } } }
       } }`,
      { representations },
    );
    expect(entities.data._entities).toEqual([
      { id: nodes[0].id },
      null,
      { logs: { nodes: [{ body: 'Connection lost' }] } },
      { logs: { totalCount: 1 } },
      { logs: { nodes: [{ body: 'Connection lost' }] } },
      { logs: { nodes: [{ body: 'gone' }, { body: 'Connection lost' }, { body: 'a rate limit was hit' }] } },
    ]);
  });
});

describe('logHistogram', () => {
  const histogram = async (variables: object) => {
    const answer = await house.ask(
      `query ($filter: LogFilter, $step: Duration, $maxBuckets: Int, $groupBy: LogGroup) {
         logHistogram(filter: $filter, step: $step, maxBuckets: $maxBuckets, groupBy: $groupBy) { time group count }
       }`,
      variables,
    );
    if (answer.errors) throw new Error(JSON.stringify(answer.errors));
    return answer.data.logHistogram;
  };
  const filter = { services: ['web', 'db'] };

  test('counts by step, empty buckets too', async () => {
    expect(await histogram({ filter, step: 'PT1M' })).toEqual([
      { time: at(0), group: null, count: 1 },
      { time: at(60), group: null, count: 1 },
      { time: at(120), group: null, count: 1 },
      { time: at(180), group: null, count: 1 },
    ]);
    const wide = await histogram({ filter: { ...filter, range: { from: at(0), to: at(600) } }, step: 'PT5M' });
    expect(wide).toEqual([
      { time: at(0), group: null, count: 4 },
      { time: at(300), group: null, count: 0 },
    ]);
  });

  test('never makes more than maxBuckets, whatever the step', async () => {
    for (const maxBuckets of [1, 2, 3, 7]) {
      for (const step of ['PT1S', null]) {
        const buckets = await histogram({ filter, step, maxBuckets });
        expect(buckets.length).toBeLessThanOrEqual(maxBuckets);
        expect(buckets.reduce((sum: number, { count }: { count: number }) => sum + count, 0)).toBe(4);
      }
    }
  });

  test('counts each group by itself', async () => {
    const groups = async (groupBy: string) =>
      (await histogram({ filter, step: 'P1D', groupBy })).map(({ group, count }: { group: string; count: number }) => [
        group,
        count,
      ]);
    expect(await groups('SEVERITY')).toEqual([
      ['DEBUG', 1],
      ['INFO', 1],
      ['ERROR', 1],
      ['FATAL', 1],
    ]);
    expect(await groups('SERVICE')).toEqual([
      ['db', 2],
      ['web', 2],
    ]);
    expect(await groups('AGENT')).toEqual([
      [null, 3],
      [AGENT_ID, 1],
    ]);
  });

  test('of nothing is nothing; a step of nothing and too many buckets are refused', async () => {
    expect(await histogram({ filter: { services: ['nobody'] } })).toEqual([]);
    expect(await histogram({ filter: { range: { from: at(5), to: at(5) } } })).toEqual([]);
    for (const variables of [{ step: 'PT0S' }, { maxBuckets: 0 }, { maxBuckets: 1_001 }]) {
      await expect(histogram({ filter, ...variables })).rejects.toThrow('BAD_INPUT');
    }
  });
});
