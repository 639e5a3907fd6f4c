import type { Principal } from '../../../lib/call/principal.ts';
import type { Call } from '../../../lib/call/signing.ts';
import type { GraphAnswer, SubgraphCaller } from '../../../router/engine.ts';
import { SharedCalls } from '../../../router/execute/shared-calls.ts';
import { type LeaveSignal, Presence } from '../../../router/leave-signal.ts';

const ann: Principal = { id: 'ann', kind: 'PERSON', name: 'Ann', scopes: ['viewer'] };
const call: Call = { principal: ann, requestId: 'r', deadlineMs: 10_000 };
const query = { query: 'query{ships{id}}', variables: { n: 1 } };

interface Sent {
  signal: LeaveSignal | undefined;
  resolve(answer: GraphAnswer): void;
  reject(error: unknown): void;
}

function sharing(isOn = true) {
  const sent: Sent[] = [];
  const caller: SubgraphCaller = {
    execute: (_subgraph, _request, _call, signal) =>
      new Promise((resolve, reject) => sent.push({ signal, resolve, reject })),
    subscribe: () => {
      throw new Error('not asked for');
    },
  };
  const shared = new SharedCalls(caller, () => isOn);
  return { shared, sent };
}

const answer = (): GraphAnswer => ({ data: { ships: [{ id: '1' }] } });

test('equal queries under way are sent once, and each asker gets data of his own', async () => {
  const { shared, sent } = sharing();
  const asked = [1, 2, 3].map(() => shared.execute('sea', query, call));
  expect(sent.length).toBe(1);
  sent[0]?.resolve(answer());
  const answers = await Promise.all(asked);
  expect(answers).toEqual([answer(), answer(), answer()]);
  expect(new Set(answers.map(({ data }) => data)).size).toBe(3);
  expect([...shared.saved]).toEqual([['sea', 2]]);
});

test('what was answered is asked anew', async () => {
  const { shared, sent } = sharing();
  const first = shared.execute('sea', query, call);
  sent[0]?.resolve(answer());
  await first;
  void shared.execute('sea', query, call);
  expect(sent.length).toBe(2);
});

test.each<[string, string, typeof query, Call]>([
  ['another subgraph', 'land', query, call],
  ['other variables', 'sea', { ...query, variables: { n: 2 } }, call],
  ['another principal', 'sea', query, { ...call, principal: { ...ann, id: 'bob' } }],
  ['other scopes', 'sea', query, { ...call, principal: { ...ann, scopes: ['admin'] } }],
  ['a much shorter deadline', 'sea', query, { ...call, deadlineMs: 2_000 }],
])('%s is a call of its own', (_name, subgraph, request, other) => {
  const { shared, sent } = sharing();
  void shared.execute('sea', query, call);
  void shared.execute(subgraph, request, other);
  expect(sent.length).toBe(2);
});

test('mutations are never shared, nor anything while it is off', () => {
  const on = sharing();
  for (const _ of [1, 2]) void on.shared.execute('sea', { query: 'mutation{sink}' }, call);
  const off = sharing(false);
  for (const _ of [1, 2]) void off.shared.execute('sea', query, call);
  expect([on.sent.length, off.sent.length]).toEqual([2, 2]);
});

test('a failure is told to all who wait', async () => {
  const { shared, sent } = sharing();
  const asked = [1, 2].map(() => shared.execute('sea', query, call));
  sent[0]?.reject(new Error('sunk'));
  expect((await Promise.allSettled(asked)).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
});

test('whoever leaves takes the call with him only when nobody else waits', async () => {
  const { shared, sent } = sharing();
  const [maker, other] = [new Presence(), new Presence()];
  void shared.execute('sea', query, call, maker).catch(() => undefined);
  const joined = shared.execute('sea', query, call, other);
  maker.leave();
  expect(sent[0]?.signal?.aborted).toBe(false);
  other.leave();
  await expect(joined).rejects.toThrow('the caller left');
  expect(sent[0]?.signal?.aborted).toBe(true);
  // What is abandoned is nobody's any more.
  void shared.execute('sea', query, call);
  expect(sent.length).toBe(2);
});
