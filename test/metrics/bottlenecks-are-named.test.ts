import 'reflect-metadata';
import { BottleneckKind } from '../../subgraphs/metrics/entity/bottleneck.ts';
import { findBottleneck, type Runtime } from '../../subgraphs/metrics/service/bottleneck/rules.ts';
import { type WorkSpan, workOf } from '../../subgraphs/metrics/service/bottleneck/work.ts';
import { ADMIN, callOf } from '../support/house.ts';
import { agentOf, type MetricsHouse, startMetricsHouse } from './metrics-house.ts';

type Part = { name: string; fromMs: number; ms: number } & Partial<WorkSpan>;

/** Tasks of some length, one after the other, each with the same spans under it. */
function tasks(count: number, ms: number, parts: readonly Part[]): WorkSpan[] {
  const plain = { waitsOn: '', subject: '', isModel: false };
  return Array.from({ length: count }, (_, at) => {
    const traceId = `t${at}`;
    const startMs = at * ms * 2;
    const root = {
      ...plain,
      traceId,
      spanId: 'root',
      parentId: '',
      name: 'task',
      kind: 'CONSUMER',
      startMs,
      endMs: startMs + ms,
    };
    const inside = parts.map(
      ({ fromMs, ms: long, ...part }, number): WorkSpan => ({
        ...{ ...plain, traceId, spanId: `s${number}`, parentId: 'root', kind: 'INTERNAL', subject: part.name },
        ...{ startMs: startMs + fromMs, endMs: startMs + fromMs + long },
        ...part,
      }),
    );
    return [root, ...inside];
  }).flat();
}

const call = (fromMs: number, ms: number, more: Partial<WorkSpan> = {}): Part => ({
  name: 'GET',
  kind: 'CLIENT',
  subject: 'db',
  fromMs,
  ms,
  ...more,
});
const run = (count: number, ms: number) => Array.from({ length: count }, (_, at) => call(at * ms, ms));
const find = (
  spans: WorkSpan[],
  runtime: Runtime = { loop: 0.2, cpu: 0.2, gc: 0.01, loopDelayMs: 12 },
  usual: [string, number][] = [],
) => findBottleneck({ work: workOf(spans), runtime, usualMs: new Map(usual) });

describe('the rules', () => {
  const lock = { name: 'wait shelf', waitsOn: 'lock', subject: 'shelf' };
  const { CPU, GC, LOCK, N_PLUS_ONE, SLOW_DEPENDENCY } = BottleneckKind;
  const ordinary = tasks(20, 100, [call(10, 20)]);

  test.each([
    ['its own code keeps the loop busy', find(ordinary, { loop: 0.95, cpu: 1, gc: 0.02 }), CPU],
    ['its own code is most of its tasks', find(ordinary, { loop: 0.7, cpu: 0.7, gc: 0.02 }), CPU],
    ['its own code blocks the loop', find(tasks(20, 300, []), { loop: 0.5, cpu: 0.5, gc: 0, loopDelayMs: 290 }), CPU],
    ['the same on a host that gives it little', find(ordinary, { loop: 0.98, cpu: 0.2, gc: 0.01 }), CPU],
    ['it collects', find(ordinary, { loop: 0.9, cpu: 1.2, gc: 0.3 }), GC],
    ['it waits for a lock', find(tasks(20, 100, [{ ...lock, fromMs: 0, ms: 80 }])), LOCK],
    [
      'a lock is held over a slow call',
      find(tasks(20, 1_000, [{ ...lock, fromMs: 0, ms: 750 }, call(750, 200)])),
      LOCK,
    ],
    ['it asks row by row', find(tasks(20, 300, run(30, 9))), N_PLUS_ONE],
    ['row by row of something slow', find(tasks(20, 2_000, run(10, 190))), N_PLUS_ONE],
    ['what it calls is slow', find(tasks(20, 500, [call(10, 460)])), SLOW_DEPENDENCY],
    ['what it calls became slow', find(tasks(20, 100, [call(5, 90)]), undefined, [['db', 20]]), SLOW_DEPENDENCY],
    [
      'a model became slow',
      find(tasks(20, 9_000, [call(5, 8_900, { isModel: true })]), undefined, [['db', 900]]),
      SLOW_DEPENDENCY,
    ],
    ['an ordinary agent', find(ordinary), null],
    ['a busy one that copes', find(ordinary, { loop: 0.55, cpu: 0.55, gc: 0.05, loopDelayMs: 40 }), null],
    ['one whose host gives it no processor', find(ordinary, { loop: 0.9, cpu: 0.1, gc: 0.01 }), null],
    ['a short lock', find(tasks(20, 100, [{ ...lock, fromMs: 0, ms: 20 }])), null],
    ['five calls in turn', find(tasks(20, 100, run(5, 15))), null],
    [
      'twenty calls beside each other',
      find(
        tasks(
          20,
          100,
          Array.from({ length: 20 }, () => call(5, 80)),
        ),
      ),
      null,
    ],
    ['a model that takes its time', find(tasks(20, 3_000, [call(5, 2_900, { isModel: true })])), null],
    ['too few tasks', find(tasks(3, 300, run(30, 9)), {}), null],
  ])('%s', (_, { kind, confidence, evidence }, expected) => {
    expect(kind).toBe(expected);
    expect(
      kind
        ? confidence >= 0.5 && evidence.every(({ value, bound }) => Number.isFinite(value + bound))
        : confidence === 0,
    ).toBe(true);
  });

  test('time is that of tasks: what overlaps counts once, what is of no task not at all', () => {
    const alone: WorkSpan = { ...(tasks(1, 50, [])[0] as WorkSpan), traceId: 'x', kind: 'CLIENT' };
    const nested = [call(0, 60), call(30, 60), { ...call(40, 10), parentId: 's0' }];
    expect(workOf([...tasks(1, 100, nested), alone])).toMatchObject({
      ...{ tasks: 1, ms: 100, selfMs: 10 },
      calls: [{ subject: 'db', count: 3, ms: 90, medianMs: 60 }],
    });
  });

  test('spans that are each other’s parents end the search, not the process', () => {
    const [root] = tasks(1, 100, []) as [WorkSpan];
    const one = { ...root, spanId: 'a', parentId: 'b' };
    const other = { ...root, spanId: 'b', parentId: 'a' };
    expect(workOf([root, one, other]).tasks).toBe(1);
  });
});

