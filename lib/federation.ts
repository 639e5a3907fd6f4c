import { buildSubgraphSchema } from '@apollo/subgraph';
import {
  getDirectives,
  getResolversFromSchema,
  MapperKind,
  mapSchema,
  printSchemaWithDirectives,
} from '@graphql-tools/utils';
import { defaultFieldResolver, type GraphQLFieldConfig, type GraphQLSchema, parse } from 'graphql';
import { type BuildSchemaOptions, buildSchema } from 'type-graphql';
import { type AccessTable, mayAccess, scopesOf } from './access.ts';
import { FleetError } from './errors.ts';
import { connectionSize } from './graphql/list-size.ts';
import { SCALARS } from './graphql/scalars.ts';
import type { HouseContext } from './subgraph.ts';

/** Loads one entity for each key the router asks for; the same loader serves field resolvers. Unknown: null. */
export type ReferenceResolver = (reference: Record<string, unknown>, context: never) => unknown;

const FEDERATION_LINK = `
extend schema
  @link(url: "https://specs.apollo.dev/link/v1.0")
  @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key", "@shareable", "@external", "@requires", "@provides", "@composeDirective", "@cost", "@listSize"])
  @link(url: "https://fleetgraph.dev/access/v1.0", import: ["@access"])
  @composeDirective(name: "@access")
"Any of these scopes opens the field."
directive @access(scopes: [String!]!) on FIELD_DEFINITION | OBJECT
`;

export interface SubgraphOptions extends BuildSchemaOptions {
  access: AccessTable;
  /** Entity name → loader of that entity by its @key. */
  references: Record<string, ReferenceResolver>;
}

/** Turns decorated resolver classes into a Federation v2 subgraph schema whose every field checks its access rule. */
export async function buildSubgraph({ access, references, ...options }: SubgraphOptions): Promise<GraphQLSchema> {
  const schema = await buildSchema({
    validate: false,
    skipCheck: true,
    // Every subscription reads a change stream by `subscribe`; type-graphql wants a pub/sub all the same.
    pubSub: { publish: refusePubSub, subscribe: refusePubSub },
    // The contract's Date is RFC 3339 `DateTime`.
    scalarsMap: [{ type: Date, scalar: SCALARS.DateTime }, ...(options.scalarsMap ?? [])],
    ...options,
  });
  const resolvers = getResolversFromSchema(schema) as Record<string, Record<string, unknown>>;
  for (const [entity, resolveReference] of Object.entries(references)) {
    resolvers[entity] = { ...resolvers[entity], __resolveReference: resolveReference };
  }
  const sdl = markedSdl(schema, access);
  const built = buildSubgraphSchema({ typeDefs: parse(`${FEDERATION_LINK}\n${sdl}`), resolvers: resolvers as never });
  return guardFields(built, access);
}

function refusePubSub(): never {
  throw new Error('subscriptions read change streams: nothing is published in memory');
}

/**
 * Writes `@access` behind each field of an object that has a rule, and `@listSize` behind each connection. Fields without a
 * rule stay bare, and a test finds them.
 */
function markedSdl(schema: GraphQLSchema, access: AccessTable): string {
  const marked = mapSchema(schema, {
    [MapperKind.OBJECT_FIELD]: (field: GraphQLFieldConfig<unknown, unknown>, name: string, type: string) => {
      const scopes = scopesOf(access, type, name);
      const listSize = connectionSize(field);
      if (!scopes && !listSize) return field;
      const others = Object.fromEntries(getDirectives(schema, field as never).map((d) => [d.name, d.args]));
      return {
        ...field,
        astNode: undefined as never,
        extensions: {
          ...field.extensions,
          directives: { ...others, ...(listSize ? { listSize } : {}), ...(scopes ? { access: { scopes } } : {}) },
        },
      };
    },
  });
  return printSchemaWithDirectives(marked);
}

/** Checks the caller's scopes again in the house: a field nobody may read is refused here too. */
function guardFields(schema: GraphQLSchema, access: AccessTable): GraphQLSchema {
  for (const type of Object.values(schema.getTypeMap())) {
    if (!('getFields' in type) || type.name.startsWith('_') || !('getInterfaces' in type) || 'resolveType' in type)
      continue;
    for (const field of Object.values(type.getFields())) {
      if (field.name.startsWith('_') || !('args' in field)) continue;
      const resolve = field.resolve ?? defaultFieldResolver;
      const check = (context: unknown) => {
        if (mayAccess(access, (context as HouseContext).call.principal, type.name, field.name)) return;
        throw new FleetError('FORBIDDEN', `your scopes do not open ${type.name}.${field.name}`);
      };
      field.resolve = (source, args, context, info) => {
        check(context);
        const value: unknown = resolve(source, args, context, info);
        // A count that is dear is a function, called only when somebody asks for it.
        return typeof value === 'function' ? value() : value;
      };
      const { subscribe } = field;
      if (subscribe) {
        field.subscribe = (source, args, context, info) => {
          check(context);
          return subscribe(source, args, context, info);
        };
      }
    }
  }
  return schema;
}
