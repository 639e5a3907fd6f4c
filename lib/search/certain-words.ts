import type { Points } from './points.ts';

/** Stands for a stretch of a text of which nothing is known. */
export const UNKNOWN = '\0';
/** Stands for a character that parts words, and for an end of the text. */
export const PARTS_WORDS = '\n';
/** Around letters and digits of which one stands there. */
const [ONE_OF, END] = ['\x02', '\x03'];

const CHARACTER = new RegExp(`[a-z0-9]|${ONE_OF}[a-z0-9]+${END}`, 'g');
const RUN = new RegExp(`(?:[a-z0-9]|${ONE_OF}[a-z0-9]+${END})+`, 'g');
/** Ways to write one word that are worth writing out. */
const MAX_WAYS = 36;
/** Beginnings shorter than this are those of very many words. */
const LEAST_BEGINNING = 3;

/** What is certain of the words of every text that an expression is found in; lower case. */
export interface CertainWords {
  /** One of each of these is in it, as a whole word. */
  among: string[][];
  /** A word of it begins with each of these. */
  beginnings: string[];
}

/** What one character out of a set is for certain: letters or digits in lower case, something that parts words, or unknown. */
export function certainOf(points: Points): string {
  if (!points.length || points.some(([, to]) => to > 0x7f)) return UNKNOWN;
  const kinds = new Set<string>();
  for (const [from, to] of points) {
    for (let point = from; point <= to; point += 1) {
      const character = String.fromCharCode(point).toLowerCase();
      kinds.add(/[a-z0-9]/.test(character) ? character : PARTS_WORDS);
    }
  }
  if (kinds.size === 1) return [...kinds][0] as string;
  return kinds.has(PARTS_WORDS) ? UNKNOWN : ONE_OF + [...kinds].join('') + END;
}

/** Whether what is certain is of a single character. */
export function isOneCharacter(text: string): boolean {
  return text.length === 1 || (text.startsWith(ONE_OF) && text.indexOf(END) === text.length - 1);
}

/** A run that touches what is unknown may be a piece of a word: where it begins after what parts words, it is the beginning of one. */
export function certainWords(text: string): CertainWords {
  const among = new Map<string, string[]>();
  const beginnings = new Set<string>();
  for (const known of text.split(UNKNOWN)) {
    for (const { 0: run, index } of known.matchAll(RUN)) {
      if (index === 0) continue;
      const ways = waysOf(run);
      const begin = /^[a-z0-9]*/.exec(run)?.[0] ?? '';
      if (ways && index + run.length < known.length) among.set(run, ways);
      else if (begin.length >= LEAST_BEGINNING) beginnings.add(begin);
    }
  }
  return { among: [...among.values()], beginnings: [...beginnings] };
}

/** Every way to write a run; undefined when there are too many. */
function waysOf(run: string): string[] | undefined {
  let ways = [''];
  for (const [character] of run.matchAll(CHARACTER)) {
    const each = [...character.replace(ONE_OF, '').replace(END, '')];
    if (ways.length * each.length > MAX_WAYS) return undefined;
    ways = ways.flatMap((way) => each.map((next) => way + next));
  }
  return ways;
}
