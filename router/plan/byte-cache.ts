interface Entry<V> {
  value: V;
  sizeBytes: number;
  /** Asked for since it was last passed over. */
  isUsed: boolean;
  hits: number;
}

/**
 * Keeps what is used, up to a number of bytes: the oldest goes first, unless it was asked for since its last turn (the
 * clock algorithm). A hit only sets a mark: moving entries about would make garbage with every request.
 */
export class ByteCache<V> {
  readonly #entries = new Map<string, Entry<V>>();
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
    entry.isUsed = true;
    entry.hits += 1;
    return entry.value;
  }

  set(key: string, value: V, sizeBytes: number): void {
    this.delete(key);
    if (sizeBytes > this.limitBytes) return;
    this.#makeRoom(sizeBytes);
    this.#entries.set(key, { value, sizeBytes, isUsed: false, hits: 0 });
    this.#sizeBytes += sizeBytes;
  }

  delete(key: string): void {
    this.#sizeBytes -= this.#entries.get(key)?.sizeBytes ?? 0;
    this.#entries.delete(key);
  }

  /** Entries and their weight, for metrics. */
  get size(): { entries: number; sizeBytes: number; hits: number; misses: number } {
    return { entries: this.#entries.size, sizeBytes: this.#sizeBytes, hits: this.#hits, misses: this.#misses };
  }

  /** The keys that were asked for most, at most so many. */
  hottest(most: number): string[] {
    const byHits = [...this.#entries].sort(([, one], [, other]) => other.hits - one.hits);
    return byHits.slice(0, most).map(([key]) => key);
  }

  #makeRoom(sizeBytes: number): void {
    // A map iterates in order of insertion, and meets again what was put back at its end: by then its mark is gone.
    for (const [key, entry] of this.#entries) {
      if (this.#sizeBytes + sizeBytes <= this.limitBytes) return;
      this.#entries.delete(key);
      if (entry.isUsed) this.#entries.set(key, { ...entry, isUsed: false });
      else this.#sizeBytes -= entry.sizeBytes;
    }
  }
}
