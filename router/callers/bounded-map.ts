interface Entry<V> {
  value: V;
  /** Asked for since it was last passed over. */
  isUsed: boolean;
}

/** A map that forgets what was not asked for lately once it is full (the clock algorithm: a hit only sets a mark). */
export class BoundedMap<K, V> {
  readonly #entries = new Map<K, Entry<V>>();

  constructor(private readonly capacity: number) {}

  get(key: K): V | undefined {
    const entry = this.#entries.get(key);
    if (!entry) return undefined;
    entry.isUsed = true;
    return entry.value;
  }

  set(key: K, value: V): void {
    const known = this.#entries.get(key);
    if (known) {
      known.value = value;
      known.isUsed = true;
      return;
    }
    if (this.#entries.size >= this.capacity) this.#forgetOne();
    this.#entries.set(key, { value, isUsed: false });
  }

  delete(key: K): void {
    this.#entries.delete(key);
  }

  *values(): Generator<V> {
    for (const { value } of this.#entries.values()) yield value;
  }

  #forgetOne(): void {
    for (const [key, entry] of this.#entries) {
      this.#entries.delete(key);
      if (!entry.isUsed) return;
      this.#entries.set(key, { value: entry.value, isUsed: false });
    }
  }
}