describe('an agent', () => {
  let house: MetricsHouse;
  beforeAll(async () => {
    house = await startMetricsHouse();
  });
  afterAll(() => house.stop());

  const ask = async (id: string, range?: object) => {
    const answer = await house.ask(
      `query ($representations: [_Any!]!, $range: TimeRange) { _entities(representations: $representations) { ... on Agent {
         bottleneck(range: $range) { kind confidence subject reason tasks evidence { what value bound } } } } }`,
      { representations: [{ __typename: 'Agent', id }], range },
    );
    expect(answer.errors).toBeUndefined();
    return answer.data._entities[0].bottleneck;
  };
  const text = (key: string, value: string) => ({ key, value: { stringValue: value } });

  test('is told by its spans and gauges, of five minutes unless it is said', async () => {
    const agent = agentOf(1);
    const nowMs = Date.now();
    const spans = tasks(20, 100, [{ ...call(0, 70), name: 'wait shelf' }]).map((span) => ({
      traceId: span.traceId.replace('t', '').padStart(32, 'a'),
      spanId: (span.spanId === 'root' ? '1' : '2').padStart(16, '0'),
      ...(span.parentId ? { parentSpanId: '1'.padStart(16, '0') } : {}),
      name: span.name,
      kind: span.parentId ? 1 : 5,
      startTimeUnixNano: `${nowMs - 60_000 + span.startMs}000000`,
      endTimeUnixNano: `${nowMs - 60_000 + span.endMs}000000`,
      attributes: span.parentId ? [text('fleet.wait.on', 'lock'), text('fleet.wait.name', 'shelf')] : [],
    }));
    await house.send('traces', { resourceSpans: [{ resource: {}, scopeSpans: [{ spans }] }] }, agent);
    expect(await ask(agent.agentId)).toEqual({
      ...{ kind: 'LOCK', subject: 'shelf', tasks: 20, confidence: expect.any(Number) },
      reason: 'tasks wait 70 % of their time for shelf',
      evidence: [{ what: 'share of the tasks’ time that they wait for shelf', value: 0.7, bound: 0.35 }],
    });
    const from = new Date(nowMs + 1_000).toISOString();
    expect(await ask(agent.agentId, { from, to: new Date(nowMs + 9_000).toISOString() })).toMatchObject({
      kind: null,
      tasks: 0,
    });
    const gauge = (name: string, asDouble: number) => ({
      name,
      gauge: { dataPoints: [{ timeUnixNano: `${nowMs - 30_000}000000`, asDouble }] },
    });
    const metrics = [
      gauge('nodejs.eventloop.utilization', 0.97),
      gauge('fleet.process.cpu', 1),
      gauge('fleet.process.gc', 0.4),
    ];
    await house.send('metrics', { resourceMetrics: [{ resource: {}, scopeMetrics: [{ metrics }] }] }, agent);
    expect(await ask(agent.agentId)).toMatchObject({
      kind: 'GC',
      evidence: [{ value: 0.4, bound: 0.12 }, { value: 0.412 }],
    });
    const other = await house.ask(
      'query ($r: [_Any!]!) { _entities(representations: $r) { ... on Agent { bottleneck { kind } } } }',
      { r: [{ __typename: 'Agent', id: agent.agentId }] },
      callOf({ principal: { ...ADMIN, scopes: ['agent'] } }),
    );
    expect(other.errors?.[0]?.extensions.code).toBe('FORBIDDEN');
  });
});
