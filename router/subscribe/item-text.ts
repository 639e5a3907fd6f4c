import type { AnyAnswer } from '../engine.ts';
import { jsonOfAnswer } from '../execute/written.ts';

const texts = new WeakMap<AnyAnswer, string>();

/** An answer of a stream as JSON, made once however many readers it has. It is not changed any more. */
export function textOf(answer: AnyAnswer): string {
  let text = texts.get(answer);
  if (text === undefined) {
    text = jsonOfAnswer(answer);
    texts.set(answer, text);
  }
  return text;
}
