import {
  type DefinitionNode,
  type GraphQLNamedType,
  GraphQLSchema,
  Kind,
  parse,
  specifiedDirectives,
  validateSchema,
} from 'graphql';
// The only way to a schema's types before the schema, whose making would read all their fields at once.
import { extendSchemaImpl } from 'graphql/utilities/extendSchema.js';

const NOTHING: Parameters<typeof extendSchemaImpl>[0] = {
  description: undefined,
  types: [],
  directives: [],
  extensions: {},
  extensionASTNodes: [],
  assumeValid: false,
};
/** Types whose fields are read at once: 1–2 ms. */
const TYPES = 10;

/**
 * As graphql-js' buildASTSchema, in steps of a few milliseconds. Measured on the main thread for 600 types and 650 kB: 130–290 ms
 * at once, 15 ms the longest step so.
 * @param pieces the SDL, cut between definitions
 * @returns a schema that is taken to be valid: `validSchemaOf` says whether it is
 */
export function* schemaInSteps(pieces: readonly string[]): Generator<undefined, GraphQLSchema, undefined> {
  const definitions: DefinitionNode[] = [];
  for (const piece of pieces) {
    definitions.push(...parse(piece, { noLocation: true }).definitions);
    yield;
  }
  const document = { kind: Kind.DOCUMENT, definitions } as const;
  const config = extendSchemaImpl(NOTHING, document, { assumeValid: true, assumeValidSDL: true });
  yield;
  for (const [at, type] of config.types.entries()) {
    readAll(type);
    if (at % TYPES === TYPES - 1) yield;
  }
  yield;
  const named = (name: string) => config.types.find((type) => type.name === name) as never;
  const roots = config.astNode
    ? {}
    : { query: named('Query'), mutation: named('Mutation'), subscription: named('Subscription') };
  const own = new Set(config.directives.map(({ name }) => name));
  const directives = [...config.directives, ...specifiedDirectives.filter(({ name }) => !own.has(name))];
  return new GraphQLSchema({ ...config, ...roots, directives });
}

/**
 * The same without a pause.
 * @throws Error that says what is wrong with the schema first
 */
export function validSchemaOf(pieces: readonly string[]): GraphQLSchema {
  const reading = schemaInSteps(pieces);
  let step = reading.next();
  while (!step.done) step = reading.next();
  const schema = step.value;
  const [error] = validateSchema(new GraphQLSchema({ ...schema.toConfig(), assumeValid: false }));
  if (error) throw new Error(`the schema that clients would see is not valid: ${error.message}`);
  return schema;
}

/** A type's fields are made when they are asked for first. */
function readAll(type: GraphQLNamedType): void {
  if ('getFields' in type) type.getFields();
  if ('getInterfaces' in type) type.getInterfaces();
  if ('getTypes' in type) type.getTypes();
}
