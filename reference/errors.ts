import { exitCodeOf } from '../cli/output/exit-code.ts';
import { ERROR_CODES, type ErrorCode } from '../lib/errors.ts';
import { statusOf } from '../router/http/public-errors.ts';
import { page, table } from './markdown.ts';

interface ErrorText {
  /** What happened. */
  when: string;
  /** What the caller can do about it. */
  mend: string;
}

/** What is told of each code. A code of lib/errors.ts that is not here is a type error. */
const TEXTS: Record<ErrorCode, ErrorText> = {
  BAD_INPUT: {
    when: 'An argument, a variable, a header or the body of the request is not valid.',
    mend: 'Mend what the message and `field` name.',
  },
  BAD_CURSOR: {
    when: 'The cursor was altered, or belongs to another list.',
    mend: 'Start without it, or take one of this list.',
  },
  BAD_QUERY: {
    when: 'The operation cannot be read, is not valid for the schema, or cannot be planned; or a search text cannot be read.',
    mend: 'Mend what the message names; of a search text, at its column (docs/logs.md has the language).',
  },
  NOT_FOUND: {
    when: 'There is no such thing.',
    mend: 'Check the id or name.',
  },
  CONFLICT: {
    when: 'The present state or version does not allow it.',
    mend: 'Read it anew and decide again.',
  },
  UNAUTHENTICATED: {
    when: 'No credential, or one that is unknown, revoked or over.',
    mend: 'Send `Authorization: Bearer …` with a valid token.',
  },
  FORBIDDEN: {
    when: "The credential's scopes do not open this field, or the router does not answer to this Host (421).",
    mend: 'Use one with the scope the message names.',
  },
  INTROSPECTION_DISABLED: {
    when: 'Introspection needs the scope `schema:read`.',
    mend: 'Use a credential that has it, or the published schema/.',
  },
  IDEMPOTENCY_KEY_REUSED: {
    when: 'The key was used with other arguments in the last 24 hours.',
    mend: 'Take a new key.',
  },
  SECRET_ALREADY_SHOWN: {
    when: 'A repeat of what made a secret: it was shown once and is not kept.',
    mend: 'Make a new one.',
  },
  RATE_LIMITED: {
    when: 'Too many requests, points of cost, bytes or records of this client, too many subscriptions at once, or too many calls to this subgraph.',
    mend: 'Wait `retryAfterMs`; the headers `RateLimit` and `RateLimit-Policy` tell where you stand.',
  },
  OVERLOADED: {
    when: 'More waits than may: records to be stored, or operations for their turn; the least urgent are turned away first. Or the disk that records are stored on is nearly full.',
    mend: 'Send the same again after `retryAfterMs`.',
  },
  QUERY_TOO_LARGE: {
    when: 'The body or the operation is over a limit (bytes, tokens, depth, aliases, cost, …).',
    mend: 'Ask for less, or in parts.',
  },
  PERSISTED_QUERY_NOT_FOUND: {
    when: "No text is known by this hash (message `PersistedQueryNotFound`, status 200, as Apollo's clients expect).",
    mend: 'Send text and hash together once; such clients do so by themselves.',
  },
  PERSISTED_QUERY_NOT_SUPPORTED: {
    when: 'The router learns no texts from clients.',
    mend: 'Send the whole text.',
  },
  PERSISTED_QUERY_REQUIRED: {
    when: 'Only registered operations run here, and this is none of them.',
    mend: 'Add it to the list that `FLEET_OPERATIONS` names; send its hash or its exact text.',
  },
  TIMEOUT: {
    when: 'A subgraph or the store did not answer in time.',
    mend: 'Ask again, or for less.',
  },
  SUBGRAPH_UNAVAILABLE: {
    when: 'A subgraph is away or its breaker is open; only its fields are null.',
    mend: 'Ask again after `retryAfterMs`.',
  },
  AUDIT_UNAVAILABLE: {
    when: 'The audit trail cannot be written, so nothing was changed.',
    mend: 'Ask again after `retryAfterMs`.',
  },
  AUDIT_PENDING: {
    when: 'The entry or its leaf is not in the tree yet.',
    mend: 'Ask again in a second.',
  },
  RESUME_GAP: {
    when: 'Events behind the cursor are no longer kept, or the database was restored.',
    mend: 'Query anew and subscribe after its `changeCursor`.',
  },
  SLOW_CONSUMER: {
    when: 'The client read too slowly and was cut.',
    mend: 'Subscribe again after `cursor`.',
  },
  SCHEMA_CHANGED: {
    when: 'The schema no longer has what the stream selects.',
    mend: 'Mend the operation and subscribe after `cursor`.',
  },
  ENGINE_MISSING: {
    when: 'An embedded engine is needed and its optional package is not installed.',
    mend: "Install it, or set the engine's URL.",
  },
  INTERNAL: {
    when: 'A fault of ours; it is in the log under the `requestId`.',
    mend: 'Tell us the `requestId`.',
  },
};

