import { linearPattern } from '../label-match.ts';
import { badQuery } from './bad-query.ts';
import { type CertainWords, certainWords } from './certain-words.ts';
import { edge, followed, grouped, joined, type Part, repeated, written } from './expression-part.ts';
import { DIGITS, folded, NEWLINE, others, type Points, SPACE, WORD } from './points.ts';

/** A regular expression that is found anywhere in a text, in the languages it is asked in. */
export interface Expression {
  /** For an engine that speaks RE2. */
  re2: string;
  /**
   * For PostgreSQL (ARE): there are no back-references and nothing is captured, so that its engine runs an automaton too, whose work
   * is bounded by the text and the square of `size`.
   */
  are: string;
  /** In this process: in time linear in the text, whatever the expression. */
  test(text: string): boolean;
  /** Characters it compares with, repetitions counted out: what a step of it may cost. */
  size: number;
  /** Of every text that it is found in: an index may know where they are. */
  certain: CertainWords;
}

const MAX_LENGTH = 500;
const MAX_SIZE = 500;
const MAX_DEPTH = 20;

const CLASSES: Record<string, Points> = {
  d: DIGITS,
  D: others(DIGITS),
  w: WORD,
  W: others(WORD),
  s: SPACE,
  S: others(SPACE),
};
const CONTROLS: Record<string, number> = { n: 0x0a, t: 0x09, r: 0x0d, f: 0x0c, v: 0x0b };
const QUANTIFIER = /([*+?])|\{(\d{1,4})(,(\d{1,4})?)?\}/y;
const HEX = /x(?:([0-9a-fA-F]{2})|\{([0-9a-fA-F]{1,6})\})/y;
const FLAGS = /\(\?([is]+)\)/y;

/**
 * Reads what RE2 and JavaScript both have: characters, `.`, classes, `|`, groups, `^` `$` `\b`, `* + ? {n,m}`, and `(?i)` or
 * `(?s)` in front. Each is written anew for every engine, by code points, so that nothing means two things. RE2's meaning:
 * `\d \w \s \b` are ASCII, `$` is the end of the text, `.` is no line feed.
 * @param column where its first character stands in the query, from 1
 * @throws BAD_QUERY with the column, for what is malformed, too large, or not in both
 */
export function parseExpression(source: string, column: number): Expression {
  const { re2, are, js, size, text } = new ExpressionParser(source, column).parse();
  const pattern = linearPattern(js);
  return { re2, are, size, certain: certainWords(text), test: (found) => pattern.test(found) };
}

class ExpressionParser {
  #at = 0;
  #depth = 0;
  #ignoresCase = false;
  #dotIsAll = false;

  constructor(
    private readonly text: string,
    private readonly column: number,
  ) {}

