import { setFlagsFromString } from 'node:v8';
import { FleetError } from './errors.ts';
import type { LabelMatcher } from './graphql/shared.ts';

// The flag `l`: matching in linear time whatever the expression, so that a caller's cannot hold up the process.
setFlagsFromString('--enable-experimental-regexp-engine');

const MAX_LENGTH = 1_000;

/** A pattern that matches in time linear in the text. @throws SyntaxError for what cannot be: back-references, look-around */
export function linearPattern(source: string): RegExp {
  return new RegExp(source, 'l');
}

/**
 * An anchored regular expression that matches in time linear in the text.
 * @throws BAD_INPUT for one that is malformed, too long, or needs back-references or look-around
 */
export function linearExpression(text: string, field: string[] = ['labels']): RegExp {
  if (text.length > MAX_LENGTH) {
    throw new FleetError('BAD_INPUT', `an expression has at most ${MAX_LENGTH} characters`, { field });
  }
  try {
    return linearPattern(`^(?:${text})$`);
  } catch {
    throw new FleetError('BAD_INPUT', `not an expression that can be matched in linear time: ${text.slice(0, 80)}`, {
      field,
    });
  }
}

/**
 * Whether labels meet all conditions; an absent label counts as empty.
 * @throws BAD_INPUT for an expression that cannot be used
 */
export function labelsMatch(
  matchers: readonly Pick<LabelMatcher, 'name' | 'op' | 'value'>[],
): (labels: Readonly<Record<string, string>>) => boolean {
  const conditions = matchers.map(({ name, op, value }) => {
    if (op === 'RE' || op === 'NRE') {
      const expression = linearExpression(value);
      return (labels: Readonly<Record<string, string>>) => expression.test(labels[name] ?? '') === (op === 'RE');
    }
    return (labels: Readonly<Record<string, string>>) => ((labels[name] ?? '') === value) === (op !== 'NE');
  });
  return (labels) => conditions.every((holds) => holds(labels));
}
