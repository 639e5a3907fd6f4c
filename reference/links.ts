import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { anchorsOf, linksOf } from './markdown.ts';

/**
 * Links of pages that lead nowhere: to a file that is not there, or a heading that its page does not have.
 * @param pages path from the root → text; what is not among them is looked up in the tree
 * @returns one line each, with the page
 */
export function brokenLinks(root: string, pages: Readonly<Record<string, string>>): string[] {
  const textOf = (file: string): string | undefined => {
    if (pages[file] !== undefined) return pages[file];
    const place = path.join(root, file);
    if (!existsSync(place)) return undefined;
    return file.endsWith('.md') ? readFileSync(place, 'utf8') : '';
  };
  return Object.entries(pages).flatMap(([file, text]) =>
    linksOf(text).flatMap((link) => {
      const [target = '', anchor] = link.split('#');
      const there = target ? path.posix.join(path.posix.dirname(file), target).replace(/\/$/, '') : file;
      const found = textOf(there);
      if (found === undefined) return [`${file} links to ${link}: there is no such file`];
      if (anchor && there.endsWith('.md') && !anchorsOf(found).has(anchor))
        return [`${file} links to ${link}: the page has no such heading`];
      return [];
    }),
  );
}
