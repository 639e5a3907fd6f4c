import { certainOf, UNKNOWN } from './certain-words.ts';
import { inEngine, inProcess, type Points } from './points.ts';

/** An expression under way, in both languages. */
export interface Part {
  re2: string;
  js: string;
  /** Characters it compares with, repetitions counted out. */
  size: number;
  /** What it is found in, as far as that is certain (certain-words.ts). */
  text: string;
}

/** One character out of a set. */
export function written(points: Points): Part {
  return { re2: inEngine(points), js: inProcess(points), size: 1, text: certainOf(points) };
}

export function grouped({ re2, js, size, text }: Part): Part {
  return { re2: `(?:${re2})`, js: `(?:${js})`, size, text };
}

/** Parts one after the other, or ways apart. @param between empty, or what parts the ways */
export function joined(parts: readonly Part[], between: '' | '|', size: number): Part {
  return {
    re2: parts.map(({ re2 }) => re2).join(between),
    js: parts.map(({ js }) => js).join(between),
    size,
    text: between ? UNKNOWN : parts.map(({ text }) => text).join(''),
  };
}

/** What is certain of a part that comes so often or oftener. */
export function often({ text }: Part, least: number): string {
  if (least === 0) return UNKNOWN;
  // A single character is the first and the last of its run.
  return text.length === 1 ? text.repeat(least) + UNKNOWN + text : text.repeat(least) + UNKNOWN;
}
