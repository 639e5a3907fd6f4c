import type { Call } from '../../../lib/call/signing.ts';
import { FleetError } from '../../../lib/errors.ts';
import { fixedFlags, standardFlags } from '../../../lib/flags/index.ts';
import { createEngine } from '../../../router/core.ts';
import { type Engine, isRefused, type StreamItem } from '../../../router/engine.ts';
import { readOut } from '../../../router/execute/written.ts';
import type { StreamBatch } from '../../../router/subscribe/stream-batch.ts';
import { alertEvent, away, Fleet, fleetSupergraph } from './fleet.ts';
import { call, stillClock } from './world.ts';

const QUERY = 'subscription { alertChanged { cursor node { title agent { name } } } }';
const pauses: number[] = [];
let fleet: Fleet;
let engine: Engine;

beforeEach(() => {
  fleet = new Fleet();
  pauses.length = 0;
  engine = makeEngine(standardFlags().isOn('router.event-batching'));
});

/** The id of the only agent a join asks for. */
function idIn(variables: Record<string, unknown> = {}): string {
  const [representation] = variables['representations'] as [{ id: string }];
  return representation.id;
}

/** Upstreams in turn: each gives its items and then completes, or throws what it is given. */
function upstreams(...scripts: { items: StreamItem[]; end?: unknown }[]): (string | undefined)[] {
  const resumedAfter: (string | undefined)[] = [];
  fleet.stream = async function* (after) {
    const script = scripts[resumedAfter.length];
    resumedAfter.push(after);
    if (!script) throw new Error('nobody listens');
    yield* script.items;
    if (script.end !== undefined) throw script.end;
  };
  return resumedAfter;
}

async function collect(query = QUERY, as: Call = call, signal = new AbortController().signal): Promise<StreamItem[]> {
  const prepared = await engine.prepare({ query });
  if (isRefused(prepared)) throw new Error(JSON.stringify(prepared.errors));
  const items: StreamItem[] = [];
  // Bare heartbeats say nothing; a shared stream does not hand them on.
  for await (const batch of engine.subscribe(prepared, as, signal)) items.push(...itemsOf(batch));
  return items;
}

/** What a batch says, with its answers as objects. */
function itemsOf({ items }: StreamBatch): StreamItem[] {
  return items.flatMap(({ id, answer }) =>
    id === undefined && !answer
      ? []
      : [{ ...(id === undefined ? {} : { id }), ...(answer ? { answer: readOut(answer) } : {}) }],
  );
}

const shown = (number: number) => ({
  id: `c${number}`,
  answer: {
    data: {
      alertChanged: { cursor: `c${number}`, node: { title: `alert ${number}`, agent: { name: `agent a${number}` } } },
    },
  },
});

test('each event carries the fields of other subgraphs, in order, and bookmarks pass through', async () => {
  upstreams({ items: [alertEvent(1), alertEvent(2), {}, alertEvent(3), { id: 'c4' }] });
  expect(await collect()).toEqual([shown(1), shown(2), shown(3), { id: 'c4' }]);
});

/** An engine that asks for each event alone, or for those together that come together. */
function makeEngine(isBatching: boolean): Engine {
  return createEngine({
    supergraphSdl: fleetSupergraph,
    caller: fleet,
    clock: stillClock,
    resumption: { firstPauseMs: 100, longestPauseMs: 300, attempts: 3, staleMs: 30_000 },
    pause: async (ms) => void pauses.push(ms),
    flags: fixedFlags({ 'router.event-batching': isBatching }),
  });
}

test('events come in order though their joins end out of order', async () => {
  engine = makeEngine(false);
  upstreams({ items: [alertEvent(1), alertEvent(2), alertEvent(3)] });
  const waiting: (() => void)[] = [];
  fleet.misbehaving['agents'] = async ({ variables }) => {
    const id = idIn(variables);
    // The first join ends only after the third one began.
    if (id === 'a3') for (const go of waiting) go();
    else await new Promise<void>((resolve) => waiting.push(resolve));
    return { data: { _entities: [{ name: `agent ${id}` }] } };
  };
  expect(await collect()).toEqual([shown(1), shown(2), shown(3)]);
});

test('events that come together ask for their entities together, each entity once', async () => {
  engine = makeEngine(true);
  const asked: string[][] = [];
  fleet.misbehaving['agents'] = ({ variables = {} }) => {
    const ids = (variables['representations'] as { id: string }[]).map(({ id }) => id);
    asked.push(ids);
    return { data: { _entities: ids.map((id) => ({ name: `agent ${id}` })) } };
  };
  upstreams({ items: [alertEvent(1), alertEvent(2), { ...alertEvent(1), id: 'c3' }, { id: 'c4' }] });
  expect(await collect()).toEqual([shown(1), shown(2), { ...shown(1), id: 'c3' }, { id: 'c4' }]);
  expect(asked).toEqual([['a1', 'a2']]);
});

