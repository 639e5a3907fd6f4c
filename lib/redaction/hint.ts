/** What a hint is made of; a set of bytes has 1 at each that is in it. */
export type HintNode =
  | { kind: 'bytes'; bytes: Uint8Array }
  | { kind: 'sequence' | 'either'; nodes: HintNode[] }
  | { kind: 'repeat'; node: HintNode; least: number; most: number }
  /** Nothing of these follows; only at the end. */
  | { kind: 'unless'; bytes: Uint8Array };

const ATOM = /(?:\\.|\[(?:\\.|[^\]\\])+\]|[^\\[\](){}.*+?^$|])/y;
const QUANTIFIER = /[?*+]|\{(\d+)(,(\d*))?\}/y;

/** Reads the source of a hint. @throws Error for what hints do not have */
export function parseHint(source: string): HintNode {
  return new Parser(source).parse();
}

class Parser {
  #at = 0;

  constructor(private readonly source: string) {}

  parse(): HintNode {
    const node = this.#either();
    if (this.#at < this.source.length) throw new Error(`a hint cannot be read at ${this.#at}: ${this.source}`);
    return node;
  }

  #either(): HintNode {
    const nodes = [this.#sequence()];
    while (this.#take('|')) nodes.push(this.#sequence());
    return { kind: 'either', nodes };
  }

  #sequence(): HintNode {
    const nodes: HintNode[] = [];
    while (this.#at < this.source.length && !'|)'.includes(this.source.charAt(this.#at))) nodes.push(this.#repeated());
    return { kind: 'sequence', nodes };
  }

  #repeated(): HintNode {
    const node = this.#piece();
    const found = this.#match(QUANTIFIER);
    if (!found) return node;
    const [sign, least, range, most] = found;
    const bounds: Record<string, [number, number]> = { '?': [0, 1], '*': [0, Infinity], '+': [1, Infinity] };
    const [from, to] = bounds[sign] ?? [Number(least), range ? (most ? Number(most) : Infinity) : Number(least)];
    return { kind: 'repeat', node, least: from, most: to };
  }

  #piece(): HintNode {
    if (this.#take('(?!')) {
      const [atom = ''] = this.#match(ATOM) ?? [];
      if (!this.#take(')')) throw new Error(`a hint has a look-ahead of more than a character: ${this.source}`);
      return { kind: 'unless', bytes: bytesOf(atom) };
    }
    if (this.#take('(?:') || this.#take('(')) {
      const node = this.#either();
      if (!this.#take(')')) throw new Error(`a hint has an open bracket: ${this.source}`);
      return node;
    }
    const [atom] = this.#match(ATOM) ?? [];
    if (atom === undefined) throw new Error(`a hint cannot be read at ${this.#at}: ${this.source}`);
    return { kind: 'bytes', bytes: bytesOf(atom) };
  }

  #take(sign: string): boolean {
    const isHere = this.source.startsWith(sign, this.#at);
    if (isHere) this.#at += sign.length;
    return isHere;
  }

  #match(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.#at;
    const match = pattern.exec(this.source);
    if (match) this.#at += match[0].length;
    return match;
  }
}

function bytesOf(atom: string): Uint8Array {
  const one = new RegExp(`^${atom}$`, 'i');
  return Uint8Array.from({ length: 256 }, (_, byte) => (one.test(String.fromCharCode(byte)) ? 1 : 0));
}
