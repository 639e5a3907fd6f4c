/** What reading one item came to. */
type Read<A> = { item: A } | { end: true } | { error: unknown };

/**
 * Works on several items at once and gives the outcomes in the items' order.
 * @param limit how many items may be under way or wait to be taken
 * @throws what the source or the work throws, after the outcomes before it were given
 */
export async function* inOrder<A, B>(
  source: AsyncIterable<A>,
  limit: number,
  work: (item: A) => Promise<B>,
): AsyncGenerator<B, void, undefined> {
  const iterator = source[Symbol.asyncIterator]();
  const read = (): Promise<Read<A>> =>
    iterator.next().then(
      (step) => (step.done ? { end: true } : { item: step.value }),
      (error: unknown) => ({ error }),
    );
  const underWay: Promise<B>[] = [];
  let reading: Promise<Read<A>> | undefined = read();
  let last: Read<A> | undefined;
  try {
    while (reading || underWay.length > 0) {
      const [first] = underWay;
      // Whichever comes first: the oldest outcome goes out, or another item is read in.
      const news: Read<A> | undefined = await Promise.race([
        ...(first ? [first.then(() => undefined)] : []),
        ...(reading && underWay.length < limit ? [reading] : []),
      ]);
      if (news === undefined) {
        yield await (underWay.shift() as Promise<B>);
      } else if ('item' in news) {
        const outcome = work(news.item);
        // A failure is told in its turn, not before as a rejection that nobody took.
        outcome.catch(() => undefined);
        underWay.push(outcome);
        reading = read();
      } else {
        reading = undefined;
        last = news;
      }
    }
    if (last && 'error' in last) throw last.error;
  } finally {
    // Not awaited: a source that waits for its next item ends only when its signal fires.
    iterator.return?.().then(undefined, () => undefined);
  }
}
