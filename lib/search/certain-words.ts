import type { Points } from './points.ts';

/** Stands for a stretch of a text of which nothing is known. */
export const UNKNOWN = '\0';
/** Stands for a character that parts words, and for an end of the text. */
export const PARTS_WORDS = '\n';

/** What one character out of a set is for certain: a letter or digit in lower case, something that parts words, or unknown. */
export function certainOf(points: Points): string {
  if (!points.length || points.some(([, to]) => to > 0x7f)) return UNKNOWN;
  const kinds = new Set<string>();
  for (const [from, to] of points) {
    for (let point = from; point <= to; point += 1) {
      const character = String.fromCharCode(point).toLowerCase();
      kinds.add(/[a-z0-9]/.test(character) ? character : PARTS_WORDS);
    }
  }
  return kinds.size === 1 ? ([...kinds][0] as string) : UNKNOWN;
}

/** Whole words of every text that an expression is found in, lower case. A run that touches what is unknown may be a piece of one. */
export function certainWords(text: string): string[] {
  const words = new Set<string>();
  for (const known of text.split(UNKNOWN)) {
    for (const { 0: run, index } of known.matchAll(/[a-z0-9]+/g)) {
      if (index > 0 && index + run.length < known.length) words.add(run);
    }
  }
  return [...words];
}
