import type { FleetError } from '../errors.ts';
import { badQuery } from './bad-query.ts';
import { type Expression, parseExpression } from './expression.ts';
import { type Comparison, type SearchNode, wordsOf } from './node.ts';

/**
 * The search language, whole:
 *
 *   query  = or
 *   or     = and { "OR" and }
 *   and    = not { [ "AND" ] not }
 *   not    = ( "-" | "NOT" ) not | atom
 *   atom   = "(" or ")" | field | phrase | regex | word
 *   field  = name ( ":" | ">=" | "<=" | ">" | "<" ) ( phrase | regex | value [ "*" ] )
 *   regex  = "/" { any character but "/" and line feed, or \/ } "/" before a space, a bracket or the end (expression.ts)
 *   phrase = '"' { any character, \" or \\ } '"'
 *   word   = characters up to a space, bracket or quote [ "*" ]
 *   name   = letter { letter | digit | "_" | "." | "-" | "/" | "@" }
 *
 * AND, OR and NOT are upper case. A word such as `10.0.0.1` is the phrase of its letters and digits.
 */
const MAX_LENGTH = 2_000;
const MAX_NODES = 200;
const MAX_DEPTH = 32;

const SPACE = /\s+/y;
const FIELD = /([\p{L}_][\p{L}\p{N}_.\-/@]*)(:|>=|<=|>|<)/uy;
const WORD = /[^\s()"]+/y;
const PHRASE = /"((?:[^"\\]|\\.)*)"/sy;
const REGEX = /\/((?:[^/\\\n]|\\.)+)\/(?=[\s()]|$)/uy;
/** A path is a word too; what can only be an expression is told that its end is missing. */
const UNENDED_WORD = /^[^\s"]+/;
const UNENDED_REGEX = /^\/.*([\\^$|[\]{}]|\.[*+])/;

/**
 * Parses a search.
 * @returns null for an empty text
 * @throws BAD_QUERY with "column N", what was expected there, and `column` in its detail
 */
export function parseGrammar(text: string): SearchNode | null {
  return new Parser(text).parse();
}

class Parser {
  #at = 0;
  #depth = 0;
  #nodes = 0;

  constructor(private readonly text: string) {}

  parse(): SearchNode | null {
    if (this.text.length > MAX_LENGTH) throw badQuery(MAX_LENGTH + 1, `a query has at most ${MAX_LENGTH} characters`);
    this.#skipSpace();
    if (this.#ended()) return null;
    const node = this.#or();
    if (!this.#ended()) throw this.#expected('a word, or "(" before this ")"');
    return node;
  }

  #or(): SearchNode {
    if (this.#depth >= MAX_DEPTH) throw this.#expected(`at most ${MAX_DEPTH} brackets or negations inside each other`);
    this.#depth += 1;
    const nodes = [this.#and()];
    while (this.#keyword('OR')) nodes.push(this.#and());
    this.#depth -= 1;
    return nodes.length === 1 ? (nodes[0] as SearchNode) : { kind: 'or', nodes };
  }

  #and(): SearchNode {
    const nodes = [this.#not()];
    for (;;) {
      const explicit = this.#keyword('AND');
      if (!explicit && (this.#ended() || this.#peek() === ')' || this.#isKeyword('OR'))) break;
      nodes.push(this.#not());
    }
    return nodes.length === 1 ? (nodes[0] as SearchNode) : { kind: 'and', nodes };
  }

  #not(): SearchNode {
    const dash = this.#peek() === '-' && /[^\s-]/.test(this.text.charAt(this.#at + 1));
    if (dash) this.#at += 1;
    else if (!this.#keyword('NOT')) return this.#atom();
    if (this.#depth >= MAX_DEPTH) throw this.#expected(`at most ${MAX_DEPTH} brackets or negations inside each other`);
    this.#depth += 1;
    const node = this.#not();
    this.#depth -= 1;
    return { kind: 'not', node };
  }

  #atom(): SearchNode {
    this.#nodes += 1;
    if (this.#nodes > MAX_NODES) throw this.#expected(`at most ${MAX_NODES} terms`);
    if (this.#ended()) throw this.#expected('a word, a "phrase", field:value or "("');
    if (this.#peek() === '(') return this.#group();
    if (this.#peek() === '"') {
      const column = this.#column();
      return { kind: 'words', words: this.#words(this.#phrase(), column), prefix: false, column };
    }
    if (this.#peek() === ')' || this.#isKeyword('OR') || this.#isKeyword('AND')) {
      throw this.#expected('a word, a "phrase", field:value or "("');
    }
    return this.#field() ?? this.#word();
  }

  #group(): SearchNode {
    const column = this.#column();
    this.#at += 1;
    this.#skipSpace();
    const node = this.#or();
    if (this.#peek() !== ')') throw this.#expected(`")" for the "(" at column ${column}`);
    this.#at += 1;
    this.#skipSpace();
    return node;
  }

  #field(): SearchNode | undefined {
    const column = this.#column();
    const match = this.#match(FIELD);
    if (!match) return undefined;
    const valueColumn = this.#column();
    const name = match[1] as string;
    const comparison = (match[2] === ':' ? '=' : match[2]) as Comparison;
    if (this.#peek() === '"') {
      return { kind: 'field', name, comparison, value: this.#phrase(), prefix: false, column, valueColumn };
    }
    const regex = this.#regex();
    if (regex) return { kind: 'field', name, comparison, value: '', prefix: false, column, valueColumn, regex };
    const raw = this.#match(WORD)?.[0];
    if (raw === undefined) throw this.#expected(`a value for ${name}`);
    this.#skipSpace();
    const prefix = comparison === '=' && raw.endsWith('*');
    return { kind: 'field', name, comparison, value: prefix ? raw.slice(0, -1) : raw, prefix, column, valueColumn };
  }

  #word(): SearchNode {
    const column = this.#column();
    const regex = this.#regex();
    if (regex) return { kind: 'words', words: [], prefix: false, column, regex };
    const raw = this.#match(WORD)?.[0] as string;
    this.#skipSpace();
    const prefix = raw.endsWith('*');
    return { kind: 'words', words: this.#words(raw, column), prefix, column };
  }

  #regex(): Expression | undefined {
    const column = this.#column();
    const source = this.#match(REGEX)?.[1];
    if (source === undefined) {
      const raw = this.#peek() === '/' ? this.text.slice(this.#at).match(UNENDED_WORD)?.[0] : undefined;
      if (raw && UNENDED_REGEX.test(raw)) throw badQuery(column, 'expected a "/" that ends this expression, or quotes');
      return undefined;
    }
    const regex = parseExpression(source, column + 1);
    this.#skipSpace();
    return regex;
  }

  #phrase(): string {
    const match = this.#match(PHRASE);
    if (!match) throw this.#expected('a closing quote for this one');
    this.#skipSpace();
    return (match[1] as string).replace(/\\(.)/gs, '$1');
  }

  #words(text: string, column: number): string[] {
    const words = wordsOf(text);
    if (!words.length) throw badQuery(column, 'expected letters or digits');
    return words;
  }

  #isKeyword(word: string): boolean {
    const after = this.text.charAt(this.#at + word.length);
    return this.text.startsWith(word, this.#at) && (after === '' || /[\s()"]/.test(after));
  }

  #keyword(word: string): boolean {
    if (!this.#isKeyword(word)) return false;
    this.#at += word.length;
    this.#skipSpace();
    return true;
  }

  #match(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.#at;
    const match = pattern.exec(this.text);
    if (match) this.#at += match[0].length;
    return match;
  }

  #skipSpace(): void {
    this.#match(SPACE);
  }

  #peek(): string {
    return this.text.charAt(this.#at);
  }

  #ended(): boolean {
    return this.#at >= this.text.length;
  }

  #column(): number {
    return this.#at + 1;
  }

  #expected(what: string): FleetError {
    return badQuery(this.#column(), `expected ${what}`);
  }
}
