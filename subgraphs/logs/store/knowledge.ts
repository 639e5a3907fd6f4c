import { type LogCriteria, nestingNames } from './criteria.ts';
import { Parameters } from './parameters.ts';
import type { LogReader } from './reader.ts';
import { hasName, type Known } from './search.ts';
import { countWords, wordsAsked } from './word-counts.ts';

/** What the indexes say of a search before it is made: in some milliseconds, which spare it reading most of the table. */
export class Knowledge {
  #isWhole = false;

  constructor(private readonly reader: LogReader) {}

  /**
   * Asked after the watermark of a page is known, so that it is true of all that page may show.
   * @param paths of attributes that are asked of beside the criteria
   */
  async of(criteria: LogCriteria, paths: readonly string[] = []): Promise<Known> {
    const absent = await this.#absentNames(nestingNames(criteria, paths));
    const asked = criteria.search ? wordsAsked(criteria.search) : undefined;
    if (!asked || !(await this.#indexIsWhole())) return { absent };
    return { absent, counts: await countWords(this.reader, asked) };
  }

  /** Names that may be asked inside of, but no entry has: that spares reading the map of attributes of every entry. */
  async #absentNames(names: readonly string[]): Promise<ReadonlySet<string>> {
    if (!names.length) return new Set();
    const parameters = new Parameters();
    const looks = names.map((name) => {
      const bound = parameters.bind('String', name);
      return `(select ${bound} as name from log where ${hasName(name, parameters)} limit 1)`;
    });
    const found = await this.reader.rows<{ name: string }>(
      `select name from (${looks.join(' union all ')})`,
      parameters.values,
    );
    const present = new Set(found.map(({ name }) => name));
    return new Set(names.filter((name) => !present.has(name)));
  }

  /** After an upgrade parts get the index one by one: until all have it, it does not know all words. */
  async #indexIsWhole(): Promise<boolean> {
    if (this.#isWhole) return true;
    const waiting = await this.reader.rows(
      `select 1 as one from system.mutations where database = currentDatabase() and table = 'log' and not is_done
         and positionCaseInsensitive(command, 'materialize index terms') > 0 limit 1`,
      {},
    );
    this.#isWhole = !waiting.length;
    return this.#isWhole;
  }
}