test('of events that ask together, each is told its own errors only', async () => {
  engine = makeEngine(true);
  fleet.misbehaving['agents'] = () => ({
    data: { _entities: [{ name: 'agent a1' }, null] },
    errors: [{ message: 'asleep', path: ['_entities', 1, 'name'], extensions: { code: 'TIMEOUT' } }],
  });
  upstreams({ items: [alertEvent(1), alertEvent(2)] });
  const [first, second] = await collect();
  expect(first).toEqual(shown(1));
  expect(second).toMatchObject({
    id: 'c2',
    answer: {
      data: { alertChanged: { cursor: 'c2', node: { title: 'alert 2', agent: { name: null } } } },
      errors: [{ path: ['alertChanged', 'node', 'agent', 'name'], extensions: { code: 'TIMEOUT' } }],
    },
  });
  fleet.misbehaving['agents'] = away('agents');
  upstreams({ items: [alertEvent(1), { ...alertEvent(2), answer: { data: { alertChanged: null } } }, alertEvent(3)] });
  const [one, none, three] = await collect();
  for (const each of [one, three]) {
    expect(each?.answer?.errors).toMatchObject([{ path: ['alertChanged', 'node', 'agent', 'name'] }]);
  }
  expect(none?.answer).toEqual({ data: { alertChanged: null } });
});

test('a failed join is null with its code in that payload, and the stream goes on', async () => {
  engine = makeEngine(false);
  upstreams({ items: [alertEvent(1), alertEvent(2)] });
  let calls = 0;
  fleet.misbehaving['agents'] = ({ variables }) => {
    if (calls++ === 0) return away('agents')({ query: '' });
    return { data: { _entities: [{ name: `agent ${idIn(variables)}` }] } };
  };
  expect(await collect()).toEqual([
    {
      id: 'c1',
      answer: {
        data: { alertChanged: { cursor: 'c1', node: { title: 'alert 1', agent: { name: null } } } },
        errors: [
          {
            message: 'agents cannot be reached',
            path: ['alertChanged', 'node', 'agent', 'name'],
            extensions: {
              code: 'SUBGRAPH_UNAVAILABLE',
              retryable: true,
              retryAfterMs: 250,
              subgraph: 'agents',
              requestId: 'request-1',
            },
          },
        ],
      },
    },
    shown(2),
  ]);
});

test('a lost upstream is resumed after the last cursor, unseen; a repeated event is dropped', async () => {
  const resumedAfter = upstreams(
    { items: [alertEvent(1), { id: 'c5' }], end: new Error('socket hang up') },
    { items: [], end: new FleetError('SUBGRAPH_UNAVAILABLE', 'starting') },
    { items: [{ ...alertEvent(6), id: 'c5' }, alertEvent(6)] },
  );
  // A bookmark that an event overtook need not be told.
  expect((await collect()).filter(({ answer }) => answer)).toEqual([shown(1), shown(6)]);
  expect(resumedAfter).toEqual([undefined, 'c5', 'c5']);
  expect(pauses).toEqual([50, 100]);
});

test('a retryable last word of the upstream is a loss like any other', async () => {
  const cut = { answer: { errors: [{ message: 'too slow', extensions: { code: 'SLOW_CONSUMER' } }] } };
  const resumedAfter = upstreams({ items: [alertEvent(1), cut] }, { items: [alertEvent(2)] });
  expect(await collect()).toEqual([shown(1), shown(2)]);
  expect(resumedAfter).toEqual([undefined, 'c1']);
});

test('the caller resumes after its own cursor', async () => {
  const resumedAfter = upstreams({ items: [alertEvent(8)] });
  expect(await collect(QUERY, { ...call, lastEventId: 'c7' })).toEqual([shown(8)]);
  expect(resumedAfter).toEqual(['c7']);
});

test('an upstream that does not come back ends the stream with its last cursor', async () => {
  upstreams({ items: [alertEvent(1)], end: new Error('gone') });
  const items = await collect();
  expect(items).toEqual([
    shown(1),
    {
      answer: {
        errors: [
          {
            message: 'the stream from alerts was lost: subscribe again after your last cursor',
            extensions: {
              code: 'SUBGRAPH_UNAVAILABLE',
              retryable: true,
              cursor: 'c1',
              subgraph: 'alerts',
              requestId: 'request-1',
            },
          },
        ],
      },
    },
  ]);
  expect(pauses).toEqual([50, 100, 150]);
});

