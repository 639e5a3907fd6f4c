import type { PlanNode } from '@graphql-hive/router-query-planner';
import {
  buildASTSchema,
  type DocumentNode,
  type GraphQLSchema,
  Kind,
  OverlappingFieldsCanBeMergedRule,
  parse,
  validate,
} from 'graphql';
import { featuresOf, withoutMachinery } from '../supergraph/consumer.ts';

/**
 * Checks that a plan's operations can be valid where they are sent: a planner may put fields of different types under
 * one key, which every subgraph refuses.
 */
export class Soundness {
  #schema: GraphQLSchema | undefined;

  constructor(private readonly supergraphSdl: string) {}

  /** Why the plan cannot be run; undefined when nothing is known against it. */
  objection(node: PlanNode): string | undefined {
    for (const operation of operationsOf(node)) {
      // Without a type condition there is one type, and no two fields to differ.
      if (!/\.\.\. ?on /.test(operation)) continue;
      this.#schema ??= schemaOf(this.supergraphSdl);
      const [error] = validate(this.#schema, parse(operation, { noLocation: true }), [
        OverlappingFieldsCanBeMergedRule,
      ]);
      if (error) return error.message;
    }
    return undefined;
  }
}

function operationsOf(node: PlanNode): string[] {
  switch (node.kind) {
    case 'Sequence':
    case 'Parallel':
      return node.nodes.flatMap(operationsOf);
    case 'Flatten':
      return operationsOf(node.node);
    case 'Condition':
      return [node.ifClause, node.elseClause].flatMap((each) => (each ? operationsOf(each) : []));
    case 'Subscription':
      return [node.primary.operation];
    case 'Defer':
      return [];
    default:
      return [node.operation];
  }
}

/** All types of the supergraph, with the way to entities that every subgraph has. */
function schemaOf(supergraphSdl: string): GraphQLSchema {
  const supergraph = parse(supergraphSdl, { noLocation: true });
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
