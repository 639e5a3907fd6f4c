import {
  type ConstDirectiveNode,
  type DefinitionNode,
  type FieldDefinitionNode,
  type InputValueDefinitionNode,
  Kind,
  parse,
  print,
  type TypeDefinitionNode,
  valueFromASTUntyped,
} from 'graphql';

/** An argument, or a field of an input. */
export interface ContractInput {
  name: string;
  type: string;
  standard: string;
  what: string;
  deprecated: string;
}

/** A field of an object or an interface. */
export interface ContractField {
  name: string;
  type: string;
  what: string;
  inputs: ContractInput[];
  /** Any of these opens it; none of an interface, whose objects say. */
  scopes: string[];
  /** Points of cost, where the schema says them. */
  cost: number | undefined;
  /** How many a list counts as, and the arguments that say otherwise. */
  list: { assumed: number | undefined; by: string[] } | undefined;
  deprecated: string;
  /** The subgraphs that can give it. */
  subgraphs: string[];
}

export interface ContractType {
  name: string;
  form: 'object' | 'interface' | 'input' | 'enum' | 'scalar' | 'union';
  what: string;
  subgraphs: string[];
  /** The subgraph whose page has it; `shared` when no one alone does. */
  area: string;
  /** Sets of fields that the router finds one by. */
  keys: string[];
  implements: string[];
  fields: ContractField[];
  inputs: ContractInput[];
  values: { name: string; what: string; deprecated: string }[];
  members: string[];
}

const FORMS: Partial<Record<DefinitionNode['kind'], ContractType['form']>> = {
  [Kind.OBJECT_TYPE_DEFINITION]: 'object',
  [Kind.INTERFACE_TYPE_DEFINITION]: 'interface',
  [Kind.INPUT_OBJECT_TYPE_DEFINITION]: 'input',
  [Kind.ENUM_TYPE_DEFINITION]: 'enum',
  [Kind.SCALAR_TYPE_DEFINITION]: 'scalar',
  [Kind.UNION_TYPE_DEFINITION]: 'union',
};

type Directed = { readonly directives?: readonly ConstDirectiveNode[] | undefined };

/** The arguments of each use of a directive. */
function usesOf({ directives = [] }: Directed, name: string): Record<string, unknown>[] {
  return directives
    .filter((directive) => directive.name.value === name)
    .map(({ arguments: given = [] }) =>
      Object.fromEntries(given.map((each) => [each.name.value, valueFromASTUntyped(each.value)])),
    );
}

const reasonOf = (node: Directed) => {
  const [use] = usesOf(node, 'deprecated');
  return use ? String(use['reason'] ?? 'No longer supported') : '';
};

const textOf = (node: { readonly description?: { readonly value: string } | undefined }) =>
  node.description?.value ?? '';

function inputOf(node: InputValueDefinitionNode): ContractInput {
  const standard = node.defaultValue ? print(node.defaultValue) : '';
  return { name: node.name.value, type: print(node.type), standard, what: textOf(node), deprecated: reasonOf(node) };
}

function fieldOf(node: FieldDefinitionNode, of: readonly string[]): ContractField {
  const graphs = usesOf(node, 'join__field')
    .filter((use) => use['graph'] && !use['external'])
    .map((use) => String(use['graph']).toLowerCase());
  const [list] = usesOf(node, 'listSize');
  const [cost] = usesOf(node, 'cost');
  return {
    name: node.name.value,
    type: print(node.type),
    what: textOf(node),
    inputs: (node.arguments ?? []).map(inputOf),
    scopes: usesOf(node, 'access').flatMap((use) => use['scopes'] as string[]),
    cost: cost?.['weight'] as number | undefined,
    list: list && {
      assumed: list['assumedSize'] as number | undefined,
      by: (list['slicingArguments'] as string[] | undefined) ?? [],
    },
    deprecated: reasonOf(node),
    subgraphs: graphs.length ? graphs : [...of],
  };
}

/** The subgraph that gives most of its fields alone; `shared` when none does. */
function areaOf(subgraphs: readonly string[], fields: readonly ContractField[]): string {
  if (subgraphs.length === 1) return subgraphs[0] as string;
  const counts = new Map<string, number>();
  for (const { subgraphs: of } of fields)
    if (of.length === 1) counts.set(of[0] as string, (counts.get(of[0] as string) ?? 0) + 1);
  const [most] = [...counts].sort((one, two) => two[1] - one[1]);
  return most ? most[0] : 'shared';
}

function typeOf(node: TypeDefinitionNode, form: ContractType['form']): ContractType {
  const joins = usesOf(node, 'join__type');
  const subgraphs = [...new Set(joins.map((use) => String(use['graph']).toLowerCase()))];
  const fields = 'fields' in node && form !== 'input' ? (node.fields ?? []) : [];
  const known = fields.map((field) => fieldOf(field as FieldDefinitionNode, subgraphs));
  return {
    name: node.name.value,
    form,
    what: textOf(node),
    subgraphs,
    area: areaOf(subgraphs, known),
    keys: [...new Set(joins.flatMap((use) => (use['key'] ? [String(use['key'])] : [])))],
    implements: 'interfaces' in node ? (node.interfaces ?? []).map(({ name }) => name.value) : [],
    fields: known,
    inputs: node.kind === Kind.INPUT_OBJECT_TYPE_DEFINITION ? (node.fields ?? []).map((field) => inputOf(field)) : [],
    values:
      node.kind === Kind.ENUM_TYPE_DEFINITION
        ? (node.values ?? []).map((value) => ({
            name: value.name.value,
            what: textOf(value),
            deprecated: reasonOf(value),
          }))
        : [],
    members: node.kind === Kind.UNION_TYPE_DEFINITION ? (node.types ?? []).map(({ name }) => name.value) : [],
  };
}

/** What the supergraph says of its API, in its order; without what is the composition's own. */
export function readContract(supergraph: string): ContractType[] {
  return parse(supergraph).definitions.flatMap((node) => {
    const form = FORMS[node.kind];
    if (!form || /^(join|link)__/.test((node as TypeDefinitionNode).name.value)) return [];
    return [typeOf(node as TypeDefinitionNode, form)];
  });
}
