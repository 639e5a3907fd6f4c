import fc from 'fast-check';
import { MatchOp } from '../../lib/graphql/shared.ts';
import { parseSearch } from '../../lib/search/index.ts';
import { LOG_FIELDS, type LogCriteria, LogStore, matcherOf } from '../../subgraphs/logs/store/index.ts';
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
      const criteria: LogCriteria = {
        search: parseSearch(text, LOG_FIELDS),
        ...(label ? { attributes: [label] } : {}),
      };
      const matches = matcherOf(criteria);
      const live = all.filter((row) => matches?.(row)).map(({ seq }) => seq);
      const stored = (await store.tail(criteria, { stamp: 0, seq: 0 }, watermark, 1_000)).map(({ seq }) => seq);
      expect(stored).toEqual(live);
    }),
    { numRuns: 150 },
  );
});
