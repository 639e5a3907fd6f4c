import { startTracing, type Tracing } from '../../../lib/telemetry/index.ts';
import { type SentSpan, spansIn } from '../../support/sent-spans.ts';
import { type Harbour, openHarbour, SHIP } from './support.ts';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const CLIENT = 'b7ad6b7169203331';
const spans: SentSpan[] = [];
let tracing: Tracing;
let harbour: Harbour;
beforeAll(async () => {
  tracing = startTracing({
    service: 'router',
    ratio: 0,
    hooks: false,
    send: async (body) => void spans.push(...spansIn(body)),
  });
  harbour = await openHarbour({ traceRatio: 1 });
});
beforeEach(() => spans.splice(0));
afterAll(async () => {
  await harbour.stop();
  await tracing.stop();
});

const QUERY = `query Both { ship(id: "${SHIP}") { name crew } }`;

test('a client’s trace goes on through operation, plan and fetches', async () => {
  await harbour.ask(QUERY, { headers: { traceparent: `00-${TRACE}-${CLIENT}-01` } });
  await tracing.flush();
  const operation = spans.find(({ name }) => name === 'query Both');
  const nameOf = (id: string | undefined) => spans.find(({ spanId }) => spanId === id)?.name;
  const tree = Object.fromEntries(spans.map(({ name, parentSpanId }) => [name, nameOf(parentSpanId)]));
  expect(operation).toMatchObject({ traceId: TRACE, parentSpanId: CLIENT });
  expect(new Set(spans.map(({ traceId }) => traceId))).toEqual(new Set([TRACE]));
  expect(tree).toEqual({
    'query Both': undefined,
    plan: 'query Both',
    'fetch ships': 'query Both',
    'ships graphql': 'fetch ships',
    'fetch crews': 'query Both',
    'crews graphql': 'fetch crews',
  });
  const plan = spans.find(({ name }) => name === 'plan') as SentSpan;
  expect(BigInt(plan.startTimeUnixNano)).toBeGreaterThanOrEqual(BigInt((operation as SentSpan).startTimeUnixNano));
  expect(BigInt(plan.endTimeUnixNano)).toBeGreaterThanOrEqual(BigInt(plan.startTimeUnixNano));
  expect(harbour.sea.calls.at(-1)?.traceparent).toContain(TRACE);
});

test('a trace that begins here has the operation at its root', async () => {
  await harbour.ask(QUERY);
  await tracing.flush();
  const roots = spans.filter(({ parentSpanId }) => !parentSpanId);
  expect(roots.map(({ name }) => name)).toEqual(['query Both']);
});

test.each(['00', '02', 'fe', '0a'])('a client that does not record (flags %s) makes no span', async (flags) => {
  await harbour.ask(QUERY, { headers: { traceparent: `00-${TRACE}-${CLIENT}-${flags}` } });
  await tracing.flush();
  expect(spans).toEqual([]);
  expect(harbour.sea.calls.at(-1)?.traceparent).toBe(`00-${TRACE}-${CLIENT}-${flags}`);
});
