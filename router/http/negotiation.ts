import { GRAPHQL_TYPE, JSON_TYPE } from './send.ts';

/** How a client wants to be answered. */
export type AnswerForm = { stream: true } | { stream: false; contentType: string };

/** What clients send is a handful of texts: read once each, and no more of them than this. */
const MAX_READ = 200;
const read = new Map<string | undefined, AnswerForm | undefined>();

/** As `readAccept`, remembered. */
export function negotiate(accept: string | undefined): AnswerForm | undefined {
  if (read.has(accept)) return read.get(accept);
  const form = readAccept(accept);
  if (read.size >= MAX_READ) read.clear();
  read.set(accept, form);
  return form;
}

/**
 * Reads an `accept` header (GraphQL over HTTP, Media Types).
 * @returns undefined when the client takes nothing this server gives
 */
function readAccept(accept: string | undefined): AnswerForm | undefined {
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
