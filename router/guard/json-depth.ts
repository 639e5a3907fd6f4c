/** How much of a value of JSON there may be. */
export interface JsonLimits {
  depth: number;
  /** Numbers, texts, lists, …, each by itself. */
  values: number;
}

/**
 * What of a value of JSON passes its limit, if anything, or what of it would come to a subgraph as something else: half of a pair
 * of surrogates as another character, a number beyond all as null. Looks without recursion, so that no value can overflow the
 * stack.
 */
export function excessIn(value: unknown, limits: JsonLimits): keyof JsonLimits | 'unicode' | 'numbers' | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  let level: unknown[] = [value];
  let values = 0;
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > limits.depth) return 'depth';
    const next: unknown[] = [];
    for (const item of level) {
      const members = Array.isArray(item) ? item : Object.values(item as object);
      values += members.length;
      if (values > limits.values) return 'values';
      if (members !== item && !Object.keys(item as object).every((name) => name.isWellFormed())) return 'unicode';
      for (const inner of members) {
        if (typeof inner === 'object' && inner !== null) next.push(inner);
        else if (typeof inner === 'string' && !inner.isWellFormed()) return 'unicode';
        else if (typeof inner === 'number' && !Number.isFinite(inner)) return 'numbers';
      }
    }
    level = next;
  }
  return undefined;
}
