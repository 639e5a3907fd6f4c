import { FleetError } from '../../../lib/errors.ts';
import type { MeasuredRows, TelemetryStore } from '../../../lib/telemetry-store/index.ts';

/** What one search may take. */
export interface SearchLimits {
  /** Milliseconds. */
  maxMs: number;
  /** Bytes of the engine's memory. */
  maxMemoryBytes: number;
}

export const SEARCH_LIMITS: SearchLimits = { maxMs: 8_000, maxMemoryBytes: 512 * 1024 * 1024 };
const EARLY = [`timeout_overflow_mode = 'break'`, 'max_rows_to_group_by = 20000', `group_by_overflow_mode = 'any'`];
/** ClickHouse's CANNOT_COMPILE_REGEXP. */
const BAD_REGEXP = '427';

/** Reads for searches, each within the same limits. */
export class LogReader {
  constructor(
    private readonly telemetry: TelemetryStore,
    private readonly limits: SearchLimits = SEARCH_LIMITS,
  ) {}

  /** @throws TIMEOUT, OVERLOADED past the limits; BAD_QUERY for a regular expression that RE2 does not have */
  async rows<T>(sql: string, parameters: Record<string, unknown>, maxMs = this.limits.maxMs): Promise<T[]> {
    return (await this.measured<T>(sql, parameters, maxMs)).rows;
  }

  /** What is found within the time, made of what was read until then: for hints, where something now is better than all later. */
  async early<T>(sql: string, parameters: Record<string, unknown>, maxMs: number): Promise<T[]> {
    return (await this.measured<T>(sql, parameters, maxMs, EARLY)).rows;
  }

  /** The same with what was read for it. */
  async measured<T>(
    sql: string,
    parameters: Record<string, unknown>,
    maxMs = this.limits.maxMs,
    more: readonly string[] = [],
  ): Promise<MeasuredRows<T>> {
    const settings = [`max_memory_usage = ${Math.floor(this.limits.maxMemoryBytes)}`, ...more];
    try {
      return await this.telemetry.measured<T>(sql, parameters, { maxMs: Math.min(maxMs, this.limits.maxMs), settings });
    } catch (error) {
      if ((error as { code?: unknown }).code !== BAD_REGEXP) throw error;
      throw new FleetError('BAD_QUERY', 'this regular expression cannot be read: RE2 syntax, without back-references');
    }
  }

  /** Names of the indexes that left out parts of the table for this statement. */
  async indexes(sql: string, parameters: Record<string, unknown>): Promise<string[]> {
    const lines = await this.rows<{ explain: string }>(`explain indexes = 1 ${sql}`, parameters);
    return narrowing(lines.map(({ explain }) => explain.replace(DRAWN, '')));
  }
}

/** The branches that a plan is drawn with. */
const DRAWN = /^[│├└─\s]+/;
const NAMES: Record<string, string> = { PrimaryKey: 'time', Partition: 'partition', 'Min-Max': 'partition' };
/** Indexes by the names that they are told by. */
const TOLD: Record<string, string> = { terms: 'words', named: 'attributes' };

/** The indexes of a plan that chose fewer granules than there were. */
function narrowing(lines: readonly string[]): string[] {
  const found = new Set<string>();
  let name: string | undefined;
  for (const line of lines) {
    const chosen = /^Granules: (\d+)\/(\d+)$/.exec(line);
    if (/^(PrimaryKey|Partition|Min-Max|Skip)$/.test(line)) name = NAMES[line];
    else if (line.startsWith('Name: ')) name = told(line.slice('Name: '.length));
    else if (chosen && name && Number(chosen[1]) < Number(chosen[2])) found.add(name);
  }
  return [...found];
}

function told(name: string): string {
  return TOLD[name] ?? name;
}
