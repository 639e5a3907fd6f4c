import { compileSearch } from './evaluate.ts';
import { checkFields, type SearchFields } from './fields.ts';
import { parseGrammar } from './grammar.ts';
import type { SearchNode } from './node.ts';

export { badQuery } from './bad-query.ts';
export { compileSearch, type Matcher } from './evaluate.ts';
export type { Expression } from './expression.ts';
export { type BoundField, bindField, type FieldType, type SearchField, type SearchFields } from './fields.ts';
export { type Comparison, type FieldNode, type SearchNode, type WordsNode, wordsOf } from './node.ts';

/**
 * Parses text in the search language (grammar.ts).
 * @param fields what may be asked of; without it names are not checked
 * @returns null for an empty text: everything matches
 * @throws BAD_QUERY with "column N" and what was expected there
 */
export function parseSearch<T>(text: string, fields?: SearchFields<T>): SearchNode | null {
  const node = parseGrammar(text);
  if (node && fields) checkFields(node, fields);
  return node;
}

/** Whether a record is found by a parsed search; compile it with `compileSearch` when there are many. */
export function matchesSearch<T>(node: SearchNode | null, record: T, fields: SearchFields<T>): boolean {
  return node === null || compileSearch(node, fields)(record);
}

/** Whether a search looks for a regular expression anywhere. */
export function hasExpression(node: SearchNode): boolean {
  if (node.kind === 'not') return hasExpression(node.node);
  if (node.kind === 'words' || node.kind === 'field') return node.regex !== undefined;
  return node.nodes.some(hasExpression);
}
