import { FleetError } from '../errors.ts';
import type { Plain } from './protobuf.ts';
import { attributesOf, checkText, listOf, objectOf, RecordFault } from './values.ts';

/** What every record inherits from whom it came from. */
export interface Origin {
  /** Resource attributes as plain JSON. */
  resource: Record<string, unknown>;
  /** `service.name`, or `unknown_service`. */
  service: string;
  /** `fleet.agent.id` as it was given, if it was. */
  agentId: string | null;
  /** Name of the instrumentation scope, or empty. */
  scope: string;
}

/** A record that cannot be stored; `index` counts records (data points of metrics) over the whole request. */
export interface Rejection {
  index: number;
  reason: string;
}

/** What a request holds. */
export interface Decoded<R> {
  records: R[];
  /** Each record's place in the request, which those rejected have too. */
  indexes: number[];
  rejected: Rejection[];
}

const MAX_REASONS = 1_000;

/** Collects records and faults, counting through the request. */
export class Collector<R> {
  readonly records: R[] = [];
  readonly indexes: number[] = [];
  readonly rejected: Rejection[] = [];
  #index = 0;

  /** Takes one record, or notes why not. */
  take(read: () => R): void {
    const index = this.#index;
    this.#index += 1;
    try {
      this.records.push(read());
      this.indexes.push(index);
    } catch (error) {
      if (!(error instanceof RecordFault)) throw error;
      this.rejected.push({ index, reason: error.message });
    }
  }

  done(): Decoded<R> {
    return { records: this.records, indexes: this.indexes, rejected: this.rejected };
  }
}

/** What the three levels are called in a signal. */
export interface RecordNames {
  resources: string;
  scopes: string;
  records: string;
}

/**
 * Goes through resource → scope → record. `origin` throws the fault of a malformed resource, so that its records are refused.
 * @throws BAD_INPUT when a level is not what it must be
 */
export function eachRecord(
  request: Plain,
  names: RecordNames,
  visit: (record: Plain, origin: () => Origin) => void,
): void {
  try {
    walk(request, names, visit);
  } catch (error) {
    if (error instanceof RecordFault)
      throw new FleetError('BAD_INPUT', `the export request is malformed: ${error.message}`);
    throw error;
  }
}

function walk(request: Plain, names: RecordNames, visit: (record: Plain, origin: () => Origin) => void): void {
  for (const group of listOf(request[names.resources], names.resources)) {
    const resource = once(() => resourceOf(group['resource']));
    for (const scoped of listOf(group[names.scopes], names.scopes)) {
      const origin = once(() => originOf(resource(), scoped['scope']));
      for (const record of listOf(scoped[names.records], names.records)) visit(record, origin);
    }
  }
}

/** What a record inherits from its resource. @throws RecordFault of a malformed one */
export function resourceOf(resourceMessage: unknown): Omit<Origin, 'scope'> {
  const resource = attributesOf(objectOf(resourceMessage, 'resource')['attributes']);
  const service = resource['service.name'];
  const agentId = resource['fleet.agent.id'];
  return {
    resource,
    service: typeof service === 'string' && service ? service : 'unknown_service',
    agentId: typeof agentId === 'string' && agentId ? agentId : null,
  };
}

/** What a record inherits. @throws RecordFault of a malformed scope */
export function originOf(resource: Omit<Origin, 'scope'>, scopeMessage: unknown): Origin {
  return { ...resource, scope: checkText(objectOf(scopeMessage, 'scope')['name'], 'a scope’s name') };
}

/** Makes something when it is first asked for; a fault stays the same fault. */
export function once<T>(make: () => T): () => T {
  let made: { value: T } | { fault: unknown } | undefined;
  return () => {
    if (!made) {
      try {
        made = { value: make() };
      } catch (fault) {
        made = { fault };
      }
    }
    if ('fault' in made) throw made.fault;
    return made.value;
  };
}

/** The reasons of a partial success in one line: each reason once, with how many it refused. */
export function summaryOf(rejected: readonly Rejection[]): string {
  const counts = new Map<string, { count: number; first: number }>();
  for (const { index, reason } of rejected.slice(0, MAX_REASONS)) {
    const known = counts.get(reason);
    if (known) known.count += 1;
    else counts.set(reason, { count: 1, first: index });
  }
  return [...counts]
    .slice(0, 20)
    .map(
      ([reason, { count, first }]) =>
        `${reason} (${count === 1 ? `record ${first}` : `${count} records, first ${first}`})`,
    )
    .join('; ');
}
