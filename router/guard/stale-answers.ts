import type { Call } from '../../lib/call/signing.ts';
import type { CacheSize } from '../engine.ts';

/** What is kept at most, over all subgraphs and callers. */
export interface StaleLimits {
  entries: number;
  bytes: number;
}

export const STALE_LIMITS: StaleLimits = { entries: 10_000, bytes: 32_000_000 };

interface Kept {
  body: Buffer;
  atMs: number;
  sizeBytes: number;
}

/** What an entry weighs beside its text, bytes. */
const ENTRY_BYTES = 200;

/**
 * Answers without errors, to be served again when their subgraph cannot answer. One caller's are never another's: the key
 * has who asked, with which scopes.
 */
export class StaleAnswers {
  /** In order of use: the first was used longest ago. */
  readonly #kept = new Map<string, Kept>();
  #sizeBytes = 0;
  #hits = 0;
  #misses = 0;

  constructor(private readonly limits: StaleLimits) {}

  get size(): CacheSize {
    return { entries: this.#kept.size, sizeBytes: this.#sizeBytes, hits: this.#hits, misses: this.#misses };
  }

  keep(key: string, body: Buffer, nowMs: number): void {
    this.#drop(key);
    const sizeBytes = 2 * key.length + body.length + ENTRY_BYTES;
    if (sizeBytes > this.limits.bytes) return;
    // A copy: the bytes given may be a small part of a large buffer.
    this.#kept.set(key, { body: Buffer.from(body), atMs: nowMs, sizeBytes });
    this.#sizeBytes += sizeBytes;
    for (const [oldest] of this.#kept) {
      if (this.#sizeBytes <= this.limits.bytes && this.#kept.size <= this.limits.entries) break;
      this.#drop(oldest);
    }
  }

  /** @param maxAgeMs an older one is none, and is let go */
  find(key: string, maxAgeMs: number, nowMs: number): { body: Buffer; ageMs: number } | undefined {
    const kept = this.#kept.get(key);
    const ageMs = kept ? nowMs - kept.atMs : 0;
    if (!kept || ageMs > maxAgeMs) {
      this.#misses += 1;
      this.#drop(key);
      return undefined;
    }
    this.#hits += 1;
    this.#kept.delete(key);
    this.#kept.set(key, kept);
    return { body: kept.body, ageMs };
  }

  #drop(key: string): void {
    this.#sizeBytes -= this.#kept.get(key)?.sizeBytes ?? 0;
    this.#kept.delete(key);
  }
}

/** What tells one answer from another: subgraph, caller, scopes, request. */
export function staleKey(subgraph: string, { principal }: Call, body: string): string {
  return JSON.stringify([subgraph, principal.kind, principal.id, principal.agentId ?? '', principal.scopes, body]);
}
