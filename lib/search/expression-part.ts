import { certainOf, isOneCharacter, PARTS_WORDS, UNKNOWN } from './certain-words.ts';
import { inEngine, inProcess, type Points } from './points.ts';
import { inPostgres, repeatedInPostgres, WORD_EDGE } from './postgres.ts';

/** An expression under way, as each engine is asked. */
export interface Part {
  /** RE2. */
  re2: string;
  /** PostgreSQL. */
  are: string;
  /** This process. */
  js: string;
  /** Characters it compares with, repetitions counted out; 0 of what stands between characters. */
  size: number;
  /** What it is found in, as far as that is certain (certain-words.ts). */
  text: string;
}

/** One character out of a set. */
export function written(points: Points): Part {
  return { re2: inEngine(points), are: inPostgres(points), js: inProcess(points), size: 1, text: certainOf(points) };
}

/** `^`, `$` or `\b`. */
export function edge(sign: string): Part {
  const isWordEdge = sign === '\\b';
  return {
    re2: sign,
    are: isWordEdge ? WORD_EDGE : sign,
    js: sign,
    size: 0,
    text: isWordEdge ? UNKNOWN : PARTS_WORDS,
  };
}

export function grouped({ re2, are, js, size, text }: Part): Part {
  return { re2: `(?:${re2})`, are: `(?:${are})`, js: `(?:${js})`, size, text };
}

/** Parts one after the other, or ways apart. @param between empty, or what parts the ways */
export function joined(parts: readonly Part[], between: '' | '|', size: number): Part {
  const all = (language: 're2' | 'are' | 'js') => parts.map((part) => part[language]).join(between);
  const text = between ? UNKNOWN : parts.map((part) => part.text).join('');
  return { re2: all('re2'), are: all('are'), js: all('js'), size, text };
}

/** With `*`, `+` or `?` behind it. */
export function followed(part: Part, sign: string): Part {
  const { re2, are, js, size } = part;
  const text = often(part, sign === '+' ? 1 : 0);
  return { re2: `${re2}${sign}`, are: `${are}${sign}`, js: `${js}${sign}`, size, text };
}

/** `min` to `max` times; without `max` there is no end. */
export function repeated(part: Part, min: number, max: number | undefined): Part {
  const { re2, are, js, size } = part;
  // Written out: the linear matcher in this process does not count.
  const rest = max === undefined ? `${js}*` : `${js}?`.repeat(max - min);
  return {
    re2: `${re2}{${min},${max ?? ''}}`,
    are: repeatedInPostgres(are, min, max),
    js: `(?:${js.repeat(min)}${rest})`,
    size: size * (max ?? min + 1),
    text: min === max ? part.text.repeat(min) : often(part, min),
  };
}

/** What is certain of a part that comes so often or oftener. */
function often({ text }: Part, least: number): string {
  if (least === 0) return UNKNOWN;
  // A single character is the first and the last of its run.
  return isOneCharacter(text) ? text.repeat(least) + UNKNOWN + text : text.repeat(least) + UNKNOWN;
}
