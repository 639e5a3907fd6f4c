import { type ConstDirectiveNode, type DocumentNode, Kind, valueFromASTUntyped } from 'graphql';
import { namesByLink } from './directive-names.ts';

/** Whoever makes it, the specification ends so: https://fleetgraph.dev/access/v1.0. */
const ACCESS_SPEC = /^https:\/\/[^?#]*\/access(\/v\d+\.\d+)?$/;

/** Scopes of which a caller needs any. */
export type Scopes = readonly string[];

/** `@access(scopes:)` on the supergraph's types and their fields, those of interfaces too. */
export class AccessRules {
  readonly #byType = new Map<string, Scopes>();
  readonly #byField = new Map<string, Scopes>();
  /** Object → its interfaces. */
  readonly #contracts = new Map<string, readonly string[]>();
  /** Interface → the fields it names. */
  readonly #named = new Map<string, ReadonlySet<string>>();

  constructor(supergraph: DocumentNode) {
    const { access: name = 'access' } = namesByLink(supergraph, ACCESS_SPEC, ['access']);
    for (const definition of supergraph.definitions) {
      const isInterface = definition.kind === Kind.INTERFACE_TYPE_DEFINITION;
      if (definition.kind !== Kind.OBJECT_TYPE_DEFINITION && !isInterface) continue;
      const type = definition.name.value;
      const { fields = [], interfaces = [] } = definition;
      if (isInterface) this.#named.set(type, new Set(fields.map((field) => field.name.value)));
      else
        this.#contracts.set(
          type,
          interfaces.map((contract) => contract.name.value),
        );
      const scopes = scopesIn(definition.directives, name);
      if (scopes) this.#byType.set(type, scopes);
      for (const field of fields) {
        const own = scopesIn(field.directives, name);
        if (own) this.#byField.set(`${type}.${field.name.value}`, own);
      }
    }
  }

  /** Whether the supergraph says anything about access. */
  get isEmpty(): boolean {
    return this.#byType.size === 0 && this.#byField.size === 0;
  }

  /** What opens a field of an object: any scope of each of these; empty when no rule speaks of it. */
  scopesOf(type: string, field: string): readonly Scopes[] {
    const contracts = (this.#contracts.get(type) ?? []).filter((name) => this.#named.get(name)?.has(field));
    const rules = [type, ...contracts].flatMap((name) => {
      const rule = this.#byField.get(`${name}.${field}`) ?? this.#byType.get(name);
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
