import type { ContractType } from './contract.ts';

/** Their names say what they are. */
const ROOTS = new Set(['Query', 'Mutation', 'Subscription']);

const bare = (text: string) => text.toLowerCase().replace(/\b(the|an?|its|of|this)\b|[^a-z]/g, '');

/** A description that has no more in it than the name says as much as none. */
const says = (name: string, what: string) => bare(what) !== '' && bare(what) !== bare(name);

/** What of the API has no description, or only its own name as one: coordinates, as `Type.field(argument)`. */
export function silentParts(types: readonly ContractType[]): string[] {
  return types.flatMap(({ name, what, fields, inputs, values }) => [
    ...(what || ROOTS.has(name) ? [] : [name]),
    ...[...inputs, ...values].filter((each) => !each.what).map((each) => `${name}.${each.name}`),
    ...fields.flatMap((field) => [
      ...(field.what ? [] : [`${name}.${field.name}`]),
      ...field.inputs.filter((each) => !each.what).map((each) => `${name}.${field.name}(${each.name})`),
    ]),
    ...fields.filter((field) => field.what && !says(field.name, field.what)).map((field) => `${name}.${field.name}`),
  ]);
}
