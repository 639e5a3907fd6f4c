import { type LabelMatcher, MatchOp } from '../../../lib/graphql/shared.ts';

/** A condition in SQL and the values it binds. */
export interface Condition {
  sql: string;
  params: Record<string, unknown>;
}

const COMPARISONS: Record<MatchOp, (label: string, value: string) => string> = {
  [MatchOp.EQ]: (label, value) => `${label} = ${value}`,
  [MatchOp.NE]: (label, value) => `${label} != ${value}`,
  [MatchOp.RE]: (label, value) => `match(${label}, concat('^(?s:', ${value}, ')$'))`,
  [MatchOp.NRE]: (label, value) => `not match(${label}, concat('^(?s:', ${value}, ')$'))`,
};

/** All of these matchers on rows of `metric_series`; a label that is absent is empty text. */
export function matching(matchers: readonly LabelMatcher[]): Condition {
  const params: Record<string, unknown> = {};
  const parts = matchers.map(({ name, op, value }, at) => {
    params[`label${at}`] = name;
    params[`value${at}`] = value;
    return COMPARISONS[op ?? MatchOp.EQ](`metric_series.labels[{label${at}:String}]`, `{value${at}:String}`);
  });
  return { sql: parts.length ? parts.join(' and ') : 'true', params };
}
