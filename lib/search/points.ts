/** A set of characters: code points from–to, ascending and apart from each other. */
export type Points = readonly (readonly [number, number])[];

const LAST = 0x10ffff;
/** Halves of a pair: no characters of their own. */
const HALVES = [0xd800, 0xdfff] as const;
/** Characters that stand for themselves in both engines; everything else is written by its number. */
const PLAIN = /^[A-Za-z0-9 _:;,=@%&~"'<>!-]$/;
const SIGNS = /^[|()^$.[\]?*+{}/]$/;
/** Letters that fold to several are looked up one by one: a wide range would take long. */
const MAX_FOLDED = 1_000;

export const DIGITS: Points = [[0x30, 0x39]];
export const WORD: Points = [
  [0x30, 0x39],
  [0x41, 0x5a],
  [0x5f, 0x5f],
  [0x61, 0x7a],
];
/** RE2's: without the vertical tab and what Unicode adds. */
export const SPACE: Points = [
  [0x09, 0x0a],
  [0x0c, 0x0d],
  [0x20, 0x20],
];
export const NEWLINE: Points = [[0x0a, 0x0a]];

/** Any of them; `ranges` may touch, cover each other and stand in any order. */
function joined(ranges: Points): Points {
  const sorted = [...ranges].sort((a, b) => a[0] - b[0]);
  const apart: [number, number][] = [];
  for (const [from, to] of sorted) {
    const last = apart.at(-1);
    if (last && from <= last[1] + 1) last[1] = Math.max(last[1], to);
    else apart.push([from, to]);
  }
  return apart;
}

/** Every character but these. */
export function others(points: Points): Points {
  const gaps: [number, number][] = [];
  let next = 0;
  for (const [from, to] of joined([...points, HALVES])) {
    if (next < from) gaps.push([next, from - 1]);
    next = to + 1;
  }
  if (next <= LAST) gaps.push([next, LAST]);
  return gaps;
}

/** These and their upper and lower case; undefined for more than can be looked up. */
export function folded(points: Points): Points | undefined {
  const all: [number, number][] = [];
  let count = 0;
  for (const [from, to] of points) {
    count += to - from + 1;
    if (count > MAX_FOLDED) return undefined;
    all.push([from, to]);
    for (let point = from; point <= to; point += 1) {
      const text = String.fromCodePoint(point);
      for (const other of [text.toLowerCase(), text.toUpperCase()]) {
        const [first, second] = [...other];
        const found = first?.codePointAt(0);
        if (found !== undefined && second === undefined) all.push([found, found]);
      }
    }
  }
  return joined(all);
}

/** As RE2 reads it. */
export function inEngine(points: Points): string {
  const one = single(points);
  if (one !== undefined) {
    const text = String.fromCodePoint(one);
    // As itself where it can be: the engine looks for plain pieces of text first.
    return PLAIN.test(text) ? text : SIGNS.test(text) ? `\\${text}` : braced(one);
  }
  return `[${points.map(([from, to]) => (from === to ? braced(from) : `${braced(from)}-${braced(to)}`)).join('')}]`;
}

/** As JavaScript reads it without its Unicode mode, which cannot be had together with linear time: by halves of pairs. */
export function inProcess(points: Points): string {
  const one = single(points);
  if (one !== undefined && PLAIN.test(String.fromCodePoint(one))) return String.fromCodePoint(one);
  const plain: string[] = [];
  const ways: string[] = [];
  for (const [from, to] of points) {
    if (from <= 0xffff) plain.push(range(from, Math.min(to, 0xffff)));
    if (to > 0xffff) ways.push(...pairs(Math.max(from, 0x1_0000), to));
  }
  if (plain.length) ways.unshift(`[${plain.join('')}]`);
  return ways.length === 1 ? (ways[0] as string) : `(?:${ways.join('|')})`;
}

function single(points: Points): number | undefined {
  const [only, more] = points;
  return only && !more && only[0] === only[1] ? only[0] : undefined;
}

function pairs(from: number, to: number): string[] {
  const lead = (point: number) => 0xd800 + ((point - 0x1_0000) >> 10);
  const trail = (point: number) => 0xdc00 + ((point - 0x1_0000) & 0x3ff);
  const [first, last] = [lead(from), lead(to)];
  const pair = (leads: string, low: number, high: number) => `(?:${leads}[${range(low, high)}])`;
  if (first === last) return [pair(unit(first), trail(from), trail(to))];
  const between = last - first > 1 ? [pair(`[${range(first + 1, last - 1)}]`, 0xdc00, 0xdfff)] : [];
  return [pair(unit(first), trail(from), 0xdfff), ...between, pair(unit(last), 0xdc00, trail(to))];
}

const unit = (code: number) => `\\u${code.toString(16).padStart(4, '0')}`;
const range = (from: number, to: number) => (from === to ? unit(from) : `${unit(from)}-${unit(to)}`);
const braced = (point: number) => `\\x{${point.toString(16)}}`;
