/**
 * Gives what comes together at once. What waits while it is being taken comes with the next.
 * @param most items that are given at once; the source is read no further ahead
 * @throws what the source throws, after the items before it were given
 */
export async function* gathered<A>(source: AsyncIterable<A>, most: number): AsyncGenerator<A[], void, undefined> {
  const iterator = source[Symbol.asyncIterator]();
  let waiting: A[] = [];
  const end: { isReached: boolean; error?: unknown } = { isReached: false };
  let news = () => {};
  let room = () => {};
  const read = async () => {
    for (let step = await iterator.next(); !step.done; step = await iterator.next()) {
      waiting.push(step.value);
      news();
      if (waiting.length < most) continue;
      await new Promise<void>((resolve) => {
        room = resolve;
      });
    }
  };
  read().then(
    () => {
      end.isReached = true;
      news();
    },
    (error: unknown) => {
      Object.assign(end, { isReached: true, error });
      news();
    },
  );
  try {
    for (;;) {
      if (waiting.length === 0 && !end.isReached) {
        await new Promise<void>((resolve) => {
          news = resolve;
        });
        // What came in the same piece of the stream is read by the end of this turn.
        if (!end.isReached) await new Promise((resolve) => setImmediate(resolve));
      }
      const taken = waiting;
      waiting = [];
      room();
      if (taken.length > 0) yield taken;
      else if (end.isReached) break;
    }
    if ('error' in end) throw end.error;
  } finally {
    // Not awaited: a source that waits for its next item ends only when its signal fires.
    iterator.return?.().then(undefined, () => undefined);
  }
}
