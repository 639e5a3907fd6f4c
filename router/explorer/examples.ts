import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

/** One tab of the explorer. */
export interface Example {
  query: string;
  /** JSON, as GraphiQL takes it. */
  variables?: string;
}

/** More tabs than this hide each other. */
const MAX_TABS = 12;

/** What a newcomer wants to see first, by a word in the file's name. */
const FIRST = ['fleet', 'agents', 'alerts', 'logs', 'router'];

/** The `.graphql` files of a folder and of those in it, each with its `.json` of variables if there is one. */
export function readExamples(folder: string): Example[] {
  if (!existsSync(folder)) return [];
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.graphql'))
    .sort((one, other) => rank(one) - rank(other) || one.localeCompare(other));
  return files.slice(0, MAX_TABS).map((name) => {
    const file = path.join(folder, name);
    const query = readFileSync(file, 'utf8');
    const variables = file.replace(/\.graphql$/, '.json');
    return existsSync(variables) ? { query, variables: readFileSync(variables, 'utf8') } : { query };
  });
}

function rank(name: string): number {
  const place = FIRST.indexOf(path.basename(name, '.graphql'));
  return place < 0 ? FIRST.length : place;
}
