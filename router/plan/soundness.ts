import type { FetchNode, PlanNode, RequiresSelection } from '@graphql-hive/router-query-planner';
import {
  buildASTSchema,
  type DocumentNode,
  type FieldDefinitionNode,
  type GraphQLSchema,
  Kind,
  OverlappingFieldsCanBeMergedRule,
  parse,
  parseType,
  ScalarLeafsRule,
  validate,
} from 'graphql';
import { Externals } from './externals.ts';

/**
 * Checks that a plan's operations can be valid where they are sent, and are for what is there: a planner may put fields of
 * different types under one key, ask for an object without its fields, or for a field where its subgraph has none.
 */
export class Soundness {
  readonly #subgraphs = new Map<string, { schema: GraphQLSchema; externals: Externals }>();
  #supergraph: DocumentNode | undefined;
  #commonSchema: GraphQLSchema | undefined;
  readonly #supergraphSdl: string;

  // No property in a parameter: planning processes and threads may run this with its types only stripped.
  constructor(supergraphSdl: string) {
    this.#supergraphSdl = supergraphSdl;
  }

  /** Reads the supergraph, so that the first plan need not wait for it; one that cannot be read is told then. */
  prepare(): void {
    try {
      this.#supergraph ??= parse(this.#supergraphSdl, { noLocation: true });
      this.#common();
    } catch {
      // Whoever asks for a plan is told why.
    }
  }

  /** Why the plan cannot be run; undefined when nothing is known against it. */
  objection(node: PlanNode): string | undefined {
    const fetches = fetchesOf(node);
    const unused = unusedAlias(fetches);
    if (unused) return `the plan fetches ${unused} for nothing`;
    for (const { operation, serviceName } of fetches) {
      // Without a type condition there is one type, and no two fields to differ.
      const rules = /\.\.\. ?on /.test(operation) ? BOTH_RULES : [ScalarLeafsRule];
      const { schema, externals } = this.#subgraphOf(serviceName);
      const document = parse(operation, { noLocation: true });
      const [error] = validate(schema, document, rules);
      if (error) return error.message;
      const missing = externals.askedFor(document);
      if (missing) return `${serviceName} would be asked for ${missing}, which it does not have there`;
    }
    return undefined;
  }

