import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { Kind, parse } from 'graphql';
import { anchorOf, cell, page, table } from '../markdown.ts';
import { readContract } from './contract.ts';
import { areaPage, type Book, ROOTS, type Root, rootFields } from './page.ts';
import { silentParts } from './silent.ts';

/** What each area is, in the order of the index. */
const AREAS: Record<string, string> = {
  agents: 'Who is in the fleet, what is asked of them, their versions, health and recovery; keys of access.',
  logs: 'What the fleet says: entries, searches, groups of errors, retention.',
  audit: 'What was changed, by whom, with proofs.',
  alerts: 'What is wrong, who is told of it.',
  metrics: 'Series and traces.',
  router: 'The router’s own: breakers, limits, plans, feature flags, nodes by id.',
  shared: 'Types that several subgraphs give.',
};

const HEAD = `# The API, field by field

Made from schema/supergraph.graphql by \`npm run docs\`. [errors](../../errors.md) has the codes, [streams](../../streams.md) what a subscriber
is promised. A credential opens a field with any one of the scopes that stand beside it; \`admin\` opens all. \`!\` is never null.
[Cost](../../router.md#limits): an object is a point, a leaf none, a mutation's root field ten, and what is in a list counts as many times as
the list may have items, ten where nothing is said of it.
`;

/** Root field → the first file of schema/operations that is about it. */
function examplesIn(folder: string): Map<string, string> {
  const examples = new Map<string, string>();
  const files = readdirSync(folder).filter((file) => file.endsWith('.graphql'));
  const roots = files.map((file) => {
    const names = parse(readFileSync(path.join(folder, file), 'utf8')).definitions.flatMap((definition) =>
      definition.kind === Kind.OPERATION_DEFINITION
        ? definition.selectionSet.selections.flatMap((field) => (field.kind === Kind.FIELD ? [field.name.value] : []))
        : [],
    );
    return { file, names };
  });
  // One that shows a field alone is its example rather than one that shows several.
  for (const { file, names } of roots.sort((one, two) => one.names.length - two.names.length))
    for (const name of names) if (!examples.has(name)) examples.set(name, file);
  return examples;
}

function indexPage(book: Book): string {
  const roots = (Object.keys(ROOTS) as Root[]).flatMap((root) =>
    Object.keys(AREAS).flatMap((area) =>
      rootFields(root, area, book).map((field) => ({
        root,
        area,
        field,
        anchor: anchorOf(`${ROOTS[root]} ${field.name}`),
      })),
    ),
  );
  const rows = roots
    .sort((one, two) => (one.field.name < two.field.name ? -1 : 1))
    .map(({ root, area, field, anchor }) => [
      `[\`${field.name}\`](${area}.md#${anchor})`,
      ROOTS[root],
      area,
      cell(field.what.split(/(?<=[.;]) /)[0] as string),
    ]);
  const areas = Object.entries(AREAS).map(([area, what]) => {
    const types = book.types.filter((type) => type.area === area && !(type.name in ROOTS)).length;
    return [`[${area}](${area}.md)`, what, String(types)];
  });
  return page(
    HEAD,
    table(['page', 'about', 'types'], areas),
    '## Every root field',
    table(['field', 'kind', 'page', 'what'], rows),
  );
}

const typesIn = (root: string) => readContract(readFileSync(path.join(root, 'schema/supergraph.graphql'), 'utf8'));

/** Types of the API, and their fields and values as `Type.name`. */
export function apiNames(root: string): Set<string> {
  const parts = typesIn(root).flatMap(({ name, fields, inputs, values }) => [
    name,
    ...[...fields, ...inputs, ...values].map((part) => `${name}.${part.name}`),
  ]);
  return new Set(parts);
}

/** The pages of the API, and what of it says nothing of itself. */
export function apiPages(root: string): { pages: Record<string, string>; silent: string[] } {
  const types = typesIn(root);
  const unknown = types.filter(({ area }) => !(area in AREAS));
  if (unknown.length)
    throw new Error(`no page is for ${unknown.map(({ name, area }) => `${name} (${area})`).join(', ')}`);
  const areas = new Map(types.map(({ name, area }) => [name, area]));
  const book: Book = { types, areas, examples: examplesIn(path.join(root, 'schema/operations')) };
  const pages = Object.entries(AREAS).map(([area, what]) => [
    `docs/reference/api/${area}.md`,
    areaPage(area, what, book),
  ]);
  return {
    pages: { 'docs/reference/api/README.md': indexPage(book), ...Object.fromEntries(pages) },
    silent: silentParts(types).map((part) => `schema: ${part} has no description`),
  };
}
