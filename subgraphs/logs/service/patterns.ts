import { setImmediate } from 'node:timers/promises';
import { type PatternRow, rankOf } from '../store/index.ts';

/** What differs from entry to entry. */
export const PLACE = '<*>';

/** Entries that say the same. The rows come newest first. */
export interface Pattern {
  template: string;
  count: number;
  /** Place among the six severities of the gravest. */
  rank: number;
  newest: PatternRow;
  oldest: PatternRow;
}

interface Cluster extends Omit<Pattern, 'template'> {
  words: readonly string[];
  /** What stands before each word, and behind the last. */
  between: readonly string[];
}

/** Times, ids, hexadecimal numbers and numbers: places from the outset. */
const TIMES = /\b\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?(?:Z|[-+]\d\d:?\d\d)?)?\b/g;
const IDS = /\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b/gi;
const HEXES = /\b(?:0x[0-9a-f]+|(?=[0-9a-f]*\d)(?=[0-9a-f]*[a-f])[0-9a-f]{8,64})\b/gi;
const NUMBERS = /(?<![\p{L}\d_])[-+]?\d+(?:[.,:]\d+)*/gu;
const WORD = /[^\s=:,;()[\]{}"'|]+/g;
const MAX_WORDS = 64;
/** Words that choose where to look: one, as punctuation chooses too; the second is often a name. */
const LEADING = 1;
/** Share of words that must be equal. */
const SIMILAR = 0.6;
/** Beyond so many ways at one word, and so many clusters behind them, what comes next joins what is there. */
const MAX_WAYS = 100;
const MAX_CLUSTERS = 100;
/** Rows between which others get their turn. */
const SLICE = 500;

/**
 * Finds what entries have in common: Drain (He et al., “Drain: An Online Log Parsing Approach with Fixed Depth Tree”,
 * 2017), with texts parted at punctuation too, and grouped by it. The same rows in the same order give the same patterns.
 * @returns commonest first
 */
export async function patternsOf(rows: readonly PatternRow[]): Promise<Pattern[]> {
  const tree = new Map<string, Ways>();
  const known = new Map<string, Parted>();
  for (const [at, row] of rows.entries()) {
    if (at % SLICE === SLICE - 1) await setImmediate();
    take(tree, row, partedOnce(known, masked(row.body)));
  }
  const clusters = [...tree.values()].flatMap((ways) => [...ways.leaves.values()].flat());
  const patterns = joined(clusters.map(({ words, between, ...rest }) => ({ template: text(words, between), ...rest })));
  return patterns.sort((a, b) => b.count - a.count || (a.template < b.template ? -1 : 1));
}

/** Texts with the same punctuation and number of words. */
interface Ways {
  /** Words seen at each leading position. */
  seen: Set<string>[];
  leaves: Map<string, Cluster[]>;
}

function take(tree: Map<string, Ways>, row: PatternRow, { words, between, form }: Parted): void {
  let ways = tree.get(form);
  if (!ways) {
    ways = { seen: Array.from({ length: LEADING }, () => new Set()), leaves: new Map() };
    tree.set(form, ways);
  }
  const leaf = leafOf(ways, words);
  const clusters = ways.leaves.get(leaf) ?? [];
  ways.leaves.set(leaf, clusters);
  const found = likest(clusters, words);
  if (!found) clusters.push({ words, between, count: 1, rank: rankOf(row.severity), newest: row, oldest: row });
  else join(found, words, row);
}

function leafOf({ seen }: Ways, words: readonly string[]): string {
  const path = seen.map((known, at) => {
    const word = words[at] ?? '';
    // A word with a digit in it is likely a name of one thing.
    if (/\d/.test(word) || word.includes(PLACE)) return PLACE;
    if (!known.has(word) && known.size >= MAX_WAYS) return PLACE;
    known.add(word);
    return word;
  });
  return path.join(' ');
}

/** The cluster with most words equal; undefined when none is like enough and there is room for another. */
function likest(clusters: readonly Cluster[], words: readonly string[]): Cluster | undefined {
  let best: Cluster | undefined;
  let most = -1;
  for (const cluster of clusters) {
    const equal = equalWords(cluster.words, words);
    if (equal <= most) continue;
    best = cluster;
    most = equal;
  }
  return most >= words.length * SIMILAR || clusters.length >= MAX_CLUSTERS ? best : undefined;
}

/** A loop, as it is most of the work. */
function equalWords(one: readonly string[], other: readonly string[]): number {
  let equal = 0;
  for (let at = 0; at < one.length; at += 1) if (one[at] === other[at]) equal += 1;
  return equal;
}

function join(cluster: Cluster, words: readonly string[], row: PatternRow): void {
  if (equalWords(cluster.words, words) < cluster.words.length)
    cluster.words = cluster.words.map((word, at) => (word === words[at] ? word : PLACE));
  cluster.count += 1;
  cluster.rank = Math.max(cluster.rank, rankOf(row.severity));
  cluster.oldest = row;
}

/** Clusters that came to the same template become one. */
function joined(patterns: readonly Pattern[]): Pattern[] {
  const known = new Map<string, Pattern>();
  for (const pattern of patterns) {
    const same = known.get(pattern.template);
    known.set(pattern.template, same ? together(same, pattern) : pattern);
  }
  return [...known.values()];
}

function together(one: Pattern, other: Pattern): Pattern {
  return {
    template: one.template,
    count: one.count + other.count,
    rank: Math.max(one.rank, other.rank),
    newest: isNewer(one.newest, other.newest) ? one.newest : other.newest,
    oldest: isNewer(one.oldest, other.oldest) ? other.oldest : one.oldest,
  };
}

function isNewer(a: PatternRow, b: PatternRow): boolean {
  const [first, second] = [BigInt(a.time), BigInt(b.time)];
  if (first !== second) return first > second;
  return a.stamp === b.stamp ? a.seq > b.seq : a.stamp > b.stamp;
}

/** A text with a place for each time, id and number. What it cannot have is not looked for: that is most of the work. */
function masked(body: string): string {
  let said = body;
  if (said.includes('-')) said = said.replace(TIMES, PLACE).replace(IDS, PLACE);
  if (/\d/.test(said)) said = said.replace(HEXES, PLACE).replace(NUMBERS, PLACE);
  if (/\s\s|[^\S ]/.test(said)) said = said.replace(/\s+/g, ' ');
  return said.trim();
}

interface Parted {
  words: readonly string[];
  between: readonly string[];
  /** Its punctuation. */
  form: string;
}

/** Most texts are another's but for their places. */
function partedOnce(known: Map<string, Parted>, said: string): Parted {
  const before = known.get(said);
  if (before) return before;
  const { words, between } = parted(said);
  const found = { words, between, form: between.join('\0') };
  known.set(said, found);
  return found;
}

function parted(said: string): { words: string[]; between: string[] } {
  const words = said.match(WORD) ?? [];
  const between = said.split(WORD);
  if (words.length <= MAX_WORDS) return { words, between };
  // The rest of a long text is one place.
  return { words: [...words.slice(0, MAX_WORDS), PLACE], between: [...between.slice(0, MAX_WORDS + 1), ''] };
}

function text(words: readonly string[], between: readonly string[]): string {
  return between.map((gap, at) => `${gap}${words[at] ?? ''}`).join('');
}