test('without a cursor to resume after, a loss is told: there would be a hole', async () => {
  const { id: _, ...withoutCursor } = alertEvent(1);
  upstreams({ items: [withoutCursor], end: new Error('gone') }, { items: [alertEvent(3)] });
  const [, last] = await collect();
  expect(last?.answer?.errors?.[0]?.extensions?.['code']).toBe('SUBGRAPH_UNAVAILABLE');
});

test.each([
  'subscription { alertChanged(after: "c0") { cursor } }',
  'subscription { ...F } fragment F on Subscription { ... { alertChanged(after: "c0") { cursor } } }',
])('an operation that says where it starts can start again: %s', async (query) => {
  const resumedAfter = upstreams({ items: [{}], end: new Error('gone') }, { items: [alertEvent(1)] });
  expect(await collect(query)).toEqual([{ id: 'c1', answer: { data: { alertChanged: { cursor: 'c1' } } } }]);
  expect(resumedAfter).toEqual([undefined, undefined]);
});

test('a final error of the house is the last item, with its code and cursor', async () => {
  const gap = {
    message: 'events behind this cursor are gone',
    extensions: { code: 'RESUME_GAP', cursor: 'c40', secret: 'x' },
  };
  upstreams({ items: [alertEvent(1), { answer: { errors: [gap] } }, alertEvent(2)] });
  expect(await collect()).toEqual([
    shown(1),
    {
      answer: {
        errors: [
          {
            message: gap.message,
            extensions: { code: 'RESUME_GAP', retryable: false, cursor: 'c40', requestId: 'request-1' },
          },
        ],
      },
    },
  ]);
});

test('an upstream that refuses is told at once', async () => {
  upstreams({ items: [], end: new FleetError('BAD_CURSOR', 'this cursor is not one of this list') });
  const [only] = await collect();
  expect(only?.answer?.errors?.[0]).toMatchObject({
    message: 'this cursor is not one of this list',
    extensions: { code: 'BAD_CURSOR' },
  });
  expect(pauses).toEqual([]);
});

test('an event without its root field is shown as such, and the stream goes on', async () => {
  const failed = { message: 'boom', path: ['alertChanged'], extensions: { code: 'INTERNAL' } };
  upstreams({ items: [{ id: 'c1', answer: { data: { alertChanged: null }, errors: [failed] } }, alertEvent(2)] });
  const [first, second] = await collect();
  expect(first?.answer?.data).toEqual({ alertChanged: null });
  expect(first?.answer?.errors?.[0]).toMatchObject({ path: ['alertChanged'], extensions: { code: 'INTERNAL' } });
  expect(second).toEqual(shown(2));
});

test('a client that leaves ends its upstream', async () => {
  let upstream: AbortSignal | undefined;
  fleet.stream = async function* (_, signal) {
    upstream = signal;
    yield alertEvent(1);
    await new Promise((resolve) => signal.addEventListener('abort', resolve));
    throw new Error('aborted');
  };
  const leaving = new AbortController();
  const prepared = await engine.prepare({ query: QUERY });
  if (isRefused(prepared)) throw new Error('refused');
  const items: StreamItem[] = [];
  for await (const batch of engine.subscribe(prepared, call, leaving.signal)) {
    items.push(...itemsOf(batch));
    leaving.abort();
  }
  expect(items).toEqual([shown(1)]);
  for await (const batch of engine.subscribe(prepared, call, new AbortController().signal)) {
    expect(itemsOf(batch)).toEqual([shown(1)]);
    break;
  }
  expect(upstream?.aborted).toBe(true);
  expect(pauses).toEqual([]);
});

test('who may not see it is told so, once, and no upstream is opened', async () => {
  const opened = upstreams({ items: [alertEvent(1)] });
  const guest: Call = { ...call, principal: { ...call.principal, scopes: ['auditor'] } };
  const items = await collect(QUERY, guest);
  expect(items).toHaveLength(1);
  expect(items[0]?.answer?.errors?.[0]).toMatchObject({ path: ['alertChanged'], extensions: { code: 'FORBIDDEN' } });
  expect(opened).toEqual([]);
});

test('an operation that is no subscription cannot be subscribed to', async () => {
  await expect(collect('{ agents { id } }')).rejects.toThrow('a query is executed, not subscribed to');
});
