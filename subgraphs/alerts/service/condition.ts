import { FleetError } from '../../../lib/errors.ts';
import { durationMs } from '../../../lib/graphql/scalars.ts';
import type { LabelMatcher } from '../../../lib/graphql/shared.ts';
import { linearExpression } from '../../../lib/label-match.ts';
import { uuidOf } from '../../../lib/node-id.ts';
import type { AlertConditionInput, Condition, ErrorConditionInput } from '../entity/condition.ts';

const DAY_MS = 86_400_000;

function refuse(message: string, field: string[]): never {
  throw new FleetError('BAD_INPUT', message, { field });
}

function checkMatchers(matchers: readonly LabelMatcher[] | null | undefined, field: string[]): void {
  for (const { op, value } of matchers ?? []) if (op === 'RE' || op === 'NRE') linearExpression(value, field);
}

/** What counts entries within a window. */
function checkCounted(
  { filter, window, above }: Pick<ErrorConditionInput, 'filter' | 'window' | 'above'>,
  field: string[],
): void {
  const windowMs = durationMs(window) ?? 0;
  if (windowMs < 1_000 || windowMs > DAY_MS) refuse('a window is PT1S to P1D', [...field, 'window']);
  if ((above ?? 0) < 0) refuse('a count is never below 0', [...field, 'above']);
  if (filter?.range) refuse('the window takes the place of a range', [...field, 'filter', 'range']);
  for (const id of filter?.agentIds ?? []) uuidOf('Agent', id, [...field, 'filter', 'agentIds']);
  checkMatchers(filter?.attributes, [...field, 'filter', 'attributes']);
}

/**
 * The condition as it is stored: the one part that was given, without what was not.
 * @throws BAD_INPUT with the field, when it is not exactly one or not one that can be evaluated
 */
export function readCondition(input: AlertConditionInput): Condition {
  const given = Object.keys(CHECKS).filter(
    (name) => input[name as keyof typeof CHECKS] != null,
  ) as (keyof typeof CHECKS)[];
  const [name] = given;
  if (!name || given.length > 1)
    refuse('a condition has exactly one of metric, logs, errors, presence and health', ['condition']);
  CHECKS[name](input as never);
  return { [name]: withoutNulls(input[name]) } as Condition;
}

const CHECKS = {
  metric({ metric: { query, above, below } }: { metric: NonNullable<AlertConditionInput['metric']> }) {
    const field = ['condition', 'metric'];
    if (above == null && below == null) refuse('a metric’s condition needs `above` or `below`', field);
    if (!query.metric.trim()) refuse('a metric has a name', [...field, 'query', 'metric']);
    if (query.range?.from || query.range?.to)
      refuse('a rule looks at the newest stretch: give `last` alone', [...field, 'query', 'range']);
    if (query.topK != null && query.topK < 1) refuse('topK is at least 1', [...field, 'query', 'topK']);
    checkMatchers(query.labels, [...field, 'query', 'labels']);
  },
  logs({ logs }: { logs: NonNullable<AlertConditionInput['logs']> }) {
    checkCounted(logs, ['condition', 'logs']);
  },
  errors({ errors }: { errors: NonNullable<AlertConditionInput['errors']> }) {
    checkCounted(errors, ['condition', 'errors']);
  },
  presence() {
    // Its enum says all.
  },
  health({ health: { below } }: { health: NonNullable<AlertConditionInput['health']> }) {
    if (below < 1 || below > 100) refuse('health is 0 to 100: `below` is 1 to 100', ['condition', 'health', 'below']);
  },
};

function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (value === null || typeof value !== 'object') return value;
  const kept = Object.entries(value).filter(([, part]) => part !== null && part !== undefined);
  return Object.fromEntries(kept.map(([name, part]) => [name, withoutNulls(part)]));
}
