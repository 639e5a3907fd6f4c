import { conditionOf, type LogCriteria } from './criteria.ts';
import type { Parameters } from './parameters.ts';
import type { LogReader } from './reader.ts';
import type { LogRow } from './row.ts';
import { plainText, rawValue } from './search.ts';
import { waysOf } from './search-fields.ts';

/** A field whose values can be counted: a column, or a dotted name in one that is open. */
export interface CountedField {
  column: 'severity' | 'service' | 'agent' | 'traceId' | 'spanId' | 'attributes' | 'resource';
  path: string;
}

/** A row as patterns are made of it; the body is cut. */
export type PatternRow = Pick<LogRow, 'time' | 'stamp' | 'seq' | 'severity' | 'body'>;

const VALUES = {
  severity: 'toNullable(toString(intDiv(toInt16(severity) - 1, 4)))',
  service: 'toNullable(toString(service))',
  agent: `nullIf(toString(agent), '')`,
  traceId: `nullIf(trace, '')`,
  spanId: `nullIf(span, '')`,
} as const;
const VALUE_CHARACTERS = 1_000;
const BODY_CHARACTERS = 500;
const NAMED_ROWS = 1_000;
/** Entries that completions are taken from, how many there are at most, and how long it may take: somebody is typing. */
const COMPLETED_ROWS = 200_000;
const COMPLETED = 50;
const COMPLETION_MS = 1_000;
const NAMES = 20;

/** What is made of many entries: values counted, and what they say. */
export class AnalysisStore {
  constructor(private readonly reader: LogReader) {}

  /** The commonest values, most first, and how many entries match in all. */
  async values(
    criteria: LogCriteria,
    field: CountedField,
    limit: number,
  ): Promise<{ value: string; count: number; total: number }[]> {
    const { where, parameters } = conditionOf(criteria);
    const rows = await this.reader.rows<{ shown: string; many: string; whole: string }>(
      `select substringUTF8(value, 1, ${VALUE_CHARACTERS}) as shown, toString(number) as many, toString(total) as whole from (
         select value, count() as number, sum(count()) over () as total
           from (select ${valueSql(field, parameters)} as value from log where ${where}) group by value)
        where value is not null order by number desc, value limit ${limit}`,
      parameters.values,
    );
    return rows.map(({ shown, many, whole }) => ({ value: shown, count: Number(many), total: Number(whole) }));
  }

  /** Values of the newest matching entries that begin so, in any case, commonest first. What is not found in time is left out. */
  async valuesThatBegin(criteria: LogCriteria, field: CountedField, begin: string): Promise<string[]> {
    const { where, parameters } = conditionOf(criteria);
    const value = field.column === 'agent' ? `nullIf(toString(agent_name), '')` : valueSql(field, parameters);
    return await this.#thatBegin(
      `select ${value} as found from log where ${where} order by time desc`,
      begin,
      parameters,
    );
  }

  /** The same of names: of attributes, or of the resource, also one level inside of what has parts. */
  async namesThatBegin(criteria: LogCriteria, column: 'attributes' | 'resource', begin: string): Promise<string[]> {
    const { where, parameters } = conditionOf(criteria);
    const names =
      column === 'attributes'
        ? `arrayConcat(mapKeys(attributes), arrayFlatten(arrayMap((name, raw) ->
             arrayMap(inside -> concat(name, '.', inside), JSONExtractKeys(raw)), mapKeys(attributes), mapValues(attributes))))`
        : 'JSONExtractKeys(toString(resource))';
    const rows = `select ${column} from log where ${where} order by time desc limit ${COMPLETED_ROWS}`;
    return await this.#thatBegin(`select arrayJoin(${names}) as found from (${rows})`, begin, parameters);
  }

  async #thatBegin(found: string, begin: string, parameters: Parameters): Promise<string[]> {
    const rows = await this.reader.early<{ word: string }>(
      `select substringUTF8(found, 1, ${VALUE_CHARACTERS}) as word from (${found} limit ${COMPLETED_ROWS})
        where found is not null and startsWith(lowerUTF8(found), ${parameters.bind('String', begin.toLowerCase())})
        group by word order by count() desc, word limit ${COMPLETED}`,
      parameters.values,
      COMPLETION_MS,
    );
    return rows.map(({ word }) => word);
  }

  /** Names of attributes that the newest matching entries have, commonest first. */
  async attributeNames(criteria: LogCriteria): Promise<string[]> {
    const { where, parameters } = conditionOf(criteria);
    const rows = await this.reader.rows<{ name: string }>(
      `select arrayJoin(mapKeys(attributes)) as name
         from (select attributes from log where ${where} order by time desc limit ${NAMED_ROWS})
        group by name order by count() desc, name limit ${NAMES}`,
      parameters.values,
    );
    return rows.map(({ name }) => name);
  }

  /** The newest that match, newest first. */
  async newest(criteria: LogCriteria, limit: number): Promise<PatternRow[]> {
    const { where, parameters } = conditionOf(criteria);
    const rows = await this.reader.rows<Omit<PatternRow, 'time' | 'stamp' | 'body'> & Record<string, string>>(
      `select toString(time) as time_text, toString(stamp) as stamp_text, seq, severity,
              substringUTF8(body, 1, ${BODY_CHARACTERS}) as said
         from log where ${where} order by time desc, stamp desc, seq desc limit ${limit}`,
      parameters.values,
    );
    return rows.map(({ time_text, stamp_text, seq, severity, said }) => ({
      time: time_text as string,
      stamp: Number(stamp_text),
      seq,
      severity,
      body: said as string,
    }));
  }
}

/** The value of a field as text; null where an entry has none. */
export function valueSql({ column, path }: CountedField, parameters: Parameters): string {
  if (column !== 'attributes' && column !== 'resource') return VALUES[column];
  const ways = waysOf(path).map((way) => {
    const raw = rawValue(column, way, parameters);
    return `${raw} not in ('', 'null'), ${plainText(raw)}`;
  });
  return `multiIf(${ways.join(', ')}, null)`;
}
