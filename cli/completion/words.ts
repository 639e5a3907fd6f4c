/** A command line as a shell parts it, up to the caret. */
export interface TypedLine {
  /** What stands before the last word, without quotes. */
  words: string[];
  /** The word at the caret, without quotes; empty behind a space. */
  last: string;
}

const PIECE = /"((?:\\.|[^"\\])*)(?:"|$)|'([^']*)(?:'|$)|\\(.)|(\s+)|([^\s"'\\]+|\\$)/gsu;

/** Parts a line: quotes keep together what they enclose, also one that is not closed yet. */
export function typedLine(line: string): TypedLine {
  const words = [''];
  let isBegun = false;
  for (const [, double, single, escaped, space, bare] of line.matchAll(PIECE)) {
    if (space !== undefined) {
      if (isBegun) words.push('');
      isBegun = false;
      continue;
    }
    isBegun = true;
    words[words.length - 1] += double?.replace(/\\(["\\$`])/g, '$1') ?? single ?? escaped ?? bare ?? '';
  }
  return { words: words.slice(0, -1), last: words.at(-1) as string };
}
