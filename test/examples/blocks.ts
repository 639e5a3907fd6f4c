import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';

export const ROOT = path.resolve(__dirname, '../..');

/** A fenced block of a document. */
export interface Block {
  /** The document, from the root. */
  file: string;
  line: number;
  /** The words behind the fence: the language, and what kind of block it is. */
  info: string;
  text: string;
  /** What it takes for granted: code that stands before it, unseen by who reads the page. */
  given: string;
  /** Why it is only checked; empty when it is run. */
  notRun: string;
}

/** Who deals with a block. Each has exactly one; `text` and drawings are no examples. */
export type Runner = 'platform' | 'shell' | 'command line' | 'library' | 'python' | 'reader' | 'signature' | 'drawing';

const BY_LANGUAGE: Record<string, Runner> = {
  graphql: 'platform',
  ts: 'library',
  python: 'python',
  json: 'reader',
  yaml: 'reader',
  xml: 'reader',
  'typescript signature': 'signature',
  text: 'drawing',
  mermaid: 'drawing',
};

/** Who deals with it. @throws when nobody does: an example that is not run is none */
export function runnerOf({ file, line, info, text }: Block): Runner {
  if (info === 'sh') return linesOf(text).every((each) => each.startsWith('npx fleet ')) ? 'command line' : 'shell';
  const runner = BY_LANGUAGE[info];
  if (!runner) throw new Error(`${file}:${line} nobody runs a block of “${info}”`);
  return runner;
}

/** The command lines of a block, those that go on put together. */
export function linesOf(text: string): string[] {
  return text
    .replace(/\\\n\s*/g, ' ')
    .split('\n')
    .filter((line) => line.trim() !== '');
}

/** What stands in comments right before a fence. */
function marksBefore(text: string): Pick<Block, 'given' | 'notRun'> {
  const [, marks = ''] = /((?:<!--(?:(?!-->)[\s\S])*-->\s*)+)$/.exec(text) ?? [];
  const [, given = ''] = /<!-- given\n([\s\S]*?)-->/.exec(marks) ?? [];
  const [, notRun = ''] = /<!-- not run: ([\s\S]*?)-->/.exec(marks) ?? [];
  return { given, notRun: notRun.trim() };
}

/** The fenced blocks of a page. */
export function blocksOf(file: string, page: string): Block[] {
  return [...page.matchAll(/^ *```(.*)\n([\s\S]*?)^ *```$/gm)].map((match) => {
    const before = page.slice(0, match.index);
    return {
      file,
      line: before.split('\n').length,
      info: (match[1] as string).trim(),
      text: match[2] as string,
      ...marksBefore(before),
    };
  });
}

/** The documents of the tree, path from the root → text. */
export function pages(): Map<string, string> {
  const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '*.md'], { cwd: ROOT })
    .toString()
    .split('\n')
    // Templates speak of projects that are not here: whoever makes one runs their words (test/cli/create).
    .filter((file) => file && !file.startsWith('cli/create/templates/') && existsSync(path.join(ROOT, file)));
  return new Map(files.map((file) => [file, readFileSync(path.join(ROOT, file), 'utf8')]));
}

/** Every fenced block of the tree's documents. */
export function blocks(): Block[] {
  return [...pages()].flatMap(([file, page]) => blocksOf(file, page));
}

/** The blocks of a runner, as rows of `test.each`: where they stand, and themselves. */
export function examplesFor(runner: Runner): [string, Block][] {
  return blocks()
    .filter((block) => runnerOf(block) === runner)
    .map((block) => [`${block.file}:${block.line}`, block]);
}

/** The words of a shell line: quotes keep together what they enclose. */
export function wordsOf(line: string): string[] {
  return [...line.matchAll(/'([^']*)'|"([^"]*)"|(\S+)/g)].map(([, one, two, bare]) => one ?? two ?? bare ?? '');
}
