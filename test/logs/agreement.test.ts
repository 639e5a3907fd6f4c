import fc from 'fast-check';
import { MatchOp } from '../../lib/graphql/shared.ts';
import { parseExpression } from '../../lib/search/expression.ts';
import { compileSearch, parseSearch } from '../../lib/search/index.ts';
import { LOG_FIELDS, type LogCriteria, type LogRow, LogStore, matcherOf } from '../../subgraphs/logs/store/index.ts';
import { EXPRESSIONS, TEXTS } from '../search/expressions.ts';
import { ingest, type LogsHouse, startLogsHouse, type TestRecord } from './support.ts';

let house: LogsHouse;
beforeAll(async () => {
  house = await startLogsHouse();
});
afterAll(() => house.close());

const WORDS = ['rate', 'limit', 'Über', 'x1', 'a_b', '“quoted”', '10.0', 'RATE', 'ⅷ', 'é'];
const TERMS = [
  'rate',
  '"rate limit"',
  'lim*',
  'über',
  'quoted',
  '10.0',
  'é',
  'severity>=warn',
  'severity:info',
  'service:web',
  'service:w*',
  'attributes.code:5',
  'attributes.code:4.50',
  'attributes.code:5e-1',
  'attributes.code:1000000000000000000000',
  'attributes.code:0',
  'attributes.code:"5"',
  'attributes.user.id:5.0',
  'attributes.user.id:"a\nb"',
  'attributes.user.id:"\\\\"',
  '"über x1"',
  '"rate limit x1"',
  'attributes.code>=5',
  'attributes.code:*',
  'attributes.user.id:a*',
  'attributes.user.id:""',
  'attributes.user:"x\'y"',
  'attributes.list:x',
  'traceId:*',
  'agent:*',
  'time>=2026-01-01T00:00:05Z',
  'time:2026-01-01T00:00:03Z',
  'x*',
  'nothing*',
  'quo*',
  '/x1|RATE/',
  '/^rate lim/',
  '/ [xy]\\d$/',
  '/^[^ ]+ lim/',
  '/ ra[st]e /',
  '/nowhere it was/',
  '-/^.*é$/',
  'service:/^w/',
  'attributes.code:/5$/',
  'attributes.user:/x.y/',
  `agent:/^${Buffer.from('Agent:').toString('base64url')}/`,
];
const SEVERITIES = ['TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR', 'FATAL'];

/** Numbers that are the same in every run. */
function drawn(seed: number) {
  let state = seed;
  return (below: number) => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return Math.floor((state / 2_147_483_648) * below);
  };
}

function records(): TestRecord[] {
  const draw = drawn(74);
  const pick = <T>(list: readonly T[]) => list[draw(list.length)] as T;
  return [...Array(300).keys()].map((n) => ({
    time: new Date(Date.parse('2026-01-01') + (n % 10) * 1_000).toISOString(),
    severity: pick(SEVERITIES),
    service: pick(['web', 'db', 'w']),
    body: Array.from({ length: draw(5) }, () => pick(WORDS)).join(pick([' ', ', ', '—', '_'])),
    attributes: pick<unknown>([
      {},
      { code: 5 },
      { code: '5' },
      { code: 4.5, 'user.id': 'abc' },
      { user: { id: '' } },
      { user: "x'y", code: null },
      { user: { id: 'ab', more: [1] }, list: ['x'] },
      { code: true },
      { code: 0.5, 'user.id': 'a\nb' },
      { code: 1e21, user: { id: 5 } },
      { code: -0.0, user: { id: '\\' } },
    ]),
    ...(draw(3) === 0 ? { traceId: 'ab'.repeat(16) } : {}),
  }));
}

test('a live filter and the store find the same entries', async () => {
  await ingest(house, records());
  const store = new LogStore(house.telemetry);
  const watermark = 2 ** 52;
  const all = await store.tail({}, { stamp: 0, seq: 0 }, watermark, 1_000);
  expect(all.length).toBe(300);

  const term = fc.constantFrom(...TERMS);
  const query = fc.letrec<{ node: string }>((tie) => ({
    node: fc.oneof(
      { maxDepth: 3, depthSize: 'small' },
      term,
      tie('node').map((inner) => `-(${inner})`),
      fc.tuple(tie('node'), tie('node')).map(([a, b]) => `(${a} ${b})`),
      fc.tuple(tie('node'), tie('node')).map(([a, b]) => `(${a} OR ${b})`),
    ),
  })).node;
  const matcher = fc.record({
    name: fc.constantFrom('code', 'user.id', 'user', 'absent'),
    op: fc.constantFrom(MatchOp.EQ, MatchOp.NE),
    value: fc.constantFrom('5', 'abc', '', "x'y", 'true', '4.5'),
  });
  await fc.assert(
    fc.asyncProperty(query, fc.option(matcher, { nil: undefined }), async (text, label) => {
      const search = parseSearch(text, LOG_FIELDS);
      const criteria: LogCriteria = {
        search,
        ...(label ? { attributes: [label] } : {}),
      };
      // A tail asks the store about regular expressions; they mean the same here all the same.
      const searched = search ? compileSearch(search, LOG_FIELDS) : () => true;
      const rest = matcherOf({ ...criteria, search: null });
      const matches = matcherOf(criteria) ?? ((row: LogRow) => searched(row) && rest?.(row) === true);
      const live = all.filter((row) => matches(row)).map(({ seq }) => seq);
      const stored = (await store.tail(criteria, { stamp: 0, seq: 0 }, watermark, 1_000)).map(({ seq }) => seq);
      expect(stored).toEqual(live);
      if (!/[*/]/.test(text)) return;
      // A page asks the index of words beforehand which there are.
      const { rows } = await store.page(criteria, { limit: 1_000, backward: false }, watermark);
      expect(rows.map(({ seq }) => seq).sort((a, b) => a - b)).toEqual([...live].sort((a, b) => a - b));
    }),
    { numRuns: 100 },
  );
});

test('a regular expression means the same in this process and in the engine', async () => {
  await fc.assert(
    fc.asyncProperty(EXPRESSIONS, TEXTS, async (source, texts) => {
      const expression = parseExpression(source, 1);
      const [row] = await house.telemetry.query<{ found: number[] }>(
        'select arrayMap(text -> match(text, {re2:String}), {texts:Array(String)}) as found',
        { re2: expression.re2, texts },
      );
      expect(row?.found.map(Boolean)).toEqual(texts.map((each) => expression.test(each)));
    }),
    { numRuns: 300 },
  );
});
