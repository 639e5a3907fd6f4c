/** The coerced variables of one request. */
export type Variables = Readonly<Record<string, unknown>>;

/** A number that is known when an operation is planned, or one that its variables decide. */
export type Amount = number | ((variables: Variables) => number);

export function amountOf(amount: Amount, variables: Variables): number {
  return typeof amount === 'number' ? amount : amount(variables);
}

/** The sum, with what is known already added up. */
export function sum(amounts: readonly Amount[]): Amount {
  let known = 0;
  const open: ((variables: Variables) => number)[] = [];
  for (const amount of amounts) {
    if (typeof amount === 'number') known += amount;
    else open.push(amount);
  }
  if (open.length === 0) return known;
  const [only] = open;
  if (open.length === 1 && only && known === 0) return only;
  return (variables) => {
    let total = known;
    for (const amount of open) total += amount(variables);
    return total;
  };
}

export function product(one: Amount, other: Amount): Amount {
  if (typeof one === 'number' && typeof other === 'number') return one * other;
  if (one === 0 || other === 0) return 0;
  return (variables) => amountOf(one, variables) * amountOf(other, variables);
}

/** The largest; 0 of none. */
export function largest(amounts: readonly Amount[]): Amount {
  if (amounts.every((amount) => typeof amount === 'number')) return Math.max(0, ...amounts);
  return (variables) => {
    let most = 0;
    for (const amount of amounts) most = Math.max(most, amountOf(amount, variables));
    return most;
  };
}
