import type { GraphAnswer } from '../../../router/engine.ts';

/** An answer, and what it did. */
export interface Outcome {
  answer: GraphAnswer;
  log: readonly string[];
}

/** Whether the router's data lack something that the other have, with errors, and differ in nothing else. */
export function lacks(whole: unknown, data: unknown, errors = 0): boolean {
  if (errors === 0) return false;
  if (data === null || data === undefined) return true;
  if (typeof data !== 'object' || typeof whole !== 'object' || whole === null) return data === whole;
  const [keys, others] = [Object.keys(data), Object.keys(whole)];
  if (keys.join() !== others.join()) return false;
  return keys.every((key) =>
    lacks((whole as Record<string, unknown>)[key], (data as Record<string, unknown>)[key], errors),
  );
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
