import type { SearchNode } from '../../../lib/search/index.ts';
import { Parameters } from './parameters.ts';
import type { LogReader } from './reader.ts';

/** Words that one condition looks up. */
export const MAX_TOKENS = 64;
const MAX_WORDS = 256;
const MAX_BEGINNINGS = 8;
/** Lines of the index that are read for one beginning: one for each word and part of the table. */
const MAX_LINES = 5_000;
const INDEX = 'mergeTreeTextIndex(currentDatabase(), log, terms)';

/** Words of the index and in how many entries they are, each counted. */
export interface FoundWords {
  words: string[];
  entries: number;
}

/** How common the words of a search are. */
export interface WordCounts {
  /** Entries there are. */
  rows: number;
  /** How many have a word; undefined of one that was not asked for. */
  of(word: string): number | undefined;
  /** All words that begin so; undefined when there are too many. */
  beginning(begin: string): FoundWords | undefined;
}

export interface WordsAsked {
  words: Set<string>;
  beginnings: Set<string>;
}

/** What to count for a search; undefined when it needs nothing: whole words are looked up in any case. */
export function wordsAsked(search: SearchNode): WordsAsked | undefined {
  const asked: WordsAsked = { words: new Set(), beginnings: new Set() };
  gather(search, asked);
  return asked.words.size || asked.beginnings.size ? asked : undefined;
}

function gather(node: SearchNode, asked: WordsAsked): void {
  if (node.kind === 'field') return;
  if (node.kind !== 'words') {
    for (const part of node.kind === 'not' ? [node.node] : node.nodes) gather(part, asked);
    return;
  }
  const { regex, prefix, words } = node;
  const whole = regex ? regex.certain.among.flat() : [];
  const begun = regex ? regex.certain.beginnings : prefix ? words.slice(-1) : [];
  for (const word of whole) if (asked.words.size < MAX_WORDS) asked.words.add(word);
  for (const begin of begun) if (asked.beginnings.size < MAX_BEGINNINGS) asked.beginnings.add(begin);
}

interface Line {
  place: number;
  word: string;
  entries: string;
  lines: string;
}

/** Asks the index of words: it has them in order, so a few of its blocks are read. */
export async function countWords(reader: LogReader, { words, beginnings }: WordsAsked): Promise<WordCounts> {
  const parameters = new Parameters();
  const counted = 'token as word, toString(sum(cardinality)) as entries, toString(count()) as lines';
  const begun = [...beginnings];
  const parts = [`select -1 as place, '' as word, toString(count()) as entries, '1' as lines from log`];
  if (words.size) {
    const bound = parameters.bind('Array(String)', [...words]);
    parts.push(`select -2 as place, ${counted} from ${INDEX} where token in ${bound} group by token`);
  }
  for (const [place, begin] of begun.entries()) {
    const bound = parameters.bind('String', begin);
    parts.push(
      `select ${place} as place, ${counted}
         from (select token, cardinality from ${INDEX} where startsWith(token, ${bound}) limit ${MAX_LINES})
        group by token limit ${MAX_TOKENS + 1}`,
    );
  }
  const found = await reader.rows<Line>(parts.map((part) => `(${part})`).join(' union all '), parameters.values);
  const of = (place: number) => found.filter((line) => line.place === place);
  const counts = new Map(of(-2).map(({ word, entries }) => [word, Number(entries)]));
  const begins = new Map(begun.map((begin, place) => [begin, foundOf(of(place))]));
  return {
    rows: Number(of(-1)[0]?.entries),
    of: (word) => (words.has(word) ? (counts.get(word) ?? 0) : undefined),
    beginning: (begin) => begins.get(begin),
  };
}

function foundOf(lines: readonly Line[]): FoundWords | undefined {
  const sum = (of: (line: Line) => string) => lines.reduce((total, line) => total + Number(of(line)), 0);
  if (lines.length > MAX_TOKENS || sum((line) => line.lines) >= MAX_LINES) return undefined;
  return { words: lines.map(({ word }) => word), entries: sum((line) => line.entries) };
}
