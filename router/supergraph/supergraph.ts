import {
  buildASTSchema,
  type ConstDirectiveNode,
  type DocumentNode,
  type GraphQLError,
  type GraphQLSchema,
  Kind,
  parse,
  print,
  type SelectionSetNode,
  valueFromASTUntyped,
} from 'graphql';
import { CostRules } from '../limits/cost-rules.ts';
import { AccessRules } from './access-rules.ts';
import { consumerDocument, featuresOf, refuseUnenforced, requireJoin } from './consumer.ts';
import { OverrideShares } from './override-shares.ts';
import { PlainNames } from './plain-names.ts';

/** The fields that identify an entity: name → undefined for a leaf, or the fields below. */
export interface KeyFields {
  readonly [field: string]: KeyFields | undefined;
}

/** A composed schema, read: what clients see, where its parts live, what opens them. */
export interface Supergraph {
  readonly sdl: string;
  /** What clients may ask. */
  readonly schema: GraphQLSchema;
  readonly schemaSdl: string;
  /** Subgraph name → address. */
  readonly subgraphs: ReadonlyMap<string, string>;
  readonly access: AccessRules;
  readonly costs: CostRules;
  readonly plainNames: PlainNames;
  readonly overrideShares: OverrideShares;
  /** Whether objects of the type are `condition`, or implement it, or belong to it; inaccessible types included. */
  satisfies(type: string, condition: string): boolean;
  /** Whether this names an object type, inaccessible ones included. */
  isObject(type: string): boolean;
  /** The resolvable keys of a type in a subgraph; empty when it has none there. */
  keysOf(subgraph: string, type: string): readonly KeyFields[];
}

/** @throws Error when it is no Federation 2 supergraph, or asks for protection this router does not give */
export function readSupergraph(sdl: string): Supergraph {
  const reading = readInSteps(sdl);
  for (;;) {
    const step = reading.next();
    if (step.done) return step.value;
  }
}

/** As `readSupergraph`, with a turn of the event loop between its steps, for a router that serves meanwhile. */
export async function readSupergraphInTurns(sdl: string): Promise<Supergraph> {
  const reading = readInSteps(sdl);
  for (;;) {
    const step = reading.next();
    if (step.done) return step.value;
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** Each step takes some 5–20 ms for 2,000 lines. */
function* readInSteps(sdl: string): Generator<undefined, Supergraph, undefined> {
  const document = parsed(sdl);
  yield;
  const features = featuresOf(document);
  requireJoin(features);
  refuseUnenforced(features);
  const graphs = graphsOf(document);
  if (graphs.size === 0) throw new Error('the supergraph names no subgraph: its enum join__Graph is empty or missing');
  const consumer = consumerDocument(document, features);
  yield;
  const schema = buildASTSchema(consumer, { assumeValidSDL: true });
  yield;
  const schemaSdl = print(consumer);
  yield;
  const { members, objects } = typesOf(document);
  const keys = keysIn(document, graphs);
  const access = new AccessRules(document);
  const costs = new CostRules(document);
  const plainNames = new PlainNames(document);
  const overrideShares = new OverrideShares(document);
  // The planner is built next, which is a step of its own.
  yield;
  return {
    sdl,
    schema,
    schemaSdl,
    subgraphs: new Map([...graphs.values()].map(({ name, url }) => [name, url])),
    access,
    costs,
    plainNames,
    overrideShares,
    satisfies: (type, condition) => type === condition || (members.get(condition)?.has(type) ?? false),
    isObject: (type) => objects.has(type),
    keysOf: (subgraph, type) => keys.get(`${subgraph} ${type}`) ?? [],
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
