import type { BeatAnswer } from '../../service/beats.ts';
import type { AskedField, BeatOperation } from './beat-operation.ts';

const MOST_INT = 2_147_483_647;

/** A field of an answer as JSON; undefined when the schema has a word to say about it. */
const WRITTEN: Readonly<Record<string, (answer: BeatAnswer) => string | undefined>> = {
  __typename: () => '"AgentBeatPayload"',
  agentId: ({ agentId }) => JSON.stringify(agentId),
  beatEveryMs: ({ beatEveryMs }) => whole(beatEveryMs),
  leaseMs: ({ leaseMs }) => whole(leaseMs),
  desiredState: ({ desiredState }) => `"${desiredState}"`,
  configVersion: ({ configVersion }) => whole(configVersion),
  commands: ({ commands }) => (commands.length ? undefined : '[]'),
  userErrors: ({ userErrors }) => (userErrors.length ? undefined : '[]'),
};

const whole = (value: number): string | undefined =>
  Number.isInteger(value) && Math.abs(value) <= MOST_INT ? String(value) : undefined;

/**
 * The `data` of the answer to beats, as the schema would write it; undefined when there is mail or a refusal among them, which
 * the schema writes itself.
 */
export function writtenAnswer(operation: BeatOperation, answers: readonly BeatAnswer[]): string | undefined {
  const { key, isMany, listKey, fields } = operation;
  const texts: string[] = [];
  for (const answer of answers) {
    const text = textOf(fields, answer);
    if (text === undefined) return undefined;
    texts.push(text);
  }
  return isMany ? `{"${key}":{"${listKey}":[${texts.join(',')}]}}` : `{"${key}":${texts[0]}}`;
}

function textOf(fields: readonly AskedField[], answer: BeatAnswer): string | undefined {
  let text = '';
  for (const { key, name } of fields) {
    const value = WRITTEN[name]?.(answer);
    if (value === undefined) return undefined;
    text += text ? `,"${key}":${value}` : `{"${key}":${value}`;
  }
  return `${text}}`;
}
