import { conditionOf, type LogCriteria } from './criteria.ts';
import { Knowledge } from './knowledge.ts';
import type { Parameters } from './parameters.ts';
import type { LogReader } from './reader.ts';
import type { LogRow } from './row.ts';
import { type Known, plainText, rawValue } from './search.ts';
import { waysOf } from './search-fields.ts';

/** A field whose values can be counted: a column, or a dotted name in one that is open. */
export interface CountedField {
  column: 'severity' | 'service' | 'agent' | 'traceId' | 'spanId' | 'attributes' | 'resource';
  path: string;
}

/** A row as patterns are made of it; the body is cut. */
export type PatternRow = Pick<LogRow, 'time' | 'stamp' | 'seq' | 'severity' | 'body'>;

const VALUES = {
  severity: { sources: ['severity'], value: 'toNullable(toString(intDiv(toInt16(raw0) - 1, 4)))' },
  service: { sources: ['service'], value: 'toNullable(toString(raw0))' },
  agent: { sources: ['agent'], value: `nullIf(toString(raw0), '')` },
  traceId: { sources: ['trace'], value: `nullIf(raw0, '')` },
  spanId: { sources: ['span'], value: `nullIf(raw0, '')` },
};
const VALUE_CHARACTERS = 1_000;
const BODY_CHARACTERS = 500;
const NAMED_ROWS = 1_000;
/** Entries that completions are taken from, how many there are at most, and how long it may take: somebody is typing. */
const COMPLETED_ROWS = 200_000;
const COMPLETED = 50;
const COMPLETION_MS = 1_000;
const NAMES = 20;

/** Stretches of a part of the table that are read or left out as one: two of the engine's granules. */
const SAMPLED_ROWS = 16_384;
/** Columns with few values, which are counted as they are packed. */
const PACKED: readonly CountedField['column'][] = ['severity', 'service', 'agent'];

/** A value and how many entries have it, of all that match. */
export interface CountedValue {
  value: string;
  count: number;
  total: number;
  /** Whether every one was counted. */
  isExact: boolean;
}

/** What is made of many entries: values counted, and what they say. */
export class AnalysisStore {
  readonly #knowledge: Knowledge;

  constructor(private readonly reader: LogReader) {
    this.#knowledge = new Knowledge(reader);
  }

  /**
   * The commonest values, most first, and how many entries match in all.
   * @param maxRows of more entries a part is counted, spread over all of the table, and the rest is inferred
   */
  async values(
    criteria: LogCriteria,
    field: CountedField,
    limit: number,
    maxRows = Number.POSITIVE_INFINITY,
  ): Promise<CountedValue[]> {
    const known = await this.#knowledge.of(criteria, field.column === 'attributes' ? [field.path] : []);
    const matching = PACKED.includes(field.column) ? 0 : await this.#matching(criteria, known, maxRows);
    const every = Math.max(1, Math.ceil(matching / maxRows));
    const { where, parameters } = conditionOf(criteria, undefined, known);
    const { sources, value } = valueMade(field, parameters, known.absent);
    const sample = every > 1 ? `prewhere intDiv(_part_offset, ${SAMPLED_ROWS}) % ${every} = 0` : '';
    // Counted as it stands and made a value after that: there are fewer values than entries.
    const rows = await this.reader.rows<{ shown: string; many: string; whole: string }>(
      `select substringUTF8(value, 1, ${VALUE_CHARACTERS}) as shown, toString(number) as many, toString(total) as whole from (
         select ${value} as value, sum(entries) as number, sum(sum(entries)) over () as total
           from (select ${sources.map((raw, at) => `${raw} as raw${at}`).join(', ')}, count() as entries
                   from log ${sample} where ${where} group by ${sources.map((_, at) => `raw${at}`).join(', ')})
          group by value)
        where value is not null order by number desc, value limit ${limit}`,
      parameters.values,
    );
    return rows.map(({ shown, many, whole }) => {
      const [count, total] = [Number(many), Number(whole)];
      if (every === 1) return { value: shown, count, total, isExact: true };
      return { value: shown, count: Math.round((count / total) * matching), total: matching, isExact: false };
    });
  }

  /** How many entries match; 0 when there are no more than this in the time that is asked for. */
  async #matching(criteria: LogCriteria, known: Known, maxRows: number): Promise<number> {
    const { from, to } = criteria;
    const inTime = await this.#count({ ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }) });
    return inTime > maxRows ? await this.#count(criteria, known) : 0;
  }

  async #count(criteria: LogCriteria, known?: Known): Promise<number> {
    const { where, parameters } = conditionOf(criteria, undefined, known);
    const counted = `select toString(count()) as count from log where ${where}`;
    const [row] = await this.reader.rows<{ count: string }>(counted, parameters.values);
    return Number(row?.count);
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

  /** The newest that match, newest first. Told by columns: to write and read a name for each of their values is most of the work. */
  async newest(criteria: LogCriteria, limit: number): Promise<PatternRow[]> {
    const { where, parameters } = conditionOf(criteria, undefined, await this.#knowledge.of(criteria));
    const [told] = await this.reader.rows<{
      times: string[];
      stamps: string[];
      seqs: number[];
      severities: number[];
      said: string[];
    }>(
      `select groupArray(toString(time)) as times, groupArray(toString(stamp)) as stamps, groupArray(seq) as seqs,
              groupArray(toInt16(severity)) as severities, groupArray(begun) as said
         from (select time, stamp, seq, severity, substringUTF8(body, 1, ${BODY_CHARACTERS}) as begun
                 from log where ${where} order by time desc, stamp desc, seq desc limit ${limit})`,
      parameters.values,
    );
    const { times, stamps, seqs, severities, said } = told ?? {
      times: [],
      stamps: [],
      seqs: [],
      severities: [],
      said: [],
    };
    return times.map((time, at) => ({
      time,
      stamp: Number(stamps[at]),
      seq: seqs[at] as number,
      severity: severities[at] as number,
      body: said[at] as string,
    }));
  }
}

/** The value of a field as text; null where an entry has none. */
export function valueSql(field: CountedField, parameters: Parameters): string {
  const { sources, value } = valueMade(field, parameters);
  return value.replace(/raw(\d+)/g, (_, at) => sources[Number(at)] as string);
}

/**
 * What a value is made of, and the value: of `raw0`, `raw1`, … as those are called.
 * @param absent names of attributes that no entry has
 */
function valueMade(
  { column, path }: CountedField,
  parameters: Parameters,
  absent: ReadonlySet<string> = new Set(),
): { sources: string[]; value: string } {
  if (column !== 'attributes' && column !== 'resource') return VALUES[column];
  const ways = waysOf(path).filter(([first, ...rest]) => !rest.length || !absent.has(first as string));
  const value = ways.map((_, at) => `raw${at} not in ('', 'null'), ${plainText(`raw${at}`)}`);
  return {
    sources: ways.map((way) => rawValue(column, way, parameters)),
    value: `multiIf(${value.join(', ')}, null)`,
  };
}
