import type { Clock } from '../../../lib/clock.ts';
import { FleetError } from '../../../lib/errors.ts';
import type { LogFilter, LogSeverity } from '../../../lib/graphql/log-filter.ts';
import { nodeId } from '../../../lib/node-id.ts';
import type { LogFacet, LogPattern } from '../entity/index.ts';
import {
  type AnalysisStore,
  type CountedField,
  type LogCriteria,
  SEVERITIES,
  timeOfNanos,
  uuidOfPlace,
} from '../store/index.ts';
import { criteriaOf } from './filter.ts';
import { patternsOf } from './patterns.ts';
import type { SavedSearches } from './saved-searches.ts';

const COLUMNS = ['severity', 'service', 'agent', 'traceId', 'spanId'] as const;
const OPEN = ['attributes', 'resource'] as const;
const MAX_FIRST = 100;
const MAX_NAME = 500;

/** What many entries have in common: the values of a field, and what they say. */
export class Analysis {
  constructor(
    private readonly store: AnalysisStore,
    private readonly searches: SavedSearches,
    private readonly clock: Clock,
    /** Entries that patterns are made of, at most. */
    private readonly patternRows: number,
    /** Entries that facets are counted of one by one, at most. */
    private readonly facetRows: number,
  ) {}

  /**
   * The commonest values of a field in all that match; of very many a part is counted and the rest inferred, and it says so.
   * @param name as the search language has it, e.g. `service` or `attributes.user.id`
   * @throws BAD_INPUT for a field that there is not, with those that there are
   */
  async facets(filter: LogFilter | null | undefined, name: string, first: number): Promise<LogFacet[]> {
    requireFirst(first);
    const criteria = criteriaOf(await this.searches.expanded(filter), this.clock.nowMs());
    const field = countedFieldOf(name) ?? (await this.#unknown(name, criteria));
    const values = await this.store.values(criteria, field, first, this.facetRows);
    return values.map(({ value, count, total, isExact }) => ({
      value: shownValue(field, value),
      count,
      share: count / total,
      isExact,
    }));
  }

  /** What the newest that match say, commonest first. */
  async patterns(filter: LogFilter | null | undefined, first: number): Promise<LogPattern[]> {
    requireFirst(first);
    const criteria = criteriaOf(await this.searches.expanded(filter), this.clock.nowMs());
    const rows = await this.store.newest(criteria, this.patternRows + 1);
    const isComplete = rows.length <= this.patternRows;
    const read = rows.slice(0, this.patternRows);
    const patterns = await patternsOf(read);
    return patterns.slice(0, first).map(({ template, count, rank, newest, oldest }) => ({
      template,
      count,
      share: count / read.length,
      severity: SEVERITIES[rank] as LogSeverity,
      firstSeenAt: timeOfNanos(oldest.time),
      lastSeenAt: timeOfNanos(newest.time),
      sampleUuid: uuidOfPlace(newest),
      rowsRead: read.length,
      isComplete,
    }));
  }

  async #unknown(name: string, criteria: LogCriteria): Promise<never> {
    const attributes = (await this.store.attributeNames(criteria)).map((each) => `attributes.${each}`);
    const fields = [...COLUMNS, ...attributes, 'attributes.<name>', 'resource.<name>'];
    throw new FleetError('BAD_INPUT', `there is no field ${name.slice(0, 100)}: expected one of ${fields.join(', ')}`, {
      field: ['field'],
      fields,
    });
  }
}

/** The field of this name that entries can be counted by; undefined when there is none. */
export function countedFieldOf(name: string): CountedField | undefined {
  const column = COLUMNS.find((each) => each === name);
  if (column) return { column, path: '' };
  const open = OPEN.find((each) => name.startsWith(`${each}.`));
  const path = open ? name.slice(open.length + 1) : '';
  return open && path && path.length <= MAX_NAME ? { column: open, path } : undefined;
}

/** A value of a field as people see it. */
export function shownValue({ column }: CountedField, value: string): string {
  if (column === 'severity') return SEVERITIES[Number(value)] ?? value;
  return column === 'agent' ? nodeId('Agent', value) : value;
}

function requireFirst(first: number): void {
  if (first >= 1 && first <= MAX_FIRST) return;
  throw new FleetError('BAD_INPUT', `first is 1 to ${MAX_FIRST}`, { field: ['first'] });
}
