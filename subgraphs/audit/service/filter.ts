import { FleetError } from '../../../lib/errors.ts';
import { durationMs } from '../../../lib/graphql/scalars.ts';
import type { TimeRange } from '../../../lib/graphql/shared.ts';
import { compileSearch, parseSearch } from '../../../lib/search/index.ts';
import type { AuditFilter } from '../entity/index.ts';
import { type Criteria, ENTRY_SEARCH, type EntryFacts } from '../store/index.ts';

/** What a filter asks for, its times known. @throws BAD_INPUT for a range that is both `last` and from or to, BAD_QUERY */
export function criteriaOf(filter: AuditFilter | null | undefined, nowMs: number): Criteria {
  const { query, actors, actions, targetTypes, targetIds, outcomes, paths, range } = filter ?? {};
  const search = query == null ? null : parseSearch(query, ENTRY_SEARCH);
  return {
    ...(search ? { search } : {}),
    ...(actors ? { actors } : {}),
    ...(actions ? { actions } : {}),
    ...(targetTypes ? { targetTypes } : {}),
    ...(targetIds ? { targetIds } : {}),
    ...(outcomes ? { outcomes } : {}),
    ...(paths ? { paths: paths.map(pointerOf) } : {}),
    ...(range ? timesOf(range, nowMs) : {}),
  };
}

function pointerOf(path: string): string {
  if (/^(\/([^~]|~[01])*)+$/.test(path)) return path;
  throw new FleetError(
    'BAD_INPUT',
    `${JSON.stringify(path)} is no JSON pointer: it begins with /, as in /config/model`,
    {
      field: ['filter', 'paths'],
    },
  );
}

function timesOf({ from, to, last }: TimeRange, nowMs: number): Pick<Criteria, 'from' | 'to'> {
  if (last == null) return { ...(from ? { from } : {}), ...(to ? { to } : {}) };
  if (from || to) throw new FleetError('BAD_INPUT', 'give `last`, or `from` and `to`', { field: ['filter', 'range'] });
  return { from: new Date(nowMs - (durationMs(last) as number)) };
}

/** Tells whether an entry is one of those; the same as the store's conditions say in SQL. */
export function matcherOf(criteria: Criteria): (entry: EntryFacts) => boolean {
  const { actors, actions, targetTypes, targetIds, outcomes, paths, from, to, search } = criteria;
  const isFound = search ? compileSearch(search, ENTRY_SEARCH) : () => true;
  return (entry) =>
    isOneOf(actors, entry.actorId) &&
    isOneOf(actions, entry.action) &&
    isOneOf(targetTypes, entry.targetType) &&
    isOneOf(targetIds, entry.targetId) &&
    isOneOf(outcomes, entry.outcome) &&
    (!paths || paths.some((path) => entry.changed.includes(path))) &&
    !(from && entry.occurredAt < from) &&
    !(to && entry.occurredAt >= to) &&
    isFound(entry);
}

function isOneOf(list: readonly string[] | undefined, value: string): boolean {
  return !list || list.includes(value);
}
