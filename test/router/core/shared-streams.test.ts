import { FleetError } from '../../../lib/errors.ts';
import type { AnyAnswer, StreamItem } from '../../../router/engine.ts';
import { readOut } from '../../../router/execute/written.ts';
import { SharedStreams } from '../../../router/subscribe/shared-streams.ts';
import { StreamBatch } from '../../../router/subscribe/stream-batch.ts';
import { until } from '../../support/until.ts';

/** A house's stream whose events the test makes; each reader is an upstream. */
class House {
  readonly opened: (string | undefined)[] = [];
  readonly #events: number[] = [];
  readonly #readers = new Set<() => void>();
  refusal: unknown;
  /** Upstreams that run now. */
  running = 0;

  tell(...events: number[]): void {
    this.#events.push(...events);
    this.wake();
  }

  wake(): void {
    for (const each of this.#readers) each();
  }

  async *open(after: string | undefined, signal: AbortSignal): AsyncGenerator<StreamBatch, void> {
    this.opened.push(after);
    this.running += 1;
    let at = after === undefined ? this.#events.length : this.#events.indexOf(Number(after.slice(1))) + 1;
    let news = () => {};
    const wake = () => news();
    this.#readers.add(wake);
    signal.addEventListener('abort', wake);
    try {
      while (!signal.aborted) {
        if (this.refusal !== undefined) throw this.refusal;
        const event = this.#events[at];
        if (event === undefined) {
          await new Promise<void>((resolve) => {
            news = resolve;
          });
          continue;
        }
        at += 1;
        yield new StreamBatch([{ id: `c${event}`, answer: { data: { event } } }]);
      }
    } finally {
      this.running -= 1;
      this.#readers.delete(wake);
    }
  }
}

let house: House;
let shared: SharedStreams;
const leaving: AbortController[] = [];

beforeEach(() => {
  house = new House();
  shared = new SharedStreams({ maxEvents: 4, maxBytes: 1_000_000 });
});

afterEach(() => {
  for (const each of leaving.splice(0)) each.abort();
});

/** One subscriber, and what it was told. */
function subscribe(after?: string, key = 'same') {
  const leave = new AbortController();
  leaving.push(leave);
  const got = { events: [] as unknown[], items: [] as StreamItem<AnyAnswer>[], end: undefined as unknown, leave };
  const open = (from: string | undefined, signal: AbortSignal) => house.open(from ?? after, signal);
  const read = async () => {
    for await (const { items } of shared.run({ key, after, signal: leave.signal, open })) {
      for (const item of items) {
        got.items.push(item);
        if (item.answer) got.events.push(readOut(item.answer).data?.['event']);
      }
    }
  };
  void read().then(
    () => {
      got.end = 'ended';
    },
    (error: unknown) => {
      got.end = error;
    },
  );
  return got;
}

test('equal subscriptions share one upstream and get the very same items; others have theirs', async () => {
  const [one, two, other] = [subscribe(), subscribe(), subscribe(undefined, 'other')];
  house.tell(1, 2);
  await until(() => other.events.length === 2 && two.events.length === 2);
  expect(house.opened).toEqual([undefined, undefined]);
  expect(one.events).toEqual([1, 2]);
  expect(two.items[1]).toBe(one.items[1]);
  expect(shared.size).toEqual({ streams: 2, followers: 3 });
});

test('who comes late without a cursor gets what happens from now on, and its place', async () => {
  const first = subscribe();
  house.tell(1, 2);
  await until(() => first.events.length === 2);
  const late = subscribe();
  house.tell(3);
  await until(() => late.events.length === 1);
  expect(late.items[0]).toEqual({ id: 'c2' });
  expect(late.events).toEqual([3]);
  expect(house.opened).toHaveLength(1);
});

test('who comes late with a cursor in the window is told the rest from there', async () => {
  const first = subscribe();
  house.tell(1, 2, 3);
  await until(() => first.events.length === 3);
  const late = subscribe('c1');
  await until(() => late.events.length === 2);
  house.tell(4);
  await until(() => late.events.length === 3);
  expect(late.events).toEqual([2, 3, 4]);
  expect(house.opened).toHaveLength(1);
});

test('who is older than the window reads by itself until both meet; nothing is lost or told twice', async () => {
  const first = subscribe();
  house.tell(1, 2, 3, 4, 5, 6, 7, 8);
  await until(() => first.events.length === 8);
  const old = subscribe('c2');
  await until(() => old.events.length >= 3);
  house.tell(9, 10);
  await until(() => old.events.at(-1) === 10 && first.events.at(-1) === 10);
  expect(old.events).toEqual([3, 4, 5, 6, 7, 8, 9, 10]);
  expect(first.events).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  await until(() => house.running === 1);
  expect(shared.size).toEqual({ streams: 1, followers: 2 });
});

test('a stream that is catching up is not joined by who asks from now', async () => {
  house.tell(1, 2, 3);
  const old = subscribe('c1');
  const now = subscribe();
  await until(() => old.events.length === 2);
  house.tell(4);
  await until(() => now.events.length === 1 && old.events.length === 3);
  expect(now.events).toEqual([4]);
  expect(old.events).toEqual([2, 3, 4]);
  await until(() => house.running === 1);
  const later = subscribe();
  house.tell(5);
  await until(() => later.events.length === 1 && now.events.length === 2);
  expect(house.running).toBe(1);
});

test('the upstream outlives who opened it, and ends with the last', async () => {
  const [one, two] = [subscribe(), subscribe()];
  house.tell(1);
  await until(() => two.events.length === 1);
  one.leave.abort();
  house.tell(2);
  await until(() => two.events.length === 2);
  expect(one.end).toBe('ended');
  two.leave.abort();
  await until(() => house.running === 0);
  expect(shared.size).toEqual({ streams: 0, followers: 0 });
});

test('how it ends is told to all, and nobody asks for himself', async () => {
  const [one, two] = [subscribe(), subscribe()];
  house.tell(1);
  await until(() => two.events.length === 1);
  house.refusal = new FleetError('RESUME_GAP', 'events behind this cursor are gone');
  house.wake();
  await until(() => two.end !== undefined && one.end !== undefined);
  expect(one.end).toBe(house.refusal);
  expect(two.end).toBe(house.refusal);
  expect(house.opened).toEqual([undefined]);
});

test('a final item ends all, the one that asked and those who joined', async () => {
  const final: StreamItem<AnyAnswer> = { answer: { errors: [{ message: 'over' }] } };
  const opened: unknown[] = [];
  const run = async () => {
    const told: StreamItem<AnyAnswer>[] = [];
    const open = async function* (after: string | undefined) {
      opened.push(after);
      yield new StreamBatch([final]);
    };
    for await (const { items } of shared.run({
      key: 'k',
      after: undefined,
      signal: new AbortController().signal,
      open,
    }))
      told.push(...items);
    return told;
  };
  expect(await Promise.all([run(), run()])).toEqual([[final], [final]]);
  expect(opened).toEqual([undefined]);
});

test('an upstream that tells more at once than the window holds drives nobody out of it', async () => {
  const opened: unknown[] = [];
  const told: unknown[] = [];
  const items = Array.from({ length: 40 }, (_, at) => ({ id: `c${at}`, answer: { data: { at } } }));
  const open = async function* (after: string | undefined) {
    opened.push(after);
    yield new StreamBatch(items);
  };
  const { signal } = new AbortController();
  for await (const batch of shared.run({ key: 'k', after: undefined, signal, open })) {
    told.push(...batch.items.map(({ id }) => id));
  }
  expect(told).toEqual(items.map(({ id }) => id));
  expect(opened).toEqual([undefined]);
});

test('a window keeps few events: who falls behind it goes on by itself', async () => {
  const first = subscribe();
  house.tell(...Array.from({ length: 500 }, (_, at) => at + 1));
  await until(() => first.events.length === 500);
  expect(first.events).toEqual(Array.from({ length: 500 }, (_, at) => at + 1));
});

test('an upstream that tells once more what it told is not believed', async () => {
  const told: unknown[] = [];
  const open = async function* () {
    for (const events of [[1, 2, 3], [2, 3, 4], [4]]) {
      yield new StreamBatch(events.map((event) => ({ id: `c${event}`, answer: { data: { event } } })));
    }
  };
  const { signal } = new AbortController();
  for await (const { items } of shared.run({ key: 'k', after: undefined, signal, open })) {
    told.push(...items.map(({ id }) => id));
  }
  expect(told).toEqual(['c1', 'c2', 'c3', 'c4']);
});

test('a stream that ended does not end others of the same', async () => {
  const held = subscribe();
  house.tell(1);
  await until(() => held.events.length === 1);
  // It catches up to where the other one is, and that very batch ends it.
  const open = async function* () {
    yield new StreamBatch([
      { id: 'c1', answer: { data: { event: 1 } } },
      { answer: { errors: [{ message: 'over' }] } },
    ]);
  };
  const { signal } = new AbortController();
  for await (const _ of shared.run({ key: 'same', after: 'c0', signal, open }));
  house.tell(2);
  await until(() => held.events.length === 2);
  expect(house.opened).toEqual([undefined]);
});
