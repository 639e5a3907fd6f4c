import {
  type FieldNode,
  type GraphQLInterfaceType,
  type GraphQLNamedType,
  type GraphQLObjectType,
  type GraphQLSchema,
  getNamedType,
  isAbstractType,
  isCompositeType,
  isInterfaceType,
  isObjectType,
  Kind,
  type OperationDefinitionNode,
  type SelectionSetNode,
} from 'graphql';
import { FleetError } from '../../lib/errors.ts';
import { type Conditions, isIncluded } from '../plan/conditions.ts';
import type { Fragments } from '../plan/reduction.ts';
import { type Amount, amountOf, largest, product, sum, type Variables } from './amount.ts';
import type { CostRules } from './cost-rules.ts';
import { InputCost } from './input-cost.ts';
import { conventionalSize, isList, sizeOf } from './list-size.ts';

/** Costs where no directive gives others; leaves cost nothing. */
export const COST_DEFAULTS = {
  /** An object, an interface's or a union's. */
  object: 1,
  /** Each root field of a mutation, beside what it returns. */
  mutation: 10,
  /** Items of a list whose length nothing tells. */
  listSize: 10,
} as const;

/** What fits GraphQL's Int. */
const MOST = 2 ** 31 - 1;
/** Selections looked at for one operation, fragments laid out. */
const MAX_SELECTIONS = 50_000;

export interface CostOptions {
  schema: GraphQLSchema;
  fragments: Fragments;
  conditions: Conditions;
  rules: CostRules;
}

/**
 * What an operation costs, as a function of its variables, after the GraphQL cost specification of IBM (`@cost`,
 * `@listSize`): each object an answer may hold counts its weight; a fragment counts once, and of fragments on different
 * types the dearest that can be together.
 * @returns whole points, at least 1; throws BAD_QUERY where exactly one slicing argument is asked for and not given
 * @throws BAD_QUERY likewise, QUERY_TOO_LARGE over 50,000 selections
 */
export function operationCost(
  operation: OperationDefinitionNode,
  options: CostOptions,
): (variables: Variables) => number {
  const root = options.schema.getRootType(operation.operation);
  if (!root) return () => 1;
  const amount = new Measurement(options, operation.operation === 'mutation').root(root, operation.selectionSet);
  if (typeof amount !== 'number') return (variables) => whole(amountOf(amount, variables));
  const known = whole(amount);
  return () => known;
}

function whole(cost: number): number {
  return Math.min(MOST, Math.max(1, Math.ceil(cost)));
}

/** Lengths that a field's `@listSize` gives to fields below it. */
type Sized = ReadonlyMap<string, Amount>;
const NONE: Sized = new Map();

/** What is selected at one position, apart from objects of some types only. */
interface Layer {
  fields: Map<string, FieldNode[]>;
  /** By type condition. */
  narrower: Map<string, SelectionSetNode[]>;
  spreads: Set<string>;
}

class Measurement {
  readonly #inputs: InputCost;
  #selections = 0;

  constructor(
    private readonly options: CostOptions,
    private readonly isMutation: boolean,
  ) {
    this.#inputs = new InputCost(options.rules);
  }

  root(type: GraphQLObjectType, selectionSet: SelectionSetNode): Amount {
    return this.#position(type, [selectionSet], NONE, this.isMutation ? COST_DEFAULTS.mutation : 0);
  }

