import { type LogCriteria, nestingNames } from './criteria.ts';
import { Parameters } from './parameters.ts';
import type { LogReader } from './reader.ts';
import { hasName } from './search.ts';

/**
 * Names that the criteria may ask inside of, but no entry has: the index tells in a moment, and spares reading the map of
 * attributes of every entry. Asked after the watermark of the page is known, so that it is true of all that page may show.
 */
export async function absentNames(reader: LogReader, criteria: LogCriteria): Promise<ReadonlySet<string>> {
  const names = nestingNames(criteria);
  if (!names.length) return new Set();
  const parameters = new Parameters();
  const looks = names.map((name) => {
    const bound = parameters.bind('String', name);
    return `(select ${bound} as name from log where ${hasName(name, parameters)} limit 1)`;
  });
  const found = await reader.rows<{ name: string }>(
    `select name from (${looks.join(' union all ')})`,
    parameters.values,
  );
  const present = new Set(found.map(({ name }) => name));
  return new Set(names.filter((name) => !present.has(name)));
}
