import type { GraphAnswer } from '../../../router/engine.ts';

/** An answer, and what it did. */
export interface Outcome {
  answer: GraphAnswer;
  log: readonly string[];
}

/**
 * Where an answer is null because of its errors. Paths themselves may differ: which of several errors under one null is
 * told depends on what was resolved first.
 */
export function faultyPlaces({ data, errors = [] }: GraphAnswer): string[] {
  const places = errors.map(({ path = [] }) => {
    let value: unknown = data;
    let length = 0;
    for (; length < path.length && value !== null && value !== undefined; length++) {
      value = (value as Record<string | number, unknown>)[path[length] as string];
    }
    return JSON.stringify(path.slice(0, length));
  });
  return [...new Set(places)].sort();
}
