import type { StreamItem } from '../../../router/engine.ts';
import { BoundedStream } from '../../../router/http/bounded-stream.ts';
import { StreamBatch } from '../../../router/subscribe/stream-batch.ts';
import type { AnyShape } from '../../support/house.ts';
import { until } from '../../support/until.ts';

describe('a bounded stream', () => {
  const items = (count: number): StreamItem[] =>
    Array.from({ length: count }, (_, at) => ({ id: `c${at + 1}`, answer: { data: { at } } }));

  /** Gives each item, or list of them, as it comes. */
  async function* sourceOf(given: (StreamItem | StreamItem[])[], error?: Error) {
    for (const each of given) yield new StreamBatch(Array.isArray(each) ? each : [each]);
    if (error) throw error;
  }

  test('gives everything in order, and knows its place only up to what was taken', async () => {
    const stream = new BoundedStream(sourceOf([...items(2), { id: 'b3' }, {}]), () => undefined);
    await until(() => (stream as AnyShape).next && true);
    expect(stream.bookmark).toBeUndefined();
    expect((await stream.next()).value.cursor).toBe('c1');
    expect(stream.bookmark).toBe('c1');
    expect((await stream.next()).value.cursor).toBe('c2');
    expect((await stream.next()).done).toBe(true);
    expect(stream.bookmark).toBe('b3');
  });

  test('gives what came together as the one object it is, whole or not at all', async () => {
    const [one, two, three] = items(3) as [StreamItem, StreamItem, StreamItem];
    const stream = new BoundedStream(sourceOf([[one, two], [three]]), () => undefined);
    const { value } = await stream.next();
    expect(value.items).toEqual([one, two]);
    expect(value.frames).toBe(value.frames);
    expect(String(value.frames)).toBe(
      'event: next\nid: c1\ndata: {"data":{"at":0}}\n\nevent: next\nid: c2\ndata: {"data":{"at":1}}\n\n',
    );
    expect(stream.bookmark).toBe('c2');
  });

  test('tells in its heartbeat how far its reader is, and whether its source is silent', async () => {
    const stream = new BoundedStream(sourceOf([{ id: 'b1' }, { isStale: true }]), () => undefined);
    expect((await stream.next()).done).toBe(true);
    expect(stream.heartbeat.items).toEqual([
      { answer: { data: null, extensions: { heartbeat: true, stale: true, cursor: 'b1' } } },
    ]);
  });

  test('that overflows ends with SLOW_CONSUMER and stops its source', async () => {
    let stopped = false;
    const stream = new BoundedStream(
      sourceOf(items(20)),
      () => {
        stopped = true;
      },
      { maxEvents: 10, maxBytes: 1_000_000 },
    );
    await until(() => stopped);
    expect((await stream.next()).value.items[0].answer.errors[0].extensions).toMatchObject({ code: 'SLOW_CONSUMER' });
    expect((await stream.next()).done).toBe(true);
  });

  test('passes on why its source failed', async () => {
    const stream = new BoundedStream(sourceOf(items(1), new Error('torn')), () => undefined);
    await stream.next();
    await expect(stream.next()).rejects.toThrow('torn');
    expect((await stream.return()).done).toBe(true);
  });
});
