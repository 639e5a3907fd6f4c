import {
  type FieldNode,
  type GraphQLFormattedError,
  type GraphQLNamedType,
  type GraphQLSchema,
  getNamedType,
  isAbstractType,
  isCompositeType,
  isObjectType,
  Kind,
  type OperationDefinitionNode,
  type SelectionSetNode,
} from 'graphql';
import { hasAnyScope, type Principal } from '../../lib/call/principal.ts';
import { FleetError } from '../../lib/errors.ts';
import type { AccessRules, Scopes } from '../supergraph/access-rules.ts';
import { type Conditions, isIncluded } from './conditions.ts';
import type { Fragments } from './reduction.ts';

/** A field of one object type, with what opens it (any scope of each), or whether it is everybody's or nobody's. */
interface Rule {
  coordinate: string;
  scopes: readonly Scopes[] | 'everybody' | 'nobody';
}

/** A selected field: on one object type, or on any of several where the type is not known before the answer. */
interface Selected {
  path: readonly string[];
  rules: readonly Rule[];
}

/** What an operation needs of its caller. */
export interface AccessNeeds {
  readonly selected: readonly Selected[];
}

export interface AccessDecision {
  /** One for each selected field the caller may read on no possible type. Any of them refuses the operation. */
  errors: readonly GraphQLFormattedError[];
  /** `Type.field`s behind interfaces and unions that are null for this caller where the answer turns out to be of that type. */
  closed: ReadonlySet<string>;
}

const OPEN: AccessDecision = { errors: [], closed: new Set() };

export interface AccessOptions {
  schema: GraphQLSchema;
  fragments: Fragments;
  conditions: Conditions;
  rules: AccessRules;
  /** A field of which no rule speaks is nobody's. */
  isDenyByDefault: boolean;
}

/** Lists every field an operation selects, through aliases, fragments, interfaces and unions, with what opens it. */
export function accessNeeds(operation: OperationDefinitionNode, options: AccessOptions): AccessNeeds {
  const root = options.schema.getRootType(operation.operation);
  if (!root || (options.rules.isEmpty && !options.isDenyByDefault)) return { selected: [] };
  const walk = new AccessWalk(options);
  walk.selections(operation.selectionSet, root, [root.name], []);
  return { selected: [...walk.selected.values()] };
}

/** What this caller is refused. */
export function decideAccess(needs: AccessNeeds, principal: Principal, requestId: string): AccessDecision {
  if (needs.selected.length === 0) return OPEN;
  const errors: GraphQLFormattedError[] = [];
  const closed = new Set<string>();
  for (const { path, rules } of needs.selected) {
    const refused = rules.filter(({ scopes }) => !isOpen(scopes, principal));
    if (refused.length === 0) continue;
    if (refused.length < rules.length) {
      for (const { coordinate } of refused) closed.add(coordinate);
      continue;
    }
    const error = new FleetError(
      'FORBIDDEN',
      `your scopes do not open ${refused.map((rule) => rule.coordinate).join(', ')}`,
    );
    errors.push({ message: error.message, path, extensions: { ...error.extensions, requestId } });
  }
  return errors.length === 0 && closed.size === 0 ? OPEN : { errors, closed };
}

function isOpen(scopes: Rule['scopes'], principal: Principal): boolean {
  return typeof scopes === 'string' ? scopes === 'everybody' : scopes.every((each) => hasAnyScope(principal, each));
}

class AccessWalk {
  /** By the fields' coordinates: each is told once, where it is met first. */
  readonly selected = new Map<string, Selected>();
  readonly #seenFragments = new Set<string>();

  constructor(private readonly options: AccessOptions) {}

  /** @param possible names of the object types that may stand here */
  selections(
    set: SelectionSetNode,
    type: GraphQLNamedType,
    possible: readonly string[],
    path: readonly string[],
  ): void {
    for (const selection of set.selections) {
      if (!isIncluded(selection, this.options.conditions)) continue;
      if (selection.kind === Kind.FIELD) {
        this.#field(selection, type, possible, path);
        continue;
      }
      const { fragments, schema } = this.options;
      const inner = selection.kind === Kind.INLINE_FRAGMENT ? selection : fragments.get(selection.name.value);
      if (!inner) continue;
      const condition = inner.typeCondition ? schema.getType(inner.typeCondition.name.value) : type;
      if (!condition) continue;
      const narrowed = this.#narrow(possible, condition);
      if (narrowed.length === 0) continue;
      if (selection.kind === Kind.FRAGMENT_SPREAD) {
        const place = `${selection.name.value} ${narrowed.join()}`;
        if (this.#seenFragments.has(place)) continue;
        this.#seenFragments.add(place);
      }
      this.selections(inner.selectionSet, condition, narrowed, path);
    }
  }

  #field(field: FieldNode, type: GraphQLNamedType, possible: readonly string[], path: readonly string[]): void {
    const name = field.name.value;
    if (name.startsWith('__')) return;
    const here = [...path, field.alias?.value ?? name];
    const rules = possible.map((object) => this.#rule(object, name));
    const known = rules.map((rule) => rule.coordinate).join();
    if (rules.some(({ scopes }) => scopes !== 'everybody') && !this.selected.has(known)) {
      this.selected.set(known, { path: here, rules });
    }
    const definition = 'getFields' in type ? type.getFields()[name] : undefined;
    const below = definition && getNamedType(definition.type);
    if (below && field.selectionSet) this.selections(field.selectionSet, below, this.#possible(below), here);
  }

  #rule(object: string, field: string): Rule {
    const { rules, isDenyByDefault } = this.options;
    const scopes = rules.scopesOf(object, field);
    const byDefault = isDenyByDefault ? 'nobody' : 'everybody';
    return { coordinate: `${object}.${field}`, scopes: scopes.length > 0 ? scopes : byDefault };
  }

  #possible(type: GraphQLNamedType): string[] {
    if (isObjectType(type)) return [type.name];
    return isAbstractType(type) ? this.options.schema.getPossibleTypes(type).map((object) => object.name) : [];
  }

  #narrow(possible: readonly string[], condition: GraphQLNamedType): readonly string[] {
    if (!isCompositeType(condition)) return possible;
    const allowed = new Set(this.#possible(condition));
    return possible.filter((object) => allowed.has(object));
  }
}
