import { readFile } from 'node:fs/promises';
import type { CryptoKey, JWTVerifyGetKey } from 'jose';
import { FleetError, messageOf } from '../../lib/errors.ts';

/** Where an issuer's public keys are read: an address of a JSON Web Key Set (RFC 7517), or the path of such a file. */
export type KeySource = () => Promise<string>;

/** An issuer's keys as they were shown at one time. */
export interface KeySet {
  /** Chooses the key that a token's header names. */
  readonly lookup: ReturnType<typeof import('jose').createLocalJWKSet>;
  /** Whether the issuer shows them still: what was verified by keys of before must be verified again. */
  isCurrent: boolean;
}

/** Keys are read anew after so long, in the background, milliseconds. */
const FRESH_MS = 600_000;
/** With the issuer away, keys read so lately still count, milliseconds. */
const STALE_MS = 24 * 3_600_000;
/** A key nobody knows makes the set be read anew, but not within so long of the last time, milliseconds. */
const COOL_DOWN_MS = 30_000;
/** A set that could not be read at all is tried again after so long, milliseconds. */
const RETRY_MS = 1_000;
const TIMEOUT_MS = 5_000;
const MAX_BYTES = 1_000_000;

/** The public keys of one issuer: read once, kept while the issuer is away, read anew when they change. */
export class KeyRing {
  #set: KeySet | undefined;
  #text: string | undefined;
  #readAtMs = Number.NEGATIVE_INFINITY;
  #triedAtMs = Number.NEGATIVE_INFINITY;
  #reading: Promise<void> | undefined;

  /** @param onFailure told why a set could not be read */
  constructor(
    private readonly source: KeySource,
    private readonly nowMs: () => number,
    private readonly onFailure: (error: string) => void = () => undefined,
  ) {}

  /**
   * The key for a token's header, and the set it is of.
   * @throws SUBGRAPH_UNAVAILABLE when no keys can be had, jose's errors when none of them fits
   */
  async keyFor(...named: Parameters<JWTVerifyGetKey>): Promise<{ key: CryptoKey; set: KeySet }> {
    const set = await this.#current();
    try {
      return { key: await set.lookup(...named), set };
    } catch (error) {
      if (!isUnknownKey(error)) throw error;
      const isKnownToFail = this.#triedAtMs > this.#readAtMs;
      if (this.nowMs() - this.#triedAtMs < COOL_DOWN_MS) throw isKnownToFail ? unavailable() : error;
      await this.#read();
      const now = this.#set as KeySet;
      return { key: await now.lookup(...named), set: now };
    }
  }

  async #current(): Promise<KeySet> {
    const ageMs = this.nowMs() - this.#readAtMs;
    if (!this.#set || ageMs > STALE_MS) await this.#read();
    else if (ageMs > FRESH_MS && this.nowMs() - this.#triedAtMs > COOL_DOWN_MS) {
      // Whoever asks meanwhile is served by the keys that are there; a failure is told and tried again.
      this.#read().catch(() => undefined);
    }
    return this.#set as KeySet;
  }

  /** Reads the set, once for all who wait for it. @throws SUBGRAPH_UNAVAILABLE */
  #read(): Promise<void> {
    if (this.#reading) return this.#reading;
    const isCooling = this.#triedAtMs > this.#readAtMs && this.nowMs() - this.#triedAtMs < RETRY_MS;
    if (isCooling) return Promise.reject(unavailable());
    this.#triedAtMs = this.nowMs();
    this.#reading = this.#take(this.#triedAtMs).finally(() => {
      this.#reading = undefined;
    });
    return this.#reading;
  }

  async #take(atMs: number): Promise<void> {
    try {
      const text = await this.source();
      if (text !== this.#text) {
        // Loaded only where it is used: it takes forty milliseconds of the start.
        const { createLocalJWKSet } = require('jose') as typeof import('jose');
        const set = { lookup: createLocalJWKSet(JSON.parse(text)), isCurrent: true };
        if (this.#set) this.#set.isCurrent = false;
        this.#set = set;
        this.#text = text;
      }
      this.#readAtMs = atMs;
    } catch (error) {
      this.onFailure(messageOf(error));
      throw unavailable();
    }
  }
}

/** The source at an address, or in a file. Follows no redirect. @param place https://…, http:// on loopback, or a path */
export function keySource(place: string): KeySource {
  if (!/^https?:\/\//.test(place)) return () => readFile(place, 'utf8');
  return async () => {
    const response = await fetch(place, { redirect: 'error', signal: AbortSignal.timeout(TIMEOUT_MS) });
    if (response.status !== 200) throw new Error(`${place} answered with status ${response.status}`);
    const chunks: Uint8Array[] = [];
    let sizeBytes = 0;
    for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
      sizeBytes += chunk.length;
      if (sizeBytes > MAX_BYTES) throw new Error(`${place} gives over ${MAX_BYTES} bytes`);
      chunks.push(chunk);
    }
    return Buffer.concat(chunks).toString();
  };
}

function isUnknownKey(error: unknown): boolean {
  return (error as { code?: unknown }).code === 'ERR_JWKS_NO_MATCHING_KEY';
}

function unavailable(): FleetError {
  return new FleetError('SUBGRAPH_UNAVAILABLE', 'the keys of this token’s issuer cannot be read now, try again', {
    retryAfterMs: RETRY_MS,
  });
}
