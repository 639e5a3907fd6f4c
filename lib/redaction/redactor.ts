import { ByteScanner } from './byte-scanner.ts';
import { type RedactionRule, RULES, SECRET_NAME } from './rules.ts';

/** Beyond so many places a request is looked at text by text. */
const MAX_PLACES = 4_096;
const BY_NAME = 'password';
/** Longer texts are stored by no house, and would be too much for the expressions. */
const MAX_TEXT = 1024 * 1024;

/** Where in a request something may have to be redacted: stretches of its bytes, in order. */
export class Suspects {
  constructor(
    private readonly starts: readonly number[],
    private readonly ends: readonly number[],
    private readonly everywhere: boolean,
  ) {}

  /** Whether a stretch of bytes has to be looked at. */
  touch(start: number, end: number): boolean {
    if (this.everywhere) return true;
    if (!this.starts.length) return false;
    let [low, high] = [0, this.starts.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.ends[middle] as number) <= start) low = middle + 1;
      else high = middle;
    }
    return low < this.starts.length && (this.starts[low] as number) < end;
  }
}

const NOWHERE = new Suspects([], [], false);

/** Takes secrets out of what is to be stored: what stands for one says of which kind it was, and nothing else of it. */
export class Redactor {
  readonly #rules: readonly (RedactionRule & { hinted: RegExp })[];
  readonly #hint: RegExp | undefined;
  /** The same hints over bytes; absent when patterns of the operator's are too large for it. */
  readonly #scanner: ByteScanner | undefined;

  /**
   * @param rules the built-in ones unless given
   * @param onFound told of each secret by the name of its rule
   */
  constructor(
    rules: readonly RedactionRule[] = RULES,
    private readonly onFound: (rule: string) => void = () => undefined,
  ) {
    this.#rules = rules.map((rule) => ({ ...rule, hinted: new RegExp(rule.hint, 'i') }));
    if (!rules.length) return;
    const hints = [...new Set(rules.map(({ hint }) => hint))].join('|');
    this.#hint = new RegExp(hints, 'gi');
    this.#scanner = ByteScanner.of(hints);
  }

  /** The text without its secrets. */
  text(text: string): string {
    if (!this.#hint || text.length > MAX_TEXT || !this.#isHinted(text)) return text;
    let redacted = text;
    for (const { name, pattern, hinted, replace } of this.#rules) {
      if (!hinted.test(redacted)) continue;
      const mark = markOf(name);
      redacted = redacted.replace(pattern, (...match: unknown[]) => {
        const groups = match.slice(
          0,
          match.findIndex((part) => typeof part === 'number'),
        ) as string[];
        const replaced = replace(mark, groups);
        if (replaced !== groups[0]) this.onFound(name);
        return replaced;
      });
    }
    return redacted;
  }

  /** A value of plain JSON without its secrets, however deep. @param name under which it stands: some say all */
  value(value: unknown, name = ''): unknown {
    if (!this.#hint) return value;
    if (typeof value === 'string') return this.#named(name, value);
    if (Array.isArray(value)) return value.map((item) => this.value(item, name));
    return value !== null && typeof value === 'object' ? this.object(value as Record<string, unknown>, name) : value;
  }

  /** The same of all that an object holds. */
  object(values: Record<string, unknown>, name = ''): Record<string, unknown> {
    if (!this.#hint) return values;
    // Made with fromEntries: a name such as __proto__ is a name like any other.
    return Object.fromEntries(
      Object.entries(values).map(([key, item]) => [key, this.value(item, SECRET_NAME.test(name) ? name : key)]),
    );
  }

  /** Where in the bytes of a request secrets may be. */
  suspects(bytes: Buffer): Suspects {
    const hint = this.#hint;
    if (!hint) return NOWHERE;
    if (this.#scanner) {
      const places = this.#scanner.places(bytes, MAX_PLACES);
      if (!places) return new Suspects([], [], true);
      return places.length
        ? new Suspects(
            places,
            places.map((place) => place + 1),
            false,
          )
        : NOWHERE;
    }
    const text = bytes.toString('latin1');
    const [starts, ends]: [number[], number[]] = [[], []];
    hint.lastIndex = 0;
    for (let match = hint.exec(text); match; match = hint.exec(text)) {
      if (starts.length === MAX_PLACES) return new Suspects([], [], true);
      starts.push(match.index);
      ends.push(hint.lastIndex);
    }
    return starts.length ? new Suspects(starts, ends, false) : NOWHERE;
  }

  #named(name: string, value: string): string {
    if (value === '' || !name || !this.#byName || !SECRET_NAME.test(name)) return this.text(value);
    this.onFound(BY_NAME);
    return markOf(BY_NAME);
  }

  get #byName(): boolean {
    return this.#rules.some(({ name }) => name === BY_NAME);
  }

  #isHinted(text: string): boolean {
    const hint = this.#hint as RegExp;
    hint.lastIndex = 0;
    return hint.test(text);
  }
}

function markOf(name: string): string {
  return `[redacted:${name}]`;
}
