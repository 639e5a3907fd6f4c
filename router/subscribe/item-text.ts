import type { GraphAnswer } from '../engine.ts';

const texts = new WeakMap<GraphAnswer, string>();

/** An answer of a stream as JSON, made once however many readers it has. It is not changed any more. */
export function textOf(answer: GraphAnswer): string {
  let text = texts.get(answer);
  if (text === undefined) {
    text = JSON.stringify(answer);
    texts.set(answer, text);
  }
  return text;
}
