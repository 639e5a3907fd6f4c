import {
  coerceInputValue,
  GraphQLError,
  type GraphQLSchema,
  isInputType,
  isNonNullType,
  print,
  typeFromAST,
  type VariableDefinitionNode,
  valueFromAST,
} from 'graphql';

/** Faults that are told of one request's variables: each is written out, and a caller can mend few at a time. */
const MAX_FAULTS = 5;
const MAX_SHOWN = 500;

export type Coerced = { coerced: Record<string, unknown> } | { errors: readonly GraphQLError[] };

/**
 * The variables as their types have them (GraphQL, 6.1.2). What graphql-js does, but a fault tells of the wrong value only
 * as much as helps: writing out a large one, once for each of its faults, would take seconds.
 */
export function coerceVariables(
  schema: GraphQLSchema,
  definitions: readonly VariableDefinitionNode[],
  given: Readonly<Record<string, unknown>>,
  hideSuggestions: boolean,
): Coerced {
  const errors: GraphQLError[] = [];
  // A variable may be named like an inherited member.
  const coerced: Record<string, unknown> = Object.create(null);
  const tell = (message: string, nodes: VariableDefinitionNode) => {
    if (errors.length >= MAX_FAULTS) throw ENOUGH;
    errors.push(new GraphQLError(message, { nodes }));
  };
  try {
    for (const definition of definitions) {
      const name = definition.variable.name.value;
      const type = typeFromAST(schema, definition.type);
      if (!isInputType(type)) throw new Error(`invariant broken: a valid operation's $${name} has an input type`);
      if (!Object.hasOwn(given, name)) {
        if (definition.defaultValue) coerced[name] = valueFromAST(definition.defaultValue, type);
        else if (isNonNullType(type)) {
          tell(`Variable "$${name}" of required type "${print(definition.type)}" was not provided.`, definition);
        }
        continue;
      }
      if (given[name] === null && isNonNullType(type)) {
        tell(`Variable "$${name}" of non-null type "${print(definition.type)}" must not be null.`, definition);
        continue;
      }
      const onFault = (path: readonly (string | number)[], value: unknown, { message }: GraphQLError) => {
        const place = path.length > 0 ? ` at "${name}${path.map(step).join('')}"` : '';
        tell(`Variable "$${name}" got invalid value ${shown(value)}${place}; ${short(message)}`, definition);
      };
      coerced[name] = coerceInputValue(given[name], type, onFault, hideSuggestions);
    }
  } catch (error) {
    if (error !== ENOUGH) throw error;
  }
  return errors.length > 0 ? { errors } : { coerced: { ...coerced } };
}

const ENOUGH = Symbol('enough faults');

function step(part: string | number): string {
  return typeof part === 'number' ? `[${part}]` : `.${short(part)}`;
}

function shown(value: unknown): string {
  if (typeof value !== 'object' || value === null) return short(JSON.stringify(value) ?? 'undefined');
  return Array.isArray(value) ? '[…]' : '{…}';
}

function short(text: string): string {
  return text.length <= MAX_SHOWN ? text : `${text.slice(0, MAX_SHOWN)}…`;
}