  #position(type: GraphQLNamedType, sets: readonly SelectionSetNode[], sized: Sized, perField = 0): Amount {
    const layer: Layer = { fields: new Map(), narrower: new Map(), spreads: new Set() };
    for (const set of sets) this.#layOut(type, set, layer);
    const own = [...layer.fields.values()].map((nodes) => {
      const cost = this.#field(type, nodes, sized);
      return perField ? sum([perField, cost]) : cost;
    });
    return layer.narrower.size === 0 ? sum(own) : sum([...own, this.#dearest(type, layer.narrower, sized)]);
  }

  #layOut(type: GraphQLNamedType, set: SelectionSetNode, layer: Layer): void {
    const { fragments, conditions } = this.options;
    for (const selection of set.selections) {
      if (++this.#selections > MAX_SELECTIONS) {
        throw new FleetError('QUERY_TOO_LARGE', `over ${MAX_SELECTIONS} selections, fragments laid out`);
      }
      if (!isIncluded(selection, conditions)) continue;
      if (selection.kind === Kind.FIELD) {
        const key = selection.alias?.value ?? selection.name.value;
        const known = layer.fields.get(key);
        if (known) known.push(selection);
        else layer.fields.set(key, [selection]);
        continue;
      }
      if (selection.kind === Kind.FRAGMENT_SPREAD) {
        if (layer.spreads.has(selection.name.value)) continue;
        layer.spreads.add(selection.name.value);
      }
      const inner = selection.kind === Kind.INLINE_FRAGMENT ? selection : fragments.get(selection.name.value);
      const condition = inner?.typeCondition?.name.value ?? type.name;
      if (!inner) continue;
      if (this.#covers(condition, type)) this.#layOut(type, inner.selectionSet, layer);
      else layer.narrower.set(condition, [...(layer.narrower.get(condition) ?? []), inner.selectionSet]);
    }
  }

  /** Whether every object of a type meets the condition. */
  #covers(condition: string, type: GraphQLNamedType): boolean {
    const { schema } = this.options;
    const wider = schema.getType(condition);
    if (condition === type.name) return true;
    return isAbstractType(wider) && (isObjectType(type) || isInterfaceType(type)) && schema.isSubType(wider, type);
  }

  /** Of the fragments on some types only: the most that one object can meet. */
  #dearest(type: GraphQLNamedType, narrower: Layer['narrower'], sized: Sized): Amount {
    const { schema } = this.options;
    const parts = [...narrower].flatMap(([name, sets]) => {
      const condition = schema.getType(name);
      return condition ? [{ condition, cost: this.#position(condition, sets, sized) }] : [];
    });
    const objects = isAbstractType(type) ? schema.getPossibleTypes(type) : [type];
    const meetings = new Map<string, Amount>();
    for (const object of objects) {
      const met = parts.filter(({ condition }) => this.#covers(condition.name, object));
      const key = met.map(({ condition }) => condition.name).join(' ');
      if (!meetings.has(key)) meetings.set(key, sum(met.map(({ cost }) => cost)));
    }
    return largest([...meetings.values()]);
  }

  #field(parent: GraphQLNamedType, nodes: readonly FieldNode[], sized: Sized): Amount {
    const [node] = nodes as [FieldNode];
    const field = isObjectType(parent) || isInterfaceType(parent) ? parent.getFields()[node.name.value] : undefined;
    if (!field) return 0;
    const { rules } = this.options;
    const place = `${parent.name}.${field.name}`;
    const named = getNamedType(field.type);
    const rule = this.#rule(parent, field.name, (at) => rules.sizeOf(at)) ?? conventionalSize(field);
    const size = rule && sizeOf(rule, field, node, COST_DEFAULTS.listSize);
    const isSizedBelow = rule !== undefined && rule.sizedFields.length > 0;
    const below: Sized = isSizedBelow ? new Map(rule.sizedFields.map((name) => [name, size ?? 0])) : NONE;
    const standard = isCompositeType(named) ? COST_DEFAULTS.object : 0;
    const weight = this.#rule(parent, field.name, (at) => rules.weightOf(at)) ?? rules.weightOf(named.name) ?? standard;
    const sets = nodes.flatMap(({ selectionSet }) => (selectionSet ? [selectionSet] : []));
    const each = sum([weight, sets.length > 0 ? this.#position(named, sets, below) : 0]);
    const given = sized.get(field.name) ?? (isSizedBelow ? undefined : size) ?? COST_DEFAULTS.listSize;
    return sum([this.#inputs.of(place, field, node), isList(field) ? product(given, each) : each]);
  }

  /** A rule of a field; of an interface's without one, the first that one of its objects has. */
  #rule<T>(parent: GraphQLNamedType, field: string, read: (place: string) => T | undefined): T | undefined {
    const own = read(`${parent.name}.${field}`);
    if (own !== undefined || !isInterfaceType(parent)) return own;
    for (const object of this.options.schema.getPossibleTypes(parent as GraphQLInterfaceType)) {
      const found = read(`${object.name}.${field}`);
      if (found !== undefined) return found;
    }
    return undefined;
  }
}
