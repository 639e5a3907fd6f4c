/** Keeps what was used last, up to a number of bytes. */
export class ByteCache<V> {
  readonly #entries = new Map<string, { value: V; sizeBytes: number }>();
  #sizeBytes = 0;
  #hits = 0;
  #misses = 0;

  /** @param limitBytes what all entries together may weigh; one that weighs more alone is not kept */
  constructor(private readonly limitBytes: number) {}

  get(key: string): V | undefined {
    const entry = this.#entries.get(key);
    if (!entry) {
      this.#misses += 1;
      return undefined;
    }
    this.#hits += 1;
    // A map iterates in order of insertion, so the entry used last goes to the end.
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    return entry.value;
  }

  set(key: string, value: V, sizeBytes: number): void {
    this.delete(key);
    if (sizeBytes > this.limitBytes) return;
    this.#entries.set(key, { value, sizeBytes });
    this.#sizeBytes += sizeBytes;
    for (const [oldest] of this.#entries) {
      if (this.#sizeBytes <= this.limitBytes) break;
      this.delete(oldest);
    }
  }

  delete(key: string): void {
    this.#sizeBytes -= this.#entries.get(key)?.sizeBytes ?? 0;
    this.#entries.delete(key);
  }

  /** Entries and their weight, for metrics. */
  get size(): { entries: number; sizeBytes: number; hits: number; misses: number } {
    return { entries: this.#entries.size, sizeBytes: this.#sizeBytes, hits: this.#hits, misses: this.#misses };
  }
}
