import type { AnyAnswer, GraphAnswer } from '../engine.ts';

/** Data that is JSON already: made once, by the one that knows its shape, and sent as it is. */
export class Written {
  constructor(readonly text: string) {}

  /** The data itself, for who looks into it. */
  toJSON(): Record<string, unknown> {
    return JSON.parse(this.text);
  }
}

/** The answer with its data as objects. */
export function readOut(answer: AnyAnswer): GraphAnswer {
  return answer.data instanceof Written ? { ...answer, data: answer.data.toJSON() } : (answer as GraphAnswer);
}

/** An answer as JSON. */
export function jsonOfAnswer(answer: AnyAnswer): string {
  const { data, errors, extensions } = answer;
  if (!(data instanceof Written)) return JSON.stringify(answer);
  if (!errors && !extensions) return `{"data":${data.text}}`;
  // Errors come first, where people look for them (GraphQL specification, 7.1).
  const told = errors ? `"errors":${JSON.stringify(errors)},` : '';
  return `{${told}"data":${data.text}${extensions ? `,"extensions":${JSON.stringify(extensions)}` : ''}}`;
}

/** Anything but what JSON writes as it is: quotes, backslashes, control characters; surrogates, whose halves it escapes. */
const ESCAPED = /[^ !#-[\]-\ud7ff\ue000-\uffff]/;

/** A text as JSON. Most have nothing to escape, which is found out faster than a call of JSON.stringify begins. */
export function quoted(text: string): string {
  return ESCAPED.test(text) ? JSON.stringify(text) : `"${text}"`;
}

/** Any value of JSON as JSON. */
export function jsonOf(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return quoted(value);
    case 'number':
      return Number.isFinite(value) ? String(value) : 'null';
    case 'boolean':
      return value ? 'true' : 'false';
    default:
      return JSON.stringify(value) ?? 'null';
  }
}
