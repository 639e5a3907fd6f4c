import { GRAPHQL_TYPE, JSON_TYPE } from './send.ts';

/** How a client wants to be answered. */
export type AnswerForm = { stream: true } | { stream: false; contentType: string };

/**
 * Reads an `accept` header (GraphQL over HTTP, Media Types).
 * @returns undefined when the client takes nothing this server gives
 */
export function negotiate(accept: string | undefined): AnswerForm | undefined {
  const ranges = (accept ?? '*/*').split(',').flatMap((part) => {
    const [type = '', ...parameters] = part
      .trim()
      .toLowerCase()
      .split(/\s*;\s*/);
    const quality = Number(parameters.find((parameter) => parameter.startsWith('q='))?.slice(2) ?? 1);
    return type && quality > 0 ? [{ type, quality }] : [];
  });
  ranges.sort((one, other) => other.quality - one.quality);
  for (const { type } of ranges) {
    if (type === 'text/event-stream') return { stream: true };
    if (type === 'application/graphql-response+json') return { stream: false, contentType: GRAPHQL_TYPE };
    if (type === 'application/json' || type === 'application/*' || type === '*/*') {
      return { stream: false, contentType: JSON_TYPE };
    }
  }
  return undefined;
}
