import { createHash } from 'node:crypto';
import { systemClock } from '../../../lib/clock.ts';
import { Log } from '../../../lib/log.ts';
import type { AnyShape } from '../../support/house.ts';
import { until } from '../../support/until.ts';
import { type Harbour, openHarbour, SHIP } from './support.ts';

const lines: AnyShape[] = [];
const log = new Log('router', [{ write: (line) => lines.push(JSON.parse(line)) }], () => 0);
const slow = () => lines.filter(({ event }) => event === 'operation.slow');
let nowMs = Date.now();
const clock = { ...systemClock, nowMs: () => nowMs };
let harbour: Harbour;
beforeAll(async () => {
  harbour = await openHarbour({ log, clock, slowOperationMs: 500 });
});
beforeEach(() => lines.splice(0));
afterAll(() => harbour.stop());

test('a slow operation is told with its plan and what each fetch took, and no variable’s value', async () => {
  let open = () => {};
  harbour.sea.gate = new Promise((resolve) => {
    open = resolve as () => void;
  });
  const query = 'query Slow($id: ID!) { slow ship(id: $id) { name crew } }';
  const asked = harbour.ask(query, { variables: { id: SHIP } });
  await until(() => harbour.sea.calls.length > 0);
  nowMs += 700;
  open();
  expect((await asked).errors).toBeUndefined();
  expect(slow()).toHaveLength(1);
  const [line] = slow();
  expect(line).toMatchObject({
    level: 'warn',
    kind: 'query',
    name: 'Slow',
    hash: createHash('sha256').update(query).digest('hex'),
    cost: expect.any(Number),
    requestId: expect.any(String),
    traceId: expect.stringMatching(/^[0-9a-f]{32}$/),
    principal: 'admin',
  });
  expect(line.tookMs).toBe(700);
  const fetches: AnyShape[] = [];
  const walk = (node: AnyShape) => (node.nodes ? node.nodes.forEach(walk) : fetches.push(node));
  walk(line.plan);
  const entities = fetches.find(({ kind }) => kind === 'ENTITIES');
  expect(entities).toMatchObject({ subgraph: 'crews', fields: ['crew'], path: ['ship'], representations: 1 });
  expect(entities.tookMs).toBeGreaterThanOrEqual(0);
  const root = fetches.filter(({ kind }) => kind === 'FETCH');
  expect(Math.max(...root.map(({ tookMs }) => tookMs))).toBe(700);
  expect(root.every(({ subgraph, startedMs: at }) => subgraph === 'ships' && at >= 0)).toBe(true);
  expect(JSON.stringify(line)).not.toContain(SHIP);
});

test('what is fast is not told', async () => {
  await harbour.ask('{ crews }');
  expect(slow()).toEqual([]);
});

test('many slow ones are told by number', async () => {
  const { url } = await harbour.another({ slowOperationMs: 0, limits: { adminPerSecond: 10_000 } });
  for (let time = 0; time < 13; time++) await harbour.ask('{ crews }', { url });
  expect(slow()).toHaveLength(10);
  nowMs += 10_000;
  await harbour.ask('{ broken }', { url });
  expect(slow()).toHaveLength(11);
  expect(slow().at(-1)).toMatchObject({ unsaid: 3, code: 'INTERNAL' });
  expect(slow()[0]).not.toHaveProperty('unsaid');
});
