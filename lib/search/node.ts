import type { Expression } from './expression.ts';

/** How a field is compared; `=` is written `:`. */
export type Comparison = '=' | '>=' | '<=' | '>' | '<';

/**
 * A parsed search. `column` is where it stands in the text, from 1. With `regex` it is that which is looked for, anywhere in
 * the text or the value.
 */
export type SearchNode =
  | { kind: 'and' | 'or'; nodes: SearchNode[] }
  | { kind: 'not'; node: SearchNode }
  /** Whole words, one after the other; with `prefix` the last one is only the beginning of a word. */
  | { kind: 'words'; words: string[]; prefix: boolean; column: number; regex?: Expression }
  | {
      kind: 'field';
      name: string;
      comparison: Comparison;
      value: string;
      prefix: boolean;
      column: number;
      valueColumn: number;
      regex?: Expression;
    };

export type WordsNode = Extract<SearchNode, { kind: 'words' }>;
export type FieldNode = Extract<SearchNode, { kind: 'field' }>;

const WORD = /[\p{L}\p{N}\p{M}]+/gu;

/** The words of a text as the search knows them: runs of letters and digits (with their accents), lower case. */
export function wordsOf(text: string): string[] {
  return text.toLowerCase().match(WORD) ?? [];
}
