import { FleetError } from '../errors.ts';

/** The one way a query is refused. @param column where it stands in the text, from 1 */
export function badQuery(column: number, sentence: string): FleetError {
  return new FleetError('BAD_QUERY', `column ${column}: ${sentence}`, { column });
}
