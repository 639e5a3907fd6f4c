import type { SearchFields } from './fields.ts';

/** What could stand at a place of a query. */
export interface Completion {
  /** The whole word as it would be. */
  text: string;
  /** Where the word that it replaces begins, from 0; it ends where the caret is. */
  from: number;
}

/** What there is, commonest first; of it only what begins so is wanted, in any case. */
export interface KnownWords {
  /** Values of a field, such as `service` or `attributes.user.id`. */
  values(field: string, begin: string): Promise<readonly string[]>;
  /** Names inside of an open field: of `attributes` `user.id`. */
  names(field: string, begin: string): Promise<readonly string[]>;
}

const MAX_COMPLETIONS = 50;
const BEGUN = /(?:^|[\s(])-?([^\s()"]*)$/u;
/** A name that the language reads as one. */
const WRITABLE_NAME = /^[^\s()":<>=/*]+$/u;
const NOTHING_KNOWN: KnownWords = { values: async () => [], names: async () => [] };

/**
 * Names and values that go on with what is being written.
 * @param caret where the caret is, from 0
 * @param known ranks are known without it
 */
export async function completions<T>(
  text: string,
  caret: number,
  { fields }: SearchFields<T>,
  known: KnownWords = NOTHING_KNOWN,
): Promise<Completion[]> {
  const before = text.slice(0, caret);
  const word = BEGUN.exec(before)?.[1];
  const isInQuotes = before.split('"').length % 2 === 0;
  if (word === undefined || isInQuotes) return [];
  const from = caret - word.length;
  const [, name, sign, begin = ''] = /^([^:<>]+)(:|>=|<=|>|<)(.*)$/u.exec(word) ?? [];
  if (name === undefined || sign === undefined) {
    const open = Object.keys(fields).find((field) => fields[field]?.open && word.startsWith(`${field}.`));
    const names = open
      ? (await known.names(open, word.slice(open.length + 1)))
          .filter((each) => WRITABLE_NAME.test(each))
          .map((each) => `${open}.${each}:`)
      : Object.entries(fields).map(([field, { open }]) => (open ? `${field}.` : `${field}:`));
    return listed(names, word, from);
  }
  const field = Object.hasOwn(fields, name) ? fields[name] : undefined;
  const values = field?.ranks ?? (await known.values(name, begin));
  return listed(values.map(written), begin, from + name.length + sign.length);
}

function listed(texts: readonly string[], begin: string, from: number): Completion[] {
  const wanted = begin.toLowerCase();
  const found = texts.filter((text) => text.toLowerCase().replace(/^"/, '').startsWith(wanted));
  return found.slice(0, MAX_COMPLETIONS).map((text) => ({ text, from }));
}

/** A value as it has to be written: in quotes where the language would part it, or take it for something else. */
function written(value: string): string {
  return /^[^\s()"/*]+$/u.test(value) ? value : `"${value.replace(/["\\]/g, '\\$&')}"`;
}
