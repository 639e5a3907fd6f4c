import { createHash } from 'node:crypto';
import { FleetError } from '../../lib/errors.ts';
import type { CacheSize, GraphRequest } from '../engine.ts';
import { ByteCache } from '../plan/byte-cache.ts';
import type { RegisteredOperations } from './registered.ts';

/** A request as a client sends it: its text, or the name of a text that is known here, or both. */
export interface ClientRequest extends Omit<GraphRequest, 'query'> {
  /** Undefined: the text is known by its name. */
  query: string | undefined;
  /** SHA-256 of the text (`extensions.persistedQuery.sha256Hash`), or its name in the list (also `documentId`). */
  documentId?: string;
  /** What it is called on a stream of several (graphql-sse, single connection). */
  operationId?: string;
  /** Whether a stream's heartbeats are to come as payloads too (`extensions.heartbeat`). */
  wantsHeartbeat?: boolean;
}

/** A request with its text. */
export interface KnownRequest {
  request: GraphRequest;
  /** The text is of the registered list: document limits are not asked. */
  isTrusted: boolean;
}

export interface DocumentsOptions {
  /** Operations that are known from the start. */
  registered?: RegisteredOperations | undefined;
  /** Run nothing but those. */
  registeredOnly?: boolean;
  /** What texts learned from clients may take together, bytes; 0 learns none. 8 MB unless given. */
  learnedBytes?: number;
}

const LEARNED_BYTES = 8_000_000;
const SHA_256 = /^[0-9a-f]{64}$/;

/** Texts of operations by their names: those registered, and those that clients sent once (automatic persisted queries). */
export class Documents {
  readonly #learned: ByteCache<string>;
  readonly #learns: boolean;

  constructor(private readonly options: DocumentsOptions = {}) {
    const { registeredOnly = false, learnedBytes = LEARNED_BYTES } = options;
    this.#learns = !registeredOnly && learnedBytes > 0;
    this.#learned = new ByteCache(learnedBytes);
  }

  /** What was learned, for metrics. */
  get size(): CacheSize {
    return this.#learned.size;
  }

  /**
   * The request with its text.
   * @param isStrict whether a router that runs registered operations only holds this caller to it
   * @throws PERSISTED_QUERY_NOT_FOUND for a name nobody knows: the client sends the text with it once;
   *   PERSISTED_QUERY_NOT_SUPPORTED where that would not help; PERSISTED_QUERY_REQUIRED for a text outside the list where
   *   nothing else runs; BAD_INPUT when text and hash do not belong together
   */
  resolve(sent: ClientRequest, isStrict = true): KnownRequest {
    const { query, documentId } = sent;
    if (documentId === undefined) return this.#byText(sent as GraphRequest, isStrict);
    const listed = this.options.registered?.textOf(documentId);
    if (listed !== undefined) {
      if (query !== undefined && query !== listed) throw mismatch();
      return { request: { ...sent, query: listed }, isTrusted: true };
    }
    if (query === undefined)
      return { request: { ...sent, query: this.#recall(documentId, isStrict) }, isTrusted: false };
    if (this.#learned.get(documentId) !== query && hashOf(query) !== documentId) throw mismatch();
    return this.#byText(sent as GraphRequest, isStrict);
  }

  /** Remembers a text that came with its hash, once it has proved to be an operation. */
  learn({ query, documentId }: ClientRequest): void {
    if (documentId === undefined || query === undefined || !this.#learns || this.#learned.get(documentId)) return;
    if (!this.options.registered?.textOf(documentId)) this.#learned.set(documentId, query, 2 * query.length + 200);
  }

  #byText(request: GraphRequest, isStrict: boolean): KnownRequest {
    const { registered, registeredOnly } = this.options;
    if (!registered && !registeredOnly) return { request, isTrusted: false };
    const isTrusted = registered?.has(request.query) ?? false;
    if (registeredOnly && isStrict && !isTrusted) throw required();
    return { request, isTrusted };
  }

  #recall(documentId: string, isStrict: boolean): string {
    if (this.options.registeredOnly && isStrict) throw required();
    if (!this.#learns) throw new FleetError('PERSISTED_QUERY_NOT_SUPPORTED', 'PersistedQueryNotSupported');
    const text = SHA_256.test(documentId) ? this.#learned.get(documentId) : undefined;
    // The sentence is what Apollo's clients look for.
    if (text === undefined) throw new FleetError('PERSISTED_QUERY_NOT_FOUND', 'PersistedQueryNotFound');
    return text;
  }
}

/** SHA-256 of a text, hexadecimal, as clients name it. */
export function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

function mismatch(): FleetError {
  return new FleetError('BAD_INPUT', 'provided sha does not match query: send the text that the hash is of');
}

function required(): FleetError {
  return new FleetError(
    'PERSISTED_QUERY_REQUIRED',
    'this router runs registered operations only: register this one, and send its hash or its exact text',
  );
}
