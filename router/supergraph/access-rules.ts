import { type ConstDirectiveNode, type DocumentNode, Kind, valueFromASTUntyped } from 'graphql';
import { namesByLink } from './directive-names.ts';

/** Whoever makes it, the specification ends so: https://fleetgraph.dev/access/v1.0. */
const ACCESS_SPEC = /^https:\/\/[^?#]*\/access(\/v\d+\.\d+)?$/;

/** The scopes of which a caller needs any, read from `@access(scopes:)` on fields and objects of the supergraph. */
export class AccessRules {
  readonly #byType = new Map<string, readonly string[]>();
  readonly #byField = new Map<string, readonly string[]>();

  constructor(supergraph: DocumentNode) {
    const { access: name = 'access' } = namesByLink(supergraph, ACCESS_SPEC, ['access']);
    for (const definition of supergraph.definitions) {
      if (definition.kind !== Kind.OBJECT_TYPE_DEFINITION) continue;
      const type = definition.name.value;
      const scopes = scopesIn(definition.directives, name);
      if (scopes) this.#byType.set(type, scopes);
      for (const field of definition.fields ?? []) {
        const own = scopesIn(field.directives, name);
        if (own) this.#byField.set(`${type}.${field.name.value}`, own);
      }
    }
  }

  /** Whether the supergraph says anything about access. */
  get isEmpty(): boolean {
    return this.#byType.size === 0 && this.#byField.size === 0;
  }

  /** The scopes that open a field of an object; undefined when no rule speaks of it. */
  scopesOf(type: string, field: string): readonly string[] | undefined {
    return this.#byField.get(`${type}.${field}`) ?? this.#byType.get(type);
  }
}

function scopesIn(directives: readonly ConstDirectiveNode[] | undefined, name: string): readonly string[] | undefined {
  const access = directives?.find((directive) => directive.name.value === name);
  const scopes = access?.arguments?.find((argument) => argument.name.value === 'scopes');
  return scopes && (valueFromASTUntyped(scopes.value) as string[]);
}
