/** Values of one statement: each is bound by a name of ours, never written into the text. */
export class Parameters {
  readonly values: Record<string, unknown> = {};
  #count = 0;

  /** @param type ClickHouse's, e.g. `Array(String)` @returns what stands for the value in the statement */
  bind(type: string, value: unknown): string {
    const name = `p${this.#count}`;
    this.#count += 1;
    this.values[name] = value;
    return `{${name}:${type}}`;
  }
}
