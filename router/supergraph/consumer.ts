import {
  type ASTNode,
  type ConstDirectiveNode,
  type DefinitionNode,
  type DocumentNode,
  Kind,
  type NameNode,
  visit,
} from 'graphql';

/** One `@link` of the supergraph. */
export interface Feature {
  name: string;
  url: string;
  purpose: string | undefined;
}

const APOLLO_SPECS = 'https://specs.apollo.dev/';
const JOIN = /\/join\/v0\.[2-5]$/;
/** Directives of Apollo's specifications that tell clients something; all others are machinery. */
const TOLD: ReadonlySet<string> = new Set(['cost', 'listSize']);
/** Features marked `for: SECURITY` that this router enforces. A supergraph with another one is refused: it would be open. */
const ENFORCED: ReadonlySet<string> = new Set(['inaccessible']);

/** The features a supergraph is written with. */
export function featuresOf(supergraph: DocumentNode): Feature[] {
  return supergraph.definitions.flatMap((definition) => {
    if (definition.kind !== Kind.SCHEMA_DEFINITION && definition.kind !== Kind.SCHEMA_EXTENSION) return [];
    return (definition.directives ?? []).filter((directive) => directive.name.value === 'link').map(featureOf);
  });
}

function featureOf(link: ConstDirectiveNode): Feature {
  const text = (name: string): string | undefined => {
    const value = link.arguments?.find((argument) => argument.name.value === name)?.value;
    return value?.kind === Kind.STRING || value?.kind === Kind.ENUM ? value.value : undefined;
  };
  const url = text('url') ?? '';
  const parts = url.replace(/\/+$/, '').split('/');
  const last = parts.at(-1) ?? '';
  const name = /^v\d+(\.\d+)?$/.test(last) ? (parts.at(-2) ?? last) : last;
  return { name: text('as') ?? name, url, purpose: text('for') };
}

/** @throws Error unless it is written with a join specification this router knows */
export function requireJoin(features: readonly Feature[]): void {
  const join = features.find(({ name }) => name === 'join');
  if (!join) throw new Error('this is no Federation 2 supergraph: its schema has no @link to the join specification');
  if (!JOIN.test(join.url))
    throw new Error(`the supergraph is written with ${join.url}; this router reads v0.2 to v0.5`);
}

/** @throws Error naming a security feature this router does not enforce */
export function refuseUnenforced(features: readonly Feature[]): void {
  for (const { name, url, purpose } of features) {
    // Whatever it is called here: what is enforced goes by its own name.
    if (purpose === 'SECURITY' && !(ENFORCED.has(name) && url.includes(`/${name}/`))) {
      throw new Error(`the supergraph asks for ${url}, which this router does not enforce: it would be open`);
    }
  }
}

type Named = ASTNode & { readonly name?: NameNode; readonly directives?: readonly ConstDirectiveNode[] };

function isHidden(node: Named): boolean {
  return node.directives?.some((directive) => directive.name.value === 'inaccessible') ?? false;
}

/** What clients may see of a supergraph: without federation's machinery and without what is `@inaccessible`. */
export function consumerDocument(supergraph: DocumentNode, features: readonly Feature[]): DocumentNode {
  const hidden = new Set(
    supergraph.definitions
      .filter((definition) => isHidden(definition as Named))
      .map((definition) => nameOf(definition)),
  );
  const withoutHidden = (node: Named) => (isHidden(node) ? null : undefined);
  const seen = visit(supergraph, {
    FieldDefinition: withoutHidden,
    InputValueDefinition: withoutHidden,
    EnumValueDefinition: withoutHidden,
    // Union members and implemented interfaces are in lists; a field's type is not.
    NamedType: (node, key) => (typeof key === 'number' && hidden.has(node.name.value) ? null : undefined),
  });
  const definitions = seen.definitions.filter((definition) => !hidden.has(nameOf(definition)));
  return withoutMachinery({ kind: Kind.DOCUMENT, definitions }, features);
}

/** A supergraph without what federation itself has written into it. */
function withoutMachinery(supergraph: DocumentNode, features: readonly Feature[]): DocumentNode {
  const machinery = features.filter(({ url }) => url.startsWith(APOLLO_SPECS)).map(({ name }) => name);
  const isMachinery = (name: string) =>
    !TOLD.has(name) && machinery.some((feature) => name === feature || name.startsWith(`${feature}__`));
  const isDropped = (definition: DefinitionNode): boolean => {
    const name = nameOf(definition);
    return isMachinery(name) && (definition.kind === Kind.DIRECTIVE_DEFINITION || name.includes('__'));
  };
  return visit(
    { kind: Kind.DOCUMENT, definitions: supergraph.definitions.filter((definition) => !isDropped(definition)) },
    { Directive: (node) => (isMachinery(node.name.value) ? null : undefined) },
  );
}

function nameOf(definition: DefinitionNode): string {
  return 'name' in definition ? (definition.name?.value ?? '') : '';
}
