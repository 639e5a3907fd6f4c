import { type BoundField, bindField, type SearchFields } from './fields.ts';
import type { Comparison, FieldNode, SearchNode, WordsNode } from './node.ts';

/** Whether a record is found. */
export type Matcher<T> = (record: T) => boolean;

const INSIDE = '[\\p{L}\\p{N}\\p{M}]';
const BETWEEN = '[^\\p{L}\\p{N}\\p{M}]+';

/**
 * Makes a search into a function over plain records, for live filters.
 * @throws BAD_QUERY when it speaks of a field that the records do not have
 */
export function compileSearch<T>(node: SearchNode, fields: SearchFields<T>): Matcher<T> {
  switch (node.kind) {
    case 'and': {
      const parts = node.nodes.map((part) => compileSearch(part, fields));
      return (record) => parts.every((part) => part(record));
    }
    case 'or': {
      const parts = node.nodes.map((part) => compileSearch(part, fields));
      return (record) => parts.some((part) => part(record));
    }
    case 'not': {
      const part = compileSearch(node.node, fields);
      return (record) => !part(record);
    }
    case 'words': {
      const { regex } = node;
      if (regex) return (record) => regex.test(fields.words(record));
      const pattern = wordsPattern(node);
      return (record) => pattern.test(fields.words(record).toLowerCase());
    }
    case 'field':
      return compileField(node, bindField(node, fields));
  }
}

function wordsPattern({ words, prefix }: WordsNode): RegExp {
  // Words are letters and digits only, so nothing in them means anything to the pattern.
  return new RegExp(`(?<!${INSIDE})${words.join(BETWEEN)}${prefix ? '' : `(?!${INSIDE})`}`, 'u');
}

function compileField<T>(node: FieldNode, bound: BoundField<T>): Matcher<T> {
  const test = testOf(node, bound);
  return (record) => {
    const value = bound.field.read(record, bound.path);
    return Array.isArray(value) ? value.some(test) : test(value);
  };
}

function testOf<T>(
  { comparison, value, prefix, regex }: FieldNode,
  { field, number }: BoundField<T>,
): (found: unknown) => boolean {
  if (regex) return (found) => regex.test(textOf(found) ?? '') && found !== undefined && found !== null;
  if (prefix && value === '') return (found) => found !== undefined && found !== null;
  if (prefix) return (found) => textOf(found)?.startsWith(value) === true;
  if (field.type === 'keyword') return (found) => textOf(found) === value;
  if (field.type === 'rank') return (found) => compare(rankOf(found, field.ranks ?? []), comparison, number);
  if (field.type === 'any' && comparison === '=') {
    return (found) => textOf(found) === value || (typeof found === 'number' && found === number);
  }
  return (found) => compare(numeric(found), comparison, number);
}

function rankOf(found: unknown, ranks: readonly string[]): number | undefined {
  const rank = ranks.indexOf(String(found).toLowerCase());
  return rank < 0 ? undefined : rank;
}

function numeric(found: unknown): number | undefined {
  if (found instanceof Date) return found.getTime();
  if (typeof found === 'number') return found;
  return typeof found === 'string' && found.trim() ? Number(found) : undefined;
}

/** A value as it is compared with text: JSON for what has parts. */
function textOf(found: unknown): string | undefined {
  if (found === undefined || found === null) return undefined;
  return typeof found === 'object' ? JSON.stringify(found) : String(found);
}

function compare(found: number | undefined, comparison: Comparison, wanted: number | undefined): boolean {
  if (found === undefined || wanted === undefined || Number.isNaN(found)) return false;
  switch (comparison) {
    case '=':
      return found === wanted;
    case '>':
      return found > wanted;
    case '>=':
      return found >= wanted;
    case '<':
      return found < wanted;
    case '<=':
      return found <= wanted;
  }
}
