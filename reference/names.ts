/** What of a tree documents may name. */
export interface Known {
  /** Whether a file or a folder is there, from the root. */
  isThere(place: string): boolean;
  /** Scripts of package.json. */
  scripts: ReadonlySet<string>;
  /** Coordinates of the API: types, and fields and values as `Type.name`. */
  api: ReadonlySet<string>;
  /** Whether the sources have this word. */
  isInSources(word: string): boolean;
}

interface Rule {
  name: RegExp;
  isKnown(found: string, known: Known): boolean;
}

const FOLDERS = 'bench|cli|deploy|docs|fleet|lib|migrations|reference|router|schema|scripts|sdk|subgraphs|test';

const RULES: Readonly<Record<string, Rule>> = {
  'no such script': {
    name: /\bnpm run ([\w:]+)/g,
    isKnown: (script, { scripts }) => scripts.has(script),
  },
  'no such file': {
    name: new RegExp(`(?<![\\w./-]|\\]\\()((?:${FOLDERS})/[\\w./*<>…-]+)`, 'g'),
    // Tests are named without the folder of all of them.
    isKnown: (found, { isThere }) => {
      const place = found.replace(/[./-]+$/, '');
      return /[*<>…]/.test(place) || [place, `${place}.ts`, `test/${place}`, `test/${place}.test.ts`].some(isThere);
    },
  },
  'no such setting': {
    name: /\b(FLEET_[A-Z0-9_]*[A-Z0-9])\b(?![_*…])/g,
    isKnown: (setting, { isInSources }) => isInSources(setting),
  },
  'no such metric': {
    name: /(?<![\w-])(fleet_[a-z0-9_]*[a-z0-9])\b(?![_*<…])/g,
    isKnown: (metric, { isInSources }) => isInSources(metric) || isInSources(metric.replace(/^fleet_[a-z]+_/, '')),
  },
  'no such field': {
    name: /`([A-Z][A-Za-z]+\.[a-z]\w*)\b/g,
    isKnown: (coordinate, { api }) => api.has(coordinate) || !api.has(coordinate.split('.')[0] as string),
  },
};

/**
 * What pages name that is not there any longer: scripts, files, settings, metrics, fields of the API.
 * @param pages path from the root → text
 * @returns one line each, with the page
 */
export function unknownNames(pages: Readonly<Record<string, string>>, known: Known): string[] {
  return Object.entries(pages).flatMap(([file, text]) =>
    Object.entries(RULES).flatMap(([fault, { name, isKnown }]) => {
      const found = new Set([...text.matchAll(name)].map((match) => match[1] as string));
      return [...found].filter((each) => !isKnown(each, known)).map((each) => `${file} names ${each}: ${fault}`);
    }),
  );
}
