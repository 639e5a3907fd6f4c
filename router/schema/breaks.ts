import { buildASTSchema, type GraphQLSchema, Kind, parse, validate } from 'graphql';
import { consumerDocument, featuresOf } from '../supergraph/consumer.ts';
import type { Break } from './swap-rules.ts';

const NAME_LENGTH = 60;

/**
 * Which of these operations a supergraph's clients could not send any more. What the schema that is served does not take
 * either is not broken by the new one.
 * @throws Error when one is no SDL
 */
export function breaksOf(supergraphSdl: string, servedSdl: string, operations: readonly string[]): Break[] {
  const schema = consumerSchema(supergraphSdl);
  let served: GraphQLSchema | undefined;
  return operations.flatMap((text) => {
    const operation = parse(text, { noLocation: true });
    const [error] = validate(schema, operation, undefined, { maxErrors: 1 });
    if (!error) return [];
    served ??= consumerSchema(servedSdl);
    if (validate(served, operation, undefined, { maxErrors: 1 }).length > 0) return [];
    const named = operation.definitions.find((each) => each.kind === Kind.OPERATION_DEFINITION)?.name?.value;
    return [{ operation: named ?? text.replace(/\s+/g, ' ').slice(0, NAME_LENGTH), reason: error.message }];
  });
}

function consumerSchema(supergraphSdl: string): GraphQLSchema {
  const document = parse(supergraphSdl, { noLocation: true });
  return buildASTSchema(consumerDocument(document, featuresOf(document)), { assumeValidSDL: true });
}