  #subgraphOf(name: string): { schema: GraphQLSchema; externals: Externals } {
    let subgraph = this.#subgraphs.get(name);
    if (!subgraph) {
      this.#supergraph ??= parse(this.#supergraphSdl, { noLocation: true });
      const graph = graphNameOf(this.#supergraph, name) ?? '';
      const own = withOwnTypes(this.#supergraph, graph);
      // Most subgraphs promise what all do together: for those there is one schema, which takes long to make.
      const schema = own === this.#supergraph ? this.#common() : schemaOf(own);
      subgraph = { schema, externals: new Externals(this.#supergraph, graph) };
      this.#subgraphs.set(name, subgraph);
    }
    return subgraph;
  }

  #common(): GraphQLSchema {
    this.#commonSchema ??= schemaOf(this.#supergraph as DocumentNode);
    return this.#commonSchema;
  }
}

const BOTH_RULES = [ScalarLeafsRule, OverlappingFieldsCanBeMergedRule];

type Sent = Pick<FetchNode, 'operation' | 'serviceName'> & Partial<Pick<FetchNode, 'requires' | 'outputRewrites'>>;

/** Under which Hive's planner fetches what is required with arguments that differ from another's, or is renamed later. */
const INTERNAL_ALIAS = /\b_internal_qp_alias_\d+(?=:)/g;

/** Such an alias that is in no representation and not renamed: then the other's value would be taken. */
function unusedAlias(fetches: readonly Sent[]): string | undefined {
  const made = new Set(fetches.flatMap(({ operation }) => operation.match(INTERNAL_ALIAS) ?? []));
  if (made.size === 0) return undefined;
  const forget = (selections: readonly RequiresSelection[]): void => {
    for (const selection of selections) {
      if (selection.kind === 'Field') made.delete(selection.name);
      if ('selections' in selection) forget(selection.selections ?? []);
    }
  };
  for (const { requires, outputRewrites } of fetches) {
    forget(requires ?? []);
    const renamed = JSON.stringify(outputRewrites ?? []);
    for (const alias of made) if (renamed.includes(`"${alias}"`)) made.delete(alias);
  }
  return [...made][0];
}

function fetchesOf(node: PlanNode): Sent[] {
  switch (node.kind) {
    case 'Sequence':
    case 'Parallel':
      return node.nodes.flatMap(fetchesOf);
    case 'Flatten':
      return fetchesOf(node.node);
    case 'Condition':
      return [node.ifClause, node.elseClause].flatMap((each) => (each ? fetchesOf(each) : []));
    case 'Subscription':
      return [node.primary];
    case 'Defer':
      return [];
    case 'BatchFetch': {
      const requires = node.entityBatch.aliases.flatMap((alias) => alias.requires);
      const outputRewrites = node.entityBatch.aliases.flatMap((alias) => alias.outputRewrites ?? []);
      return [{ operation: node.operation, serviceName: node.serviceName, requires, outputRewrites }];
    }
    default:
      return [node];
  }
}

/** The supergraph with its fields as one subgraph has them, which may promise more than all do together; itself where none does. */
function withOwnTypes(supergraph: DocumentNode, graph: string): DocumentNode {
  // Not `visit`: it would walk every description and argument of a large supergraph once for each subgraph.
  let isOwn = false;
  const definitions = supergraph.definitions.map((definition) => {
    if (definition.kind !== Kind.OBJECT_TYPE_DEFINITION && definition.kind !== Kind.INTERFACE_TYPE_DEFINITION) {
      return definition;
    }
    const fields = definition.fields?.map((field) => {
      const type = ownTypeOf(field, graph);
      if (type !== undefined) isOwn = true;
      return type === undefined ? field : { ...field, type: parseType(type, { noLocation: true }) };
    });
    return { ...definition, ...(fields ? { fields } : {}) };
  });
  return isOwn ? { kind: Kind.DOCUMENT, definitions } : supergraph;
}

function ownTypeOf({ directives }: FieldDefinitionNode, graph: string): string | undefined {
  for (const { name, arguments: given } of directives ?? []) {
    if (name.value !== 'join__field') continue;
    const isOfGraph = given?.some(
      ({ name, value }) => name.value === 'graph' && value.kind === Kind.ENUM && value.value === graph,
    );
    const type = isOfGraph ? given?.find((each) => each.name.value === 'type')?.value : undefined;
    if (type?.kind === Kind.STRING) return type.value;
  }
  return undefined;
}

/** The enum value that stands for a subgraph. */
function graphNameOf(supergraph: DocumentNode, subgraph: string): string | undefined {
  for (const definition of supergraph.definitions) {
    if (definition.kind !== Kind.ENUM_TYPE_DEFINITION || definition.name.value !== 'join__Graph') continue;
    return definition.values?.find(({ directives }) =>
      directives?.some(({ arguments: given }) =>
        given?.some(
          ({ name, value }) => name.value === 'name' && value.kind === Kind.STRING && value.value === subgraph,
        ),
      ),
    )?.name.value;
  }
  return undefined;
}

/** All types of the supergraph, with the way to entities that every subgraph has. */
function schemaOf({ definitions }: DocumentNode): GraphQLSchema {
  const objects = definitions.flatMap((each) => (each.kind === Kind.OBJECT_TYPE_DEFINITION ? [each.name.value] : []));
  const entities = parse(
    `union _Entity = ${objects.join(' | ')} scalar _Any type _Query { _entities(representations: [_Any!]!): [_Entity]! }`,
  );
  const [union, any, query] = entities.definitions;
  const field = query?.kind === Kind.OBJECT_TYPE_DEFINITION ? (query.fields ?? []) : [];
  const whole: DocumentNode = {
    kind: Kind.DOCUMENT,
    definitions: [
      ...definitions.map((each) =>
        each.kind === Kind.OBJECT_TYPE_DEFINITION && each.name.value === 'Query'
          ? { ...each, fields: [...(each.fields ?? []), ...field] }
          : each,
      ),
      ...[union, any].filter((each) => each !== undefined),
    ],
  };
  return buildASTSchema(whole, { assumeValid: true, assumeValidSDL: true });
}
