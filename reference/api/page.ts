import { anchorOf, cell, code, page, prose, table } from '../markdown.ts';
import type { ContractField, ContractInput, ContractType } from './contract.ts';

/** Root types, with the words that head their fields. */
export const ROOTS = { Query: 'query', Mutation: 'mutation', Subscription: 'subscription' } as const;
export type Root = keyof typeof ROOTS;

const HEADS: Record<Root, string> = { Query: 'Queries', Mutation: 'Mutations', Subscription: 'Subscriptions' };
const BUILT_IN = new Set(['ID', 'String', 'Int', 'Float', 'Boolean']);

/** What the pages of the API are made of. */
export interface Book {
  types: readonly ContractType[];
  /** Name of a type → its area. */
  areas: ReadonlyMap<string, string>;
  /** Root field → the file of its example. */
  examples: ReadonlyMap<string, string>;
}

/** A type as it is written, leading to where it is told. */
function typeLink(type: string, area: string, { areas }: Book): string {
  const name = named(type);
  if (BUILT_IN.has(name)) return code(type);
  const there = areas.get(name);
  if (!there) throw new Error(`nothing is known of the type ${name}`);
  return `[${code(type)}](${there === area ? '' : `${there}.md`}#${anchorOf(name)})`;
}

const scopesOf = (scopes: readonly string[]) => scopes.map(code).join(' ');
const deprecation = (reason: string) => (reason ? `**Deprecated**: ${reason} ` : '');

function inputRows(inputs: readonly ContractInput[], area: string, book: Book): string[][] {
  return inputs.map(({ name, type, standard, what, deprecated }) => [
    code(name),
    typeLink(type, area, book),
    standard && code(standard),
    cell(deprecation(deprecated) + what),
  ]);
}

/** What a list counts as when its cost is foretold. */
function sizeOf({ list, cost }: ContractField): string {
  const parts: string[] = [];
  if (cost !== undefined) parts.push(`Costs ${cost} points.`);
  if (list?.by.length)
    parts.push(`Counts as ${list.by.map(code).join(' or ')} items, ${list.assumed ?? 'as many as allowed'} without.`);
  else if (list?.assumed !== undefined) parts.push(`Counts as ${list.assumed} items.`);
  return parts.join(' ');
}

function rootField(field: ContractField, root: Root, area: string, book: Book): string {
  const example = book.examples.get(field.name);
  return page(
    `### ${ROOTS[root]} ${field.name}`,
    prose(deprecation(field.deprecated) + field.what),
    `Gives ${typeLink(field.type, area, book)}. Scopes: ${scopesOf(field.scopes)}. ${sizeOf(field)}${
      example ? ` Example: [${example}](../../../schema/operations/${example}).` : ''
    }`.replace(/ {2,}/g, ' '),
    table(['argument', 'type', 'default', 'what it says'], inputRows(field.inputs, area, book)),
  );
}

/** Of a field that is given with arguments: each on a line of its own in the cell. */
function argumentLines({ inputs }: ContractField, area: string, book: Book): string {
  return inputs
    .map(
      ({ name, type, standard, what }) =>
        `<br>${code(name)} ${typeLink(type, area, book)}${standard ? ` = ${code(standard)}` : ''}: ${cell(what)}`,
    )
    .join('');
}

function objectSection(type: ContractType, area: string, book: Book): string {
  const usual = commonScopes(type);
  const rows = type.fields.map((field) => {
    const away = field.subgraphs.includes(area) || area === 'shared' ? '' : ` From ${field.subgraphs.join(', ')}.`;
    const scopes =
      field.scopes.join() === usual.join() || !field.scopes.length ? '' : ` Scopes: ${scopesOf(field.scopes)}.`;
    const size = sizeOf(field);
    return [
      code(field.name),
      typeLink(field.type, area, book),
      `${cell(deprecation(field.deprecated) + field.what)}${away}${scopes}${size && ` ${size}`}${argumentLines(field, area, book)}`,
    ];
  });
  return page(
    usual.length ? `Scopes${rows.length > 1 ? ', unless a field says otherwise' : ''}: ${scopesOf(usual)}.` : '',
    table(['field', 'type', 'what it is'], rows),
  );
}

