import {
  type DocumentNode,
  type FieldNode,
  type GraphQLSchema,
  Kind,
  parse,
  type SelectionSetNode,
  validate,
} from 'graphql';

/** A field of what a beat is answered, as the caller asked for it. */
export interface AskedField {
  /** What it is called in the answer. */
  key: string;
  name: string;
}

/** A document that does nothing but take beats. */
export interface BeatOperation {
  name: string | undefined;
  /** What the mutation is called in the answer, and which it is. */
  key: string;
  isMany: boolean;
  /** What `beats` is called in the answer to many. */
  listKey: string;
  /** The variable that holds the input. */
  variable: string;
  fields: readonly AskedField[];
}

/** Longer than that is no document of an SDK or of the router. */
const MOST_CHARACTERS = 4_096;

/**
 * The operation of a document that takes beats and does nothing else: `agentBeat` or `agentBeats` alone, its input in a variable,
 * without fragments and directives. Undefined for any other, and for one that the schema refuses.
 */
export function beatOperationOf(query: string, schema: GraphQLSchema): BeatOperation | undefined {
  if (query.length > MOST_CHARACTERS) return undefined;
  const document = parsed(query);
  const operation = document?.definitions.length === 1 ? document.definitions[0] : undefined;
  if (operation?.kind !== Kind.OPERATION_DEFINITION || operation.directives?.length) return undefined;
  const [mutation, ...others] = fieldsOf(operation.selectionSet) ?? [];
  const name = mutation?.name.value;
  if (!mutation || others.length || (name !== 'agentBeat' && name !== 'agentBeats')) return undefined;
  if (validate(schema, document as DocumentNode).length) return undefined;
  const value = mutation.arguments?.[0]?.value;
  if (value?.kind !== Kind.VARIABLE) return undefined;
  const isMany = name === 'agentBeats';
  const [list, ...rest] = isMany ? (fieldsOf(mutation.selectionSet) ?? []) : [mutation];
  const fields = list && !rest.length ? fieldsOf(list.selectionSet) : undefined;
  if (!fields || list?.name.value === '__typename') return undefined;
  return {
    ...{ name: operation.name?.value, key: keyOf(mutation), isMany, listKey: keyOf(list as FieldNode) },
    variable: value.name.value,
    fields: fields.map((field) => ({ key: keyOf(field), name: field.name.value })),
  };
}

function parsed(query: string): DocumentNode | undefined {
  try {
    return parse(query);
  } catch {
    return undefined;
  }
}

/** The fields of a selection; undefined when it has anything but plain fields, or one of a name twice, which would be merged. */
function fieldsOf(set: SelectionSetNode | undefined): FieldNode[] | undefined {
  const fields: FieldNode[] = [];
  for (const selection of set?.selections ?? []) {
    if (selection.kind !== Kind.FIELD || selection.directives?.length) return undefined;
    if (fields.some((other) => keyOf(other) === keyOf(selection))) return undefined;
    fields.push(selection);
  }
  return fields;
}

const keyOf = ({ alias, name }: FieldNode): string => (alias ?? name).value;
