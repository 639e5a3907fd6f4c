import type { WordsNode } from '../../../lib/search/index.ts';
import type { Parameters } from './parameters.ts';
import { NO_WORD, WORDS_OF_BODY } from './tables.ts';
import { type FoundWords, MAX_TOKENS, type WordCounts } from './word-counts.ts';

type Expression = NonNullable<WordsNode['regex']>;

/** Characters of a word of a regular expression that is worth looking up, where nobody knows how common it is. */
const LEAST_RARE = 5;
/** Words in more entries than this are found soonest by reading, newest first: of all entries, and at least so many. */
const RARE_SHARE = 0.01;
const RARE_ENTRIES = 1_000;
/** What an expression looks up, of all that is certain of it; the text of what that leaves is compared anyway. */
const LOOKED_UP = 2;

/** Words, a phrase, a beginning or a regular expression as a condition on the body. */
export function wordsCondition(node: WordsNode, parameters: Parameters, counts?: WordCounts): string {
  const { words, prefix, regex } = node;
  if (regex) return `(${expressionConditions(regex, parameters, counts).join(' and ')})`;
  const begin = prefix ? rare(counts?.beginning(words.at(-1) as string), counts) : undefined;
  if (begin && words.length === 1) return hasAny(begin.words, parameters);
  const conditions = hasAll(prefix ? words.slice(0, -1) : words, parameters);
  if (begin) conditions.push(hasAny(begin.words, parameters));
  // The index finds entries with the words; a phrase or a beginning needs their text, but only of those.
  if (prefix || words.length > 1) conditions.push(phraseCondition(words, prefix, parameters));
  return `(${conditions.join(' and ')})`;
}

function expressionConditions(
  { re2, certain }: Expression,
  parameters: Parameters,
  counts: WordCounts | undefined,
): string[] {
  const match = `match(body, ${parameters.bind('String', re2)})`;
  const known = counts && [
    ...certain.among.map((words) => ({ words, entries: total(words.map((word) => counts.of(word))) })),
    ...certain.beginnings.map((begin) => counts.beginning(begin)),
  ];
  const few = (known ?? []).flatMap((found) => rare(found, counts) ?? []).sort((a, b) => a.entries - b.entries);
  if (few.length) return [...few.slice(0, LOOKED_UP).map(({ words }) => hasAny(words, parameters)), match];
  // Short words are in too many entries: to look them up costs more than it spares (measured).
  const words = certain.among.flatMap((ways) => (ways.length === 1 ? ways : []));
  return [
    ...hasAll(
      words.filter((word) => word.length >= LEAST_RARE),
      parameters,
    ),
    match,
  ];
}

/** Infinite when one of them is not known. */
function total(entries: readonly (number | undefined)[]): number {
  return entries.reduce<number>((sum, each) => sum + (each ?? Number.POSITIVE_INFINITY), 0);
}

function rare(found: FoundWords | undefined, counts: WordCounts | undefined): FoundWords | undefined {
  if (!found || !counts || found.words.length > MAX_TOKENS) return undefined;
  return found.entries <= Math.max(RARE_ENTRIES, counts.rows * RARE_SHARE) ? found : undefined;
}

/** What the index of words says: that these are all there. */
function hasAll(words: readonly string[], parameters: Parameters): string[] {
  const whole = [...new Set(words)].slice(0, MAX_TOKENS);
  return whole.length ? [`hasAllTokens(${WORDS_OF_BODY}, ${parameters.bind('Array(String)', whole)})`] : [];
}

/** That one of them is there; of none, nothing has it. */
function hasAny(words: readonly string[], parameters: Parameters): string {
  return words.length ? `hasAnyTokens(${WORDS_OF_BODY}, ${parameters.bind('Array(String)', words)})` : 'false';
}

function phraseCondition(words: readonly string[], prefix: boolean, parameters: Parameters): string {
  const pattern = (gap: string) => {
    const text = `(?:^|${gap})${words.join(`${gap}+`)}${prefix ? '' : `(?:${gap}|$)`}`;
    return parameters.bind('String', text);
  };
  const whole = `match(lowerUTF8(body), ${pattern(NO_WORD)})`;
  if (words.some((word) => /[^a-z0-9]/.test(word))) return whole;
  // Most bodies are ASCII, where the same is a fifth of the work (measured).
  return `if(isValidASCII(body), match(lower(body), ${pattern('[^a-z0-9]')}), ${whole})`;
}
