import {
  type FieldNode,
  type GraphQLField,
  type GraphQLInputType,
  getNamedType,
  isInputObjectType,
  valueFromASTUntyped,
} from 'graphql';
import { type Amount, sum } from './amount.ts';
import type { CostRules } from './cost-rules.ts';
import { isConstant } from './list-size.ts';

/** What arguments add to a field: nothing, unless a `@cost` weighs them, their types or fields within. */
export class InputCost {
  readonly #weighed = new Map<string, boolean>();

  constructor(private readonly rules: CostRules) {}

  /** @param place `Type.field` */
  of(place: string, field: GraphQLField<unknown, unknown>, node: FieldNode): Amount {
    const amounts = (node.arguments ?? []).flatMap(({ name, value }): Amount[] => {
      const type = field.args.find((argument) => argument.name === name.value)?.type;
      const own = this.rules.weightOf(`${place}.${name.value}`);
      if (!type || (own === undefined && !this.#isWeighed(type))) return [];
      const read = (variables: Readonly<Record<string, unknown>>) =>
        this.#valueCost(valueFromASTUntyped(value, { ...variables }), type, own);
      return [isConstant(value) ? read({}) : read];
    });
    return sum(amounts);
  }

  #valueCost(value: unknown, type: GraphQLInputType, own: number | undefined): number {
    if (value === undefined || value === null) return 0;
    if (Array.isArray(value)) return value.reduce((total: number, item) => total + this.#valueCost(item, type, own), 0);
    const named = getNamedType(type);
    let total = own ?? this.rules.weightOf(named.name) ?? 0;
    if (!isInputObjectType(named)) return total;
    const fields = named.getFields();
    for (const [name, inner] of Object.entries(value)) {
      const field = fields[name];
      if (field) total += this.#valueCost(inner, field.type, this.rules.weightOf(`${named.name}.${name}`));
    }
    return total;
  }

  /** Whether a weight can be met anywhere within a type. */
  #isWeighed(type: GraphQLInputType): boolean {
    const named = getNamedType(type);
    const known = this.#weighed.get(named.name);
    if (known !== undefined) return known;
    // An input type may hold itself: while it is looked at it adds nothing of its own.
    this.#weighed.set(named.name, false);
    const within = isInputObjectType(named) ? Object.values(named.getFields()) : [];
    const isWeighed =
      this.rules.weightOf(named.name) !== undefined ||
      within.some(
        (field) => this.rules.weightOf(`${named.name}.${field.name}`) !== undefined || this.#isWeighed(field.type),
      );
    this.#weighed.set(named.name, isWeighed);
    return isWeighed;
  }
}