const HEAD = `# Errors

Every error has \`extensions { code retryable requestId }\`, and \`retryAfterMs\` where waiting helps; only what a running stream is
cut with (\`SLOW_CONSUMER\`, \`UNAUTHENTICATED\`) has no \`requestId\`. The list is closed: it is \`ERROR_CODES\` in lib/errors.ts, and
\`npm run docs\` makes this page of it. Expected failures of a mutation are in its \`userErrors\`.

**Status** is the one of an answer over HTTP that has no data because of it; an answer that has some is 200, whatever its errors. Where
HTTP knows a more precise one it is used: 405 and 406 for a method or a form of answer that is not there, 409 for a stream in use, 413 and 415
for bodies, 421 for another's host. \`POST /v1/*\` answers as OTLP's clients expect: 429 for OVERLOADED, 503 for all that may pass.
**Again** says whether the same request may succeed later (\`retryable\`), **exit** is [the command line's](cli.md#exit-codes).
`;

/** What the SDKs and the command line say of what no platform said. */
const OF_CLIENTS: Record<string, ErrorText> = {
  UNREACHABLE: {
    when: 'Nobody answers at the address, or not in GraphQL.',
    mend: 'Check the address; the SDK tries again by itself.',
  },
  UNAVAILABLE: {
    when: 'A status of 500 or more without a code in its body: something before the platform is away.',
    mend: 'Ask again later.',
  },
};

const row = (name: string, { when, mend }: ErrorText, status: string, isRetryable: boolean) => [
  `\`${name}\``,
  status,
  isRetryable ? 'yes' : '',
  String(exitCodeOf(name)),
  when,
  mend,
];

/** docs/errors.md. */
export function errorPages(): Record<string, string> {
  const names = Object.keys(ERROR_CODES) as ErrorCode[];
  const rows = names.map((name) => row(name, TEXTS[name], String(statusOf(name)), ERROR_CODES[name].retryable));
  const own = Object.entries(OF_CLIENTS).map(([name, text]) => row(name, text, '', true));
  const head = ['code', 'status', 'again', 'exit', 'what happened', 'what to do'];
  return {
    'docs/errors.md': page(
      HEAD,
      table(head, rows),
      'The SDKs and the command line have two of their own, for what no platform said:',
      table(head, own),
    ),
  };
}

const SAID = /(?:\b\w*(?:Error|[Ff]ailure)\(\s*|\bcode:\s*)(['"])([A-Z][A-Z_]+)\1/g;

/**
 * Codes that sources give to callers and no page tells of.
 * @param sources path from the root → text
 * @returns one line each, with the file
 */
export function untoldCodes(sources: Readonly<Record<string, string>>): string[] {
  return Object.entries(sources).flatMap(([file, text]) =>
    [...new Set([...text.matchAll(SAID)].map((match) => match[2] as string))]
      .filter((code) => !(code in ERROR_CODES) && !(code in OF_CLIENTS))
      .map((code) => `${file}: the code ${code} is not in lib/errors.ts`),
  );
}
