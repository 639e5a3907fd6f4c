import { type DocumentNode, Lexer, parse, Source, TokenKind } from 'graphql';
import { FleetError } from '../../lib/errors.ts';

/** Brackets of all kinds within each other: more would overflow a parser's stack before it could be told. */
const MAX_NESTING = 200;

const OPENING: ReadonlySet<string> = new Set([TokenKind.BRACE_L, TokenKind.BRACKET_L, TokenKind.PAREN_L]);
const CLOSING: ReadonlySet<string> = new Set([TokenKind.BRACE_R, TokenKind.BRACKET_R, TokenKind.PAREN_R]);

/**
 * Parses a document that is small enough to be parsed.
 * @returns undefined when it is no GraphQL: whoever parses next says why
 * @throws QUERY_TOO_LARGE beyond the tokens or the nesting
 */
export function parseBounded(text: string, maxTokens: number): DocumentNode | undefined {
  if (!isCountable(text, maxTokens)) return undefined;
  try {
    return parse(text, { noLocation: true });
  } catch {
    return undefined;
  }
}

function isCountable(text: string, maxTokens: number): boolean {
  const lexer = new Lexer(new Source(text));
  let tokens = 0;
  let nesting = 0;
  try {
    while (lexer.advance().kind !== TokenKind.EOF) {
      tokens += 1;
      const { kind } = lexer.token;
      if (OPENING.has(kind)) nesting += 1;
      else if (CLOSING.has(kind)) nesting -= 1;
      if (tokens > maxTokens || nesting > MAX_NESTING) break;
    }
  } catch {
    return false;
  }
  if (tokens > maxTokens) throw new FleetError('QUERY_TOO_LARGE', `a document has at most ${maxTokens} tokens`);
  if (nesting > MAX_NESTING) throw new FleetError('QUERY_TOO_LARGE', `brackets nest at most ${MAX_NESTING} deep`);
  return true;
}
