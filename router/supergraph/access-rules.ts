import { type ConstDirectiveNode, type DocumentNode, Kind, valueFromASTUntyped } from 'graphql';
import { namesByLink } from './directive-names.ts';

/** Whoever makes it, the specification ends so: https://fleetgraph.dev/access/v1.0. */
const ACCESS_SPEC = /^https:\/\/[^?#]*\/access(\/v\d+\.\d+)?$/;

/** Scopes of which a caller needs any. */
export type Scopes = readonly string[];

/** What `@access(scopes:)` says of the supergraph's types and their fields, those of interfaces too. */
export interface AccessTables {
  readonly byType: ReadonlyMap<string, Scopes>;
  /** `Type.field` → its own. */
  readonly byField: ReadonlyMap<string, Scopes>;
  /** Object → its interfaces. */
  readonly contracts: ReadonlyMap<string, readonly string[]>;
  /** Interface → the fields it names. */
  readonly named: ReadonlyMap<string, ReadonlySet<string>>;
}

/** Reads `@access(scopes:)` of a supergraph. */
export function accessTables(supergraph: DocumentNode): AccessTables {
  const byType = new Map<string, Scopes>();
  const byField = new Map<string, Scopes>();
  const contracts = new Map<string, readonly string[]>();
  const named = new Map<string, ReadonlySet<string>>();
  const { access: name = 'access' } = namesByLink(supergraph, ACCESS_SPEC, ['access']);
  for (const definition of supergraph.definitions) {
    const isInterface = definition.kind === Kind.INTERFACE_TYPE_DEFINITION;
    if (definition.kind !== Kind.OBJECT_TYPE_DEFINITION && !isInterface) continue;
    const type = definition.name.value;
    const { fields = [], interfaces = [] } = definition;
    if (isInterface) named.set(type, new Set(fields.map((field) => field.name.value)));
    else contracts.set(type, namesOf(interfaces));
    const scopes = scopesIn(definition.directives, name);
    if (scopes) byType.set(type, scopes);
    for (const field of fields) {
      const own = scopesIn(field.directives, name);
      if (own) byField.set(`${type}.${field.name.value}`, own);
    }
  }
  return { byType, byField, contracts, named };
}

/** The scopes of which a caller needs any. */
export class AccessRules {
  readonly #tables: AccessTables;

  // No property in a parameter: threads that read supergraphs may run this with its types only stripped.
  constructor(tables: AccessTables) {
    this.#tables = tables;
  }

  /** Whether the supergraph says anything about access. */
  get isEmpty(): boolean {
    return this.#tables.byType.size === 0 && this.#tables.byField.size === 0;
  }

  /** What opens a field of an object: any scope of each of these; empty when no rule speaks of it. */
  scopesOf(type: string, field: string): readonly Scopes[] {
    const { byType, byField, contracts, named } = this.#tables;
    const owners = (contracts.get(type) ?? []).filter((name) => named.get(name)?.has(field));
    const rules = [type, ...owners].flatMap((name) => {
      const rule = byField.get(`${name}.${field}`) ?? byType.get(name);
      return rule ? [rule] : [];
    });
    const [first] = rules;
    return rules.filter((rule) => rule === first || rule.join() !== first?.join());
  }
}

function scopesIn(directives: readonly ConstDirectiveNode[] | undefined, name: string): Scopes | undefined {
  const access = directives?.find((directive) => directive.name.value === name);
  const scopes = access?.arguments?.find((argument) => argument.name.value === 'scopes');
  // One scope may stand where a list of them is asked for (GraphQL, 3.11).
  return scopes && [valueFromASTUntyped(scopes.value)].flat().map(String);
}

function namesOf(types: readonly { name: { value: string } }[]): string[] {
  return types.map(({ name }) => name.value);
}