/** The scopes that most of its fields have. */
function commonScopes({ fields }: ContractType): string[] {
  const counts = new Map<string, number>();
  for (const { scopes } of fields) counts.set(scopes.join(), (counts.get(scopes.join()) ?? 0) + 1);
  const [most] = [...counts].sort((one, two) => two[1] - one[1]);
  return most?.[0] ? most[0].split(',') : [];
}

/** What more fields give is everywhere, and a list of them no help. */
const MOST_PLACES = 20;

const named = (type: string) => type.replace(/[[\]!]/g, '');

/** The fields that give a type, or of an input take it, leading to where they are told. */
function placesOf({ name, form }: ContractType, area: string, { types, areas }: Book): string {
  if (form === 'scalar' || form === 'enum') return '';
  const uses = types.flatMap((type) => {
    const fields = type.fields.filter((field) =>
      form === 'input' ? field.inputs.some((each) => named(each.type) === name) : named(field.type) === name,
    );
    const inputs = type.inputs.filter((each) => named(each.type) === name);
    return [...fields, ...inputs].map((field) => {
      const isRoot = type.name in ROOTS;
      const there = isRoot ? ((field as ContractField).subgraphs[0] as string) : (areas.get(type.name) as string);
      const anchor = isRoot ? `${ROOTS[type.name as Root]}-${field.name.toLowerCase()}` : anchorOf(type.name);
      const shown = code(`${isRoot ? `${ROOTS[type.name as Root]} ` : `${type.name}.`}${field.name}`);
      return `[${shown}](${there === area ? '' : `${there}.md`}#${anchor})`;
    });
  });
  if (!uses.length) return '';
  return `${form === 'input' ? 'Taken' : 'Given'} by ${uses.length > MOST_PLACES ? `${uses.length} fields` : uses.join(', ')}.`;
}

function typeSection(type: ContractType, area: string, book: Book): string {
  const by = book.types.filter((each) => each.implements.includes(type.name));
  const list = (names: readonly string[]) => names.map((name) => typeLink(name, area, book)).join(', ');
  const facts = [
    type.implements.length ? `Implements ${list(type.implements)}.` : '',
    by.length ? `Implemented by ${list(by.map(({ name }) => name))}.` : '',
    type.members.length ? `One of ${list(type.members)}.` : '',
    type.keys.length ? `Found by ${type.keys.map(code).join(' or ')}.` : '',
    placesOf(type, area, book),
    area === 'shared' ? `In ${type.subgraphs.join(', ')}.` : '',
  ];
  return page(
    `### ${type.name}`,
    prose(type.what),
    facts.filter(Boolean).join(' '),
    type.fields.length ? objectSection(type, area, book) : '',
    table(['field', 'type', 'default', 'what it says'], inputRows(type.inputs, area, book)),
    table(
      ['value', 'what it means'],
      type.values.map((value) => [code(value.name), cell(deprecation(value.deprecated) + value.what)]),
    ),
  );
}

/** The root fields of an area. */
export function rootFields(root: Root, area: string, { types }: Book): ContractField[] {
  const fields = types.find(({ name }) => name === root)?.fields ?? [];
  return fields.filter(({ subgraphs }) => subgraphs[0] === area);
}

const GROUPS: readonly (readonly [string, readonly ContractType['form'][]])[] = [
  ['Objects', ['object', 'interface', 'union']],
  ['Inputs', ['input']],
  ['Enums', ['enum']],
  ['Scalars', ['scalar']],
];

/** The page of an area. @param intro what the area is, under its heading */
export function areaPage(area: string, intro: string, book: Book): string {
  const roots = (Object.keys(ROOTS) as Root[]).flatMap((root) => {
    const fields = rootFields(root, area, book);
    return fields.length ? [`## ${HEADS[root]}`, ...fields.map((field) => rootField(field, root, area, book))] : [];
  });
  const own = book.types.filter((type) => type.area === area && !(type.name in ROOTS));
  const groups = GROUPS.flatMap(([head, forms]) => {
    const types = own.filter(({ form }) => forms.includes(form));
    return types.length ? [`## ${head}`, ...types.map((type) => typeSection(type, area, book))] : [];
  });
  return page(`# API: ${area}`, intro, ...roots, ...groups);
}
