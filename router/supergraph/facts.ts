import {
  type ConstDirectiveNode,
  type DocumentNode,
  type GraphQLError,
  Kind,
  parse,
  print,
  type SelectionSetNode,
  valueFromASTUntyped,
} from 'graphql';
import { type CostTables, costTables } from '../limits/cost-rules.ts';
import { type AccessTables, accessTables } from './access-rules.ts';
import { consumerDocument, featuresOf, refuseUnenforced, requireJoin } from './consumer.ts';
import { overrideLabelsIn } from './override-shares.ts';
import { type NameTables, nameTables } from './plain-names.ts';

/** The fields that identify an entity: name → undefined for a leaf, or the fields below. */
export interface KeyFields {
  readonly [field: string]: KeyFields | undefined;
}

/** What a supergraph says, as plain tables: it can be read in one thread and used in another. */
export interface SupergraphFacts {
  /** The consumer schema's text, cut between definitions: with an empty line between them they are the whole. */
  readonly pieces: readonly string[];
  /** Subgraph name → address. */
  readonly subgraphs: ReadonlyMap<string, string>;
  /** Abstract type → the objects that may stand there. */
  readonly members: ReadonlyMap<string, ReadonlySet<string>>;
  readonly objects: ReadonlySet<string>;
  /** `subgraph Type` → its resolvable keys there. */
  readonly keys: ReadonlyMap<string, readonly KeyFields[]>;
  readonly access: AccessTables;
  readonly costs: CostTables;
  readonly names: NameTables;
  /** Labels of progressive overrides, each once. */
  readonly overrideLabels: readonly string[];
}

/** How much of the consumer schema is read at once, characters: 1–2 ms. */
const PIECE = 8_000;

/** @throws Error when it is no Federation 2 supergraph, or asks for protection this router does not give */
export function factsOf(sdl: string): SupergraphFacts {
  const document = parsed(sdl);
  const features = featuresOf(document);
  requireJoin(features);
  refuseUnenforced(features);
  const graphs = graphsOf(document);
  if (graphs.size === 0) throw new Error('the supergraph names no subgraph: its enum join__Graph is empty or missing');
  return {
    pieces: piecesOf(consumerDocument(document, features)),
    subgraphs: new Map([...graphs.values()].map(({ name, url }) => [name, url])),
    ...typesOf(document),
    keys: keysIn(document, graphs),
    access: accessTables(document),
    costs: costTables(document),
    names: nameTables(document),
    overrideLabels: overrideLabelsIn(document),
  };
}

function parsed(sdl: string): DocumentNode {
  try {
    return parse(sdl, { noLocation: true });
  } catch (error) {
    const { message, locations } = error as GraphQLError;
    const [at] = locations ?? [];
    throw new Error(`the supergraph is no GraphQL: ${message}${at ? ` (line ${at.line}, column ${at.column})` : ''}`);
  }
}

function piecesOf({ definitions }: DocumentNode): string[] {
  const pieces: string[] = [];
  let piece = '';
  for (const definition of definitions) {
    piece += `${piece && '\n\n'}${print(definition)}`;
    if (piece.length < PIECE) continue;
    pieces.push(piece);
    piece = '';
  }
  return piece ? [...pieces, piece] : pieces;
}

/** join__Graph's value → name and address. */
function graphsOf(document: DocumentNode): Map<string, { name: string; url: string }> {
  const graphs = new Map<string, { name: string; url: string }>();
  for (const definition of document.definitions) {
    if (definition.kind !== Kind.ENUM_TYPE_DEFINITION || definition.name.value !== 'join__Graph') continue;
    for (const value of definition.values ?? []) {
      const graph = value.directives?.find((directive) => directive.name.value === 'join__graph');
      if (!graph) continue;
      const { name, url } = argumentsOf(graph);
      graphs.set(value.name.value, { name: String(name), url: String(url ?? '') });
    }
  }
  return graphs;
}

/** Abstract type → the objects that may stand there; and all objects. */
function typesOf(document: DocumentNode): { members: Map<string, Set<string>>; objects: Set<string> } {
  const members = new Map<string, Set<string>>();
  const objects = new Set<string>();
  const join = (abstract: string, object: string) => {
    const known = members.get(abstract) ?? new Set();
    members.set(abstract, known.add(object));
  };
  for (const definition of document.definitions) {
    if (definition.kind === Kind.OBJECT_TYPE_DEFINITION) {
      objects.add(definition.name.value);
      for (const contract of definition.interfaces ?? []) join(contract.name.value, definition.name.value);
    } else if (definition.kind === Kind.UNION_TYPE_DEFINITION) {
      for (const member of definition.types ?? []) join(definition.name.value, member.name.value);
    } else if (definition.kind === Kind.INTERFACE_TYPE_DEFINITION) {
      // An interface may stand for another, where a subgraph knows it as an interface object.
      for (const contract of definition.interfaces ?? []) join(contract.name.value, definition.name.value);
    }
  }
  return { members, objects };
}

function keysIn(document: DocumentNode, graphs: Map<string, { name: string }>): Map<string, KeyFields[]> {
  const keys = new Map<string, KeyFields[]>();
  for (const definition of document.definitions) {
    if (definition.kind !== Kind.OBJECT_TYPE_DEFINITION && definition.kind !== Kind.INTERFACE_TYPE_DEFINITION) continue;
    for (const directive of definition.directives ?? []) {
      if (directive.name.value !== 'join__type') continue;
      const { graph, key, resolvable } = argumentsOf(directive);
      if (typeof key !== 'string' || resolvable === false) continue;
      const place = `${graphs.get(String(graph))?.name} ${definition.name.value}`;
      keys.set(place, [...(keys.get(place) ?? []), keyFieldsOf(key)]);
    }
  }
  return keys;
}

function keyFieldsOf(fieldSet: string): KeyFields {
  const [operation] = parse(`{ ${fieldSet} }`, { noLocation: true }).definitions;
  return operation && 'selectionSet' in operation ? fieldsBelow(operation.selectionSet) : {};
}

function fieldsBelow(selections: SelectionSetNode): KeyFields {
  const fields: Record<string, KeyFields | undefined> = {};
  for (const selection of selections.selections) {
    if (selection.kind === Kind.FIELD) {
      fields[selection.name.value] = selection.selectionSet && fieldsBelow(selection.selectionSet);
    }
  }
  return fields;
}

function argumentsOf(directive: ConstDirectiveNode): Record<string, unknown> {
  return Object.fromEntries(
    (directive.arguments ?? []).map((argument) => [argument.name.value, valueFromASTUntyped(argument.value)]),
  );
}
