import { conditionOf, type StoredCriteria } from './criteria.ts';
import { Parameters } from './parameters.ts';

/** One policy of a sweep; of a list the first whose criteria an entry meets governs it. */
export interface SweptPolicy {
  criteria: StoredCriteria;
  hold: boolean;
  /** Up to where its entries go, nanoseconds since 1970, decimal: those that were observed before. */
  before: SweptBefore;
}

/** By each reason; '0' for none of them. */
export interface SweptBefore {
  age: string;
  size: string;
  total: string;
}

/** What an entry weighs before compression, bytes. */
export const ROW_BYTES = 'byteSize(body, attributes, service, trace, span) + 32';

/** Which policy governs an entry, and what of it is due, as SQL with what it binds. */
export class Governed {
  readonly parameters = new Parameters();
  /** The policy's place in the list, from 1. */
  readonly place: string;

  constructor(private readonly policies: readonly SweptPolicy[]) {
    const conditions = policies.slice(0, -1).map(({ criteria }) => conditionOf(criteria, this.parameters).where);
    // The last governs what no other does.
    const choices = conditions.map((where, at) => `${where}, ${at + 1}, `).join('');
    this.place = conditions.length ? `multiIf(${choices}${policies.length})` : '1';
  }

  /** One number of each policy, chosen by the entry's: UInt64. */
  each(of: (policy: SweptPolicy) => string | number): string {
    // In a list the client writes texts with quotes, which no number has.
    const numbers = this.policies.map((policy) => BigInt(of(policy)));
    const [first] = numbers;
    // A constant keeps the index on the time of observation.
    if (numbers.every((number) => number === first)) return this.parameters.bind('UInt64', String(first));
    return `arrayElement(${this.parameters.bind('Array(UInt64)', numbers)}, ${this.place})`;
  }

  /** Entries that go, of those that were durable at the mark. */
  due(mark: number): string {
    const last = latest(this.policies.map(lastOf));
    return [
      // Says nothing new, but the index on the time of observation understands it.
      `observed < ${this.parameters.bind('UInt64', String(last))}`,
      `stamp <= ${this.parameters.bind('UInt64', mark)}`,
      `observed < ${this.each((policy) => String(lastOf(policy)))}`,
    ].join(' and ');
  }
}

function lastOf({ before: { age, size, total } }: SweptPolicy): bigint {
  return latest([age, size, total].map(BigInt));
}

function latest(times: readonly bigint[]): bigint {
  let last = 0n;
  for (const time of times) if (time > last) last = time;
  return last;
}
