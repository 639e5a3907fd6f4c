import type { FetchNode, PlanNode } from '@graphql-hive/router-query-planner';
import {
  buildASTSchema,
  type DocumentNode,
  type GraphQLSchema,
  Kind,
  OverlappingFieldsCanBeMergedRule,
  parse,
  parseType,
  ScalarLeafsRule,
  validate,
  visit,
} from 'graphql';
import { featuresOf, withoutMachinery } from '../supergraph/consumer.ts';

/**
 * Checks that a plan's operations can be valid where they are sent: a planner may put fields of different types under
 * one key, which every subgraph refuses.
 */
export class Soundness {
  readonly #schemas = new Map<string, GraphQLSchema>();
  #supergraph: DocumentNode | undefined;

  constructor(private readonly supergraphSdl: string) {}

  /** Why the plan cannot be run; undefined when nothing is known against it. */
  objection(node: PlanNode): string | undefined {
    for (const { operation, serviceName } of fetchesOf(node)) {
      // Without a type condition there is one type, and no two fields to differ.
      const rules = /\.\.\. ?on /.test(operation) ? BOTH_RULES : [ScalarLeafsRule];
      const [error] = validate(this.#schemaOf(serviceName), parse(operation, { noLocation: true }), rules);
      if (error) return error.message;
    }
    return undefined;
  }

  #schemaOf(subgraph: string): GraphQLSchema {
    let schema = this.#schemas.get(subgraph);
    if (!schema) {
      this.#supergraph ??= parse(this.supergraphSdl, { noLocation: true });
      schema = schemaOf(withOwnTypes(this.#supergraph, subgraph));
      this.#schemas.set(subgraph, schema);
    }
    return schema;
  }
}

const BOTH_RULES = [ScalarLeafsRule, OverlappingFieldsCanBeMergedRule];

type Sent = Pick<FetchNode, 'operation' | 'serviceName'>;

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
    default:
      return [node];
  }
}

/** The supergraph with its fields as one subgraph has them, which may promise more than all do together. */
function withOwnTypes(supergraph: DocumentNode, subgraph: string): DocumentNode {
  const graph = graphNameOf(supergraph, subgraph);
  return visit(supergraph, {
    FieldDefinition(field) {
      const own = field.directives?.find(
        ({ name, arguments: given }) =>
          name.value === 'join__field' &&
          given?.some(({ name, value }) => name.value === 'graph' && value.kind === Kind.ENUM && value.value === graph),
      );
      const type = own?.arguments?.find(({ name }) => name.value === 'type')?.value;
      return type?.kind === Kind.STRING ? { ...field, type: parseType(type.value, { noLocation: true }) } : undefined;
    },
  });
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
function schemaOf(supergraph: DocumentNode): GraphQLSchema {
  const { definitions } = withoutMachinery(supergraph, featuresOf(supergraph));
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