  parse(): Part {
    if (this.text.length > MAX_LENGTH) throw this.#expected(`at most ${MAX_LENGTH} characters`, MAX_LENGTH);
    const flags = this.#match(FLAGS)?.[1] ?? '';
    this.#ignoresCase = flags.includes('i');
    this.#dotIsAll = flags.includes('s');
    const part = this.#either();
    if (this.#at < this.text.length) throw this.#expected('"(" before this ")", or \\) for itself');
    return part;
  }

  #either(): Part {
    const ways = [this.#sequence()];
    while (this.#take('|')) ways.push(this.#sequence());
    return ways.length === 1 ? (ways[0] as Part) : grouped(this.#together(ways, '|'));
  }

  #sequence(): Part {
    const parts: Part[] = [];
    while (this.#at < this.text.length && this.#peek() !== '|' && this.#peek() !== ')') parts.push(this.#repeated());
    if (!parts.length) throw this.#expected('a character');
    return this.#together(parts, '');
  }

  #together(parts: Part[], between: '' | '|'): Part {
    const size = parts.reduce((sum, part) => sum + part.size, 0);
    if (size > MAX_SIZE) throw this.#expected(`at most ${MAX_SIZE} characters with repetitions counted out`);
    return joined(parts, between, size);
  }

  #repeated(): Part {
    const start = this.#at;
    if ('*+?{'.includes(this.#peek())) throw this.#expected(`something to repeat, or \\${this.#peek()} for itself`);
    const atom = this.#assertion() ?? this.#group() ?? this.#character();
    const quantifierAt = this.#at;
    const found = this.#match(QUANTIFIER);
    if (!found) {
      if (this.#peek() === '{') throw this.#expected('{n}, {n,} or {n,m}, or \\{ for itself');
      return atom;
    }
    if (atom.size === 0)
      throw this.#expected(`a character before this: ${this.text.slice(start, quantifierAt)} is none`, quantifierAt);
    // Lazy or not: whether it is found is the same.
    this.#take('?');
    if (/^[*+?{]/.test(this.#peek())) throw this.#expected('one repetition, not two');
    const [, sign, least, range, most] = found;
    if (sign) return followed(atom, sign);
    return this.#counted(atom, Number(least), range ? (most ? Number(most) : undefined) : Number(least), quantifierAt);
  }

  /** @param max undefined: without end */
  #counted(atom: Part, min: number, max: number | undefined, at: number): Part {
    if (max !== undefined && (max < min || max === 0)) throw this.#expected('{n,m} with m at least n and 1', at);
    // Before it is written out, which may be long.
    const size = atom.size * (max ?? min + 1);
    if (size > MAX_SIZE) throw this.#expected(`at most ${MAX_SIZE} characters with repetitions counted out`, at);
    return repeated(atom, min, max);
  }

  #assertion(): Part | undefined {
    // No \B: RE2 finds one between the bytes of a letter beyond ASCII.
    for (const sign of ['^', '$', '\\b']) {
      if (this.text.startsWith(sign, this.#at)) {
        this.#at += sign.length;
        return edge(sign);
      }
    }
    return undefined;
  }

  #group(): Part | undefined {
    const start = this.#at;
    if (!this.#take('(')) return undefined;
    if (this.#take('?') && !this.#take(':')) {
      throw this.#expected('(…), (?:…), or (?i) and (?s) at the beginning: nothing else that begins with (?', start);
    }
    if (this.#depth >= MAX_DEPTH) throw this.#expected(`at most ${MAX_DEPTH} groups inside each other`, start);
    this.#depth += 1;
    const inside = this.#either();
    this.#depth -= 1;
    if (!this.#take(')')) throw this.#expected(`")" for the "(" at column ${this.column + start}`);
    return grouped(inside);
  }

  #character(): Part {
    const start = this.#at;
    if (this.#take('.')) return written(this.#dotIsAll ? others([]) : others(NEWLINE));
    if (this.#peek() === '[') return this.#bracket();
    const points = this.#peek() === '\\' ? this.#escape() : this.#literal();
    return written(this.#cased(points, start));
  }

  #bracket(): Part {
    const start = this.#at;
    this.#at += 1;
    const negated = this.#take('^');
    const ranges: (readonly [number, number])[] = [];
    while (this.#peek() !== ']') {
      if (this.#at >= this.text.length) throw this.#expected(`"]" for the "[" at column ${this.column + start}`);
      if (this.text.startsWith('[:', this.#at)) throw this.#expected('\\[ for itself: [:names:] are not known');
      const at = this.#at;
      const from = this.#member();
      const isRange = this.#peek() === '-' && ![']', ''].includes(this.text.charAt(this.#at + 1));
      if (!isRange) {
        ranges.push(...this.#cased(from, at));
        continue;
      }
      this.#at += 1;
      const to = this.#member();
      const [low, high] = [oneOf(from), oneOf(to)];
      if (low === undefined || high === undefined || low > high) throw this.#expected('a range that rises', at);
      ranges.push(...this.#cased([[low, high]], at));
    }
    this.#at += 1;
    if (!ranges.length) throw this.#expected('a character between [ and ]', start + 1);
    // Twice the contrary leaves out the halves of pairs, which a range may have gone over.
    return written(negated ? others(ranges) : others(others(ranges)));
  }

  #member(): Points {
    return this.#peek() === '\\' ? this.#escape() : this.#literal();
  }

  #literal(): Points {
    const point = this.text.codePointAt(this.#at) as number;
    if (point >= 0xd800 && point <= 0xdfff) throw this.#expected('a whole character');
    this.#at += point > 0xffff ? 2 : 1;
    return [[point, point]];
  }

  #escape(): Points {
    const start = this.#at;
    this.#at += 1;
    const hex = this.#match(HEX);
    const point = hex ? Number.parseInt((hex[1] ?? hex[2]) as string, 16) : undefined;
    if (point !== undefined && point <= 0x10ffff && (point < 0xd800 || point > 0xdfff)) return [[point, point]];
    const sign = this.#peek();
    const known = CLASSES[sign];
    const control = CONTROLS[sign] ?? (/^[!-/:-@[-`{-~]$/.test(sign) ? sign.charCodeAt(0) : undefined);
    if (hex || !(known ?? control)) {
      throw this.#expected('one of \\d \\w \\s \\b \\n \\t \\r \\f \\v \\xFF \\x{10FFFF}, or \\ before a sign', start);
    }
    this.#at += 1;
    return known ?? [[control as number, control as number]];
  }

  #cased(points: Points, at: number): Points {
    if (!this.#ignoresCase || Object.values(CLASSES).includes(points)) return points;
    const both = folded(points);
    if (!both) throw this.#expected('a smaller range where (?i) is set', at);
    return both;
  }

  #match(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.#at;
    const match = pattern.exec(this.text);
    if (match) this.#at += match[0].length;
    return match;
  }

  #take(sign: string): boolean {
    if (this.#peek() !== sign) return false;
    this.#at += 1;
    return true;
  }

  #peek(): string {
    return this.text.charAt(this.#at);
  }

  #expected(what: string, at = this.#at) {
    return badQuery(this.column + at, `expected ${what}`);
  }
}

function oneOf(points: Points): number | undefined {
  const [only, more] = points;
  return only && !more && only[0] === only[1] ? only[0] : undefined;
}
