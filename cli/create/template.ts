import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { packageRoot } from '../package-root.ts';
import type { Files } from './merge/merge-files.ts';

/** What stands for a word in templates. GitHub’s own expressions have blanks inside their braces. */
const WORD = /\{\{(\w+)\}\}/g;

/**
 * The files of templates with their words filled in, in names too. A later folder’s file takes the place of an earlier one’s.
 * @param folders below cli/create/templates
 * @throws Error for a word that is not given: a template must leave nothing standing
 */
export function render(folders: readonly string[], words: Readonly<Record<string, string>>): Files {
  const files = new Map<string, Buffer>();
  for (const folder of folders) {
    const root = path.join(packageRoot(), 'cli/create/templates', folder);
    for (const file of filesIn(root)) {
      const text = readFileSync(path.join(root, file), 'utf8');
      files.set(fill(file, words, file), Buffer.from(fill(text, words, file)));
    }
  }
  return files;
}

/** Every file below a folder, by its path with `/`, sorted. */
export function filesIn(root: string): string[] {
  return readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(root, path.join(entry.parentPath, entry.name)).split(path.sep).join('/'))
    .sort();
}

function fill(text: string, words: Readonly<Record<string, string>>, file: string): string {
  return text.replace(WORD, (_, word: string) => {
    const value = words[word];
    if (value === undefined) throw new Error(`the template ${file} wants {{${word}}}, which nothing says`);
    return value;
  });
}
