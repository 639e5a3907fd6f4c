import { resumed } from '../../../router/subscribe/resumption.ts';
import { SharedStreams } from '../../../router/subscribe/shared-streams.ts';
import { StreamBatch } from '../../../router/subscribe/stream-batch.ts';
import { call } from './world.ts';

test('a reader is told that what he has may be old once the upstream is lost for long, and only then', async () => {
  let nowMs = 0;
  let opened = 0;
  const caller = {
    async *subscribe() {
      opened += 1;
      if (opened === 2 || opened === 3) throw new Error('nobody listens');
      yield { id: `c${opened}`, answer: { data: {} } };
      if (opened === 1) throw new Error('lost');
    },
  };
  const told: unknown[] = [];
  for await (const { id, isStale } of resumed({
    caller: caller as never,
    subgraph: 'sea',
    request: { query: 'subscription { moved }' },
    call,
    signal: new AbortController().signal,
    startsAfterCursor: false,
    limits: { firstPauseMs: 100, longestPauseMs: 5_000, attempts: 30, staleMs: 30_000 },
    pause: async () => {
      nowMs += 20_000;
    },
    nowMs: () => nowMs,
    random: () => 1,
  })) {
    told.push(isStale ? 'stale' : id);
  }
  expect(told).toEqual(['c1', 'stale', 'c4']);
});

test('all who follow a stream are told that it is stale, once, until something comes', async () => {
  const shared = new SharedStreams();
  let goOn = () => {};
  const going = new Promise<void>((resolve) => {
    goOn = resolve;
  });
  const open = async function* () {
    yield new StreamBatch([{ id: 'c1', answer: { data: {} } }]);
    yield new StreamBatch([{ isStale: true }]);
    yield new StreamBatch([{ isStale: true }]);
    await going;
    yield new StreamBatch([{ id: 'c2', answer: { data: {} } }]);
  };
  const follow = async () => {
    const told: unknown[] = [];
    for await (const batch of shared.run({ key: 'k', after: undefined, signal: new AbortController().signal, open })) {
      for (const { id, isStale } of batch.items) told.push(isStale ? 'stale' : id);
      if (batch.isStale) setImmediate(goOn);
    }
    return told;
  };
  expect(await Promise.all([follow(), follow()])).toEqual([
    ['c1', 'stale', 'c2'],
    ['c1', 'stale', 'c2'],
  ]);
});
