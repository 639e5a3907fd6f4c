import { FleetError } from '../errors.ts';
import type { RedactionRule } from './rules.ts';

/** Characters one after the other of a kind, as a pattern has them. */
interface Piece {
  /** Source of one character: `a`, `\.`, `[0-9a-f]`. */
  source: string;
  least: number;
  /** Infinity for `+`, `*` and `{n,}`. */
  most: number;
}

const MAX_PATTERN = 256;
const MAX_REPEATS = 64;
const PIECE =
  /(\\[dw]|\\[^\w\s]|\[(?:\\[dw]|\\[^\w\s]|[^\]\\^])(?:\\[dw]|\\[^\w\s]|[^\]\\])*\]|[^\\[\](){}.*+?^$|])(\?|\*|\+|\{\d{1,2}(?:,(?:\d{1,2})?)?\})?/y;

/**
 * A pattern of the operator's as a rule. It is a part of RE2's syntax whose time is linear in any engine: characters, escaped
 * characters, `\d`, `\w`, classes without `^`, counts up to 64 (`+`, `*` and `{n,}` without end only at the end of an
 * alternative), and `|` between whole alternatives. What may come in different numbers must not look like what can follow
 * it: so there is one way to read any text.
 * @throws BAD_INPUT with what is wrong
 */
export function ownRule(name: string, pattern: string): RedactionRule {
  if (!/^[a-z][a-z0-9-]{0,39}$/.test(name)) throw refused(name, 'a name has lower-case letters, digits and hyphens');
  if (pattern.length > MAX_PATTERN) throw refused(name, `a pattern has at most ${MAX_PATTERN} characters`);
  if (!/^[\x20-\x7e]*$/.test(pattern)) throw refused(name, 'a pattern is ASCII');
  const alternatives = alternativesOf(name, pattern);
  for (const pieces of alternatives) check(name, pieces);
  return { name, hint: pattern, pattern: new RegExp(pattern, 'g'), replace: (mark) => mark };
}

function alternativesOf(name: string, pattern: string): Piece[][] {
  const alternatives: Piece[][] = [[]];
  let at = 0;
  while (at < pattern.length) {
    if (pattern[at] === '|') {
      alternatives.push([]);
      at += 1;
      continue;
    }
    PIECE.lastIndex = at;
    const match = PIECE.exec(pattern);
    if (!match) throw refused(name, `what begins at column ${at + 1} is not known here`);
    alternatives.at(-1)?.push({ source: match[1] as string, ...countsOf(match[2]) });
    at = PIECE.lastIndex;
  }
  return alternatives;
}

function countsOf(quantifier: string | undefined): { least: number; most: number } {
  if (quantifier === undefined) return { least: 1, most: 1 };
  if (quantifier === '?') return { least: 0, most: 1 };
  if (quantifier === '*') return { least: 0, most: Number.POSITIVE_INFINITY };
  if (quantifier === '+') return { least: 1, most: Number.POSITIVE_INFINITY };
  const [least = '', most] = quantifier.slice(1, -1).split(',');
  return {
    least: Number(least),
    most: most === undefined ? Number(least) : most ? Number(most) : Number.POSITIVE_INFINITY,
  };
}

function check(name: string, pieces: readonly Piece[]): void {
  if (!pieces.length || (pieces[0] as Piece).least === 0) {
    throw refused(name, 'each alternative begins with a character that must be there');
  }
  const sets = pieces.map(({ source }) => charactersOf(name, source));
  for (const [at, { least, most }] of pieces.entries()) {
    const isLast = at === pieces.length - 1;
    if (most < least || least > MAX_REPEATS || (most > MAX_REPEATS && !(isLast && most === Number.POSITIVE_INFINITY))) {
      throw refused(
        name,
        `a count is at most ${MAX_REPEATS}; only the last part of an alternative may go on without end`,
      );
    }
    if (least === most) continue;
    for (let next = at + 1; next < pieces.length; next += 1) {
      const shared = [...(sets[at] as Set<number>)].some((code) => (sets[next] as Set<number>).has(code));
      if (shared) throw refused(name, `part ${at + 1} may end anywhere in part ${next + 1}: make them differ`);
      if ((pieces[next] as Piece).least > 0) break;
    }
  }
}

/** The ASCII characters that a piece stands for. */
function charactersOf(name: string, source: string): Set<number> {
  let one: RegExp;
  try {
    one = new RegExp(`^${source}$`);
  } catch {
    throw refused(name, `${source} is not a class of characters`);
  }
  const codes = Array.from({ length: 128 }, (_, code) => code);
  return new Set(codes.filter((code) => one.test(String.fromCharCode(code))));
}

function refused(name: string, reason: string): FleetError {
  return new FleetError('BAD_INPUT', `the redaction pattern ${name} cannot be used: ${reason}`);
}
