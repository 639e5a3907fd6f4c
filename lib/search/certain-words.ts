import type { Points } from './points.ts';

/** Stands for a stretch of a text of which nothing is known. */
export const UNKNOWN = '\0';
/** Stands for a character that parts words, and for an end of the text. */
export const PARTS_WORDS = '\n';

/** What every text has that an expression is found in; lower case, ASCII. */
export interface CertainWords {
  /** Whole words. */
  words: string[];
  /** Pieces, each within one word. */
  pieces: string[];
}

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

/** The words in what is certain. A run that touches what is unknown may be a piece of a longer word. */
export function certainWords(text: string): CertainWords {
  const [words, pieces] = [new Set<string>(), new Set<string>()];
  for (const known of text.split(UNKNOWN)) {
    for (const { 0: run, index } of known.matchAll(/[a-z0-9]+/g)) {
      const isWhole = index > 0 && index + run.length < known.length;
      (isWhole ? words : pieces).add(run);
    }
  }
  return { words: [...words], pieces: [...pieces] };
}
