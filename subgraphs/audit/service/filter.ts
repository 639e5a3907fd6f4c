import { FleetError } from '../../../lib/errors.ts';
import { durationMs } from '../../../lib/graphql/scalars.ts';
import type { TimeRange } from '../../../lib/graphql/shared.ts';
import type { AuditFilter } from '../entity/index.ts';
import type { Criteria, EntryFacts } from '../store/index.ts';

/** What a filter asks for, its times known. @throws BAD_INPUT for a range that is both `last` and from or to */
export function criteriaOf(filter: AuditFilter | null | undefined, nowMs: number): Criteria {
  const { actors, actions, targetTypes, targetIds, outcomes, range } = filter ?? {};
  return {
    ...(actors ? { actors } : {}),
    ...(actions ? { actions } : {}),
    ...(targetTypes ? { targetTypes } : {}),
    ...(targetIds ? { targetIds } : {}),
    ...(outcomes ? { outcomes } : {}),
    ...(range ? timesOf(range, nowMs) : {}),
  };
}

function timesOf({ from, to, last }: TimeRange, nowMs: number): Pick<Criteria, 'from' | 'to'> {
  if (last == null) return { ...(from ? { from } : {}), ...(to ? { to } : {}) };
  if (from || to) throw new FleetError('BAD_INPUT', 'give `last`, or `from` and `to`', { field: ['filter', 'range'] });
  return { from: new Date(nowMs - (durationMs(last) as number)) };
}

/** Whether an entry is one of those; the same as the store's conditions say in SQL. */
export function meets(criteria: Criteria, entry: EntryFacts): boolean {
  return (
    isOneOf(criteria.actors, entry.actorId) &&
    isOneOf(criteria.actions, entry.action) &&
    isOneOf(criteria.targetTypes, entry.targetType) &&
    isOneOf(criteria.targetIds, entry.targetId) &&
    isOneOf(criteria.outcomes, entry.outcome) &&
    !criteria.withoutActions?.includes(entry.action) &&
    !(criteria.from && entry.occurredAt < criteria.from) &&
    !(criteria.to && entry.occurredAt >= criteria.to)
  );
}

function isOneOf(list: readonly string[] | undefined, value: string): boolean {
  return !list || list.includes(value);
}
