import type { Points } from './points.ts';

/** As often as PostgreSQL counts (ARE). */
const MOST = 255;
const WORD = '[A-Za-z0-9_]';

/** Where a word of ASCII begins or ends: PostgreSQL's own \y knows other letters too. */
export const WORD_EDGE = `(?:(?<!${WORD})(?=${WORD})|(?<=${WORD})(?!${WORD}))`;

/** Characters as PostgreSQL reads them; its texts never have U+0000. */
export function inPostgres(points: Points): string {
  const ranges = points.flatMap(([from, to]) => (to === 0 ? [] : [[Math.max(from, 1), to] as const]));
  const [only, more] = ranges;
  if (only && !more && only[0] === only[1]) return escaped(only[0]);
  // Nothing but U+0000: what no text has, neither a character nor the end of all.
  if (!only) return '(?:$[^$])';
  return `[${ranges.map(([from, to]) => (from === to ? escaped(from) : `${escaped(from)}-${escaped(to)}`)).join('')}]`;
}

/** A part `min` to `max` times; without `max` there is no end. */
export function repeatedInPostgres(part: string, min: number, max: number | undefined): string {
  const needed = chunks(min).map((count) => `${part}{${count}}`);
  const more = max === undefined ? [`${part}*`] : chunks(max - min).map((count) => `${part}{0,${count}}`);
  return `(?:${[...needed, ...more].join('')})`;
}

function chunks(count: number): number[] {
  return Array.from({ length: Math.ceil(count / MOST) }, (_, at) => Math.min(MOST, count - at * MOST));
}

function escaped(point: number): string {
  const text = String.fromCodePoint(point);
  if (/[A-Za-z0-9 ]/.test(text)) return text;
  const hex = point.toString(16);
  return point > 0xffff ? `\\U${hex.padStart(8, '0')}` : `\\u${hex.padStart(4, '0')}`;
}
