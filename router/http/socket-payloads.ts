import { GraphQLError } from 'graphql';
import type { GraphAnswer } from '../engine.ts';
import type { StreamBatch } from '../subscribe/stream-batch.ts';
import type { BoundedStream } from './bounded-stream.ts';

/**
 * A stream as graphql-ws runs it. Its payloads are sent here, as text that is made once for all who get the same: graphql-ws
 * would write out each for each. So nothing comes out of it but its end; `end` is called once, however it ends.
 * @param send gives a promise when there is no room for more by now
 */
export function sentPayloads(
  stream: BoundedStream,
  send: (batch: StreamBatch) => Promise<void> | undefined,
  end: () => void,
): AsyncIterableIterator<never> {
  return {
    async next() {
      try {
        for (let step = await stream.next(); !step.done; step = await stream.next()) {
          const room = send(step.value);
          if (room) await room;
        }
      } finally {
        end();
      }
      return { value: undefined, done: true };
    },
    async return() {
      stream.close();
      end();
      return { value: undefined, done: true };
    },
    // graphql-ws ends only what looks like a generator.
    throw(error) {
      stream.close();
      end();
      return Promise.reject(error);
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}

/**
 * The one answer of a query or mutation as graphql-ws runs it: as a stream of one, for only what looks like a generator is told
 * when its client completes it or the socket closes.
 * @param run begun when the answer is asked for
 * @param leave called at most once, when nobody wants the answer any more; what comes then is not told
 */
export function oneAnswer<A>(run: () => Promise<A>, leave: () => void): AsyncIterableIterator<A> {
  let isBegun = false;
  let isLeft = false;
  const end = () => {
    if (!isLeft) leave();
    isLeft = true;
  };
  return {
    async next() {
      if (isBegun || isLeft) return { value: undefined, done: true };
      isBegun = true;
      const value = await run();
      return isLeft ? { value: undefined, done: true } : { value, done: false };
    },
    async return() {
      end();
      return { value: undefined, done: true };
    },
    throw(error) {
      end();
      return Promise.reject(error);
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}

/** An answer's errors as graphql-ws takes a refusal. */
export function errorsOf(answer: GraphAnswer): GraphQLError[] {
  return (answer.errors ?? []).map(
    ({ message, extensions }) => new GraphQLError(message, extensions ? { extensions } : {}),
  );
}
