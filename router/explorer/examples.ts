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

/** The `.graphql` files of a folder and of those in it, each with its `.json` of variables if there is one. */
export function readExamples(folder: string): Example[] {
  if (!existsSync(folder)) return [];
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.graphql'));
  const read = files.sort().map((name) => readExample(path.join(folder, name)));
  return mixed(read)
    .slice(0, MAX_TABS)
    .map(({ query, variables }) => (variables === undefined ? { query } : { query, variables }));
}

interface Read {
  /** What comes before the first dash: `agents` of agents-list.graphql. */
  topic: string;
  /** What runs as it stands comes before what has to be filled in, and that before what changes something. */
  effort: number;
  query: string;
  variables: string | undefined;
}

function readExample(file: string): Read {
  const query = readFileSync(file, 'utf8');
  const given = file.replace(/\.graphql$/, '.json');
  const variables = existsSync(given) ? readFileSync(given, 'utf8') : undefined;
  const isMutation = /^\s*mutation\b/m.test(query);
  const isOpen = variables === undefined && /\$\w+\s*:[^,)=]*!/.test(query);
  const topic = path.basename(file, '.graphql').split('-')[0] as string;
  return { topic, effort: isMutation ? 2 : isOpen ? 1 : 0, query, variables };
}

/** The easiest first, and of these one of each topic before the second of any. */
function mixed(examples: readonly Read[]): Read[] {
  const seen = new Map<string, number>();
  const placed = examples.map((example) => {
    const key = `${example.effort} ${example.topic}`;
    const turn = seen.get(key) ?? 0;
    seen.set(key, turn + 1);
    return { example, turn };
  });
  return placed
    .sort((one, other) => one.example.effort - other.example.effort || one.turn - other.turn)
    .map(({ example }) => example);
}
