import { GraphQLError } from 'graphql';
import type { GraphAnswer } from '../engine.ts';
import type { BoundedStream } from './bounded-stream.ts';

/** Answers of a stream as graphql-ws takes them; `end` is called once, however it ends. */
export function payloads(stream: BoundedStream, end: () => void): AsyncIterableIterator<GraphAnswer> {
  return {
    async next() {
      try {
        const step = await stream.next();
        if (!step.done) return { value: step.value.answer ?? {}, done: false };
      } catch (error) {
        end();
        throw error;
      }
      end();
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

/** An answer's errors as graphql-ws takes a refusal. */
export function errorsOf(answer: GraphAnswer): GraphQLError[] {
  return (answer.errors ?? []).map(
    ({ message, extensions }) => new GraphQLError(message, extensions ? { extensions } : {}),
  );
}
