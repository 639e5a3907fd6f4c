import { type DocumentNode, type GraphQLSchema, getNamedType, Kind, print, visit } from 'graphql';
import type { Call } from '../../lib/call/signing.ts';
import type { PlannedOperation } from '../plan/operation.ts';
import type { PreparedOperation } from '../plan/preparation.ts';

/** What of an operation is the same for all its subscriptions. */
interface Shape {
  /** The operation but for spaces and comments. */
  text: string;
  /** The variable that is its cursor and nothing else, or the cursor itself. */
  cursor: { variable: string } | { value: string | undefined };
}

/** By operation: plans live many times as long as subscriptions. */
const shapes = new WeakMap<PlannedOperation, Shape | 'none'>();

/**
 * With whom a subscription may share, and from where it goes on. Equal are: the operation but for spaces and comments,
 * its variables but for the cursor, and the whole principal, because a subgraph may look at any of it.
 * @returns undefined for what is no change stream (docs/streams.md): its field takes no `after`
 */
export function sharedPlace(
  { operation, variables }: PreparedOperation,
  call: Call,
  schema: GraphQLSchema,
): { key: string; after: string | undefined } | undefined {
  let shape = shapes.get(operation);
  if (!shape) {
    shape = shapeOf(operation, schema) ?? 'none';
    shapes.set(operation, shape);
  }
  if (shape === 'none') return undefined;
  const { text, cursor } = shape;
  if ('value' in cursor) {
    return { key: JSON.stringify([text, variables, call.principal]), after: call.lastEventId ?? cursor.value };
  }
  const { [cursor.variable]: given, ...others } = variables;
  const after = call.lastEventId ?? (given as string | null | undefined) ?? undefined;
  return { key: JSON.stringify([text, others, call.principal]), after };
}

function shapeOf({ definition, document, name }: PlannedOperation, schema: GraphQLSchema): Shape | undefined {
  const [field, another] = definition.selectionSet.selections;
  if (field?.kind !== Kind.FIELD || another) return undefined;
  const taken = schema.getSubscriptionType()?.getFields()[field.name.value]?.args;
  const argument = taken?.find((each) => each.name === 'after');
  if (!argument || !['String', 'ID'].includes(getNamedType(argument.type).name)) return undefined;
  const text = `${name ?? ''}\n${print(document)}`;
  const value = field.arguments?.find((each) => each.name.value === 'after')?.value;
  if (!value || value.kind === Kind.NULL) return { text, cursor: { value: undefined } };
  if (value.kind === Kind.STRING) return { text, cursor: { value: value.value } };
  if (value.kind !== Kind.VARIABLE) return undefined;
  const variable = value.name.value;
  // Its declaration and this use.
  return timesIn(document, variable) === 2 ? { text, cursor: { variable } } : undefined;
}

function timesIn(document: DocumentNode, variable: string): number {
  let times = 0;
  visit(document, {
    Variable({ name }) {
      if (name.value === variable) times += 1;
    },
  });
  return times;
}
