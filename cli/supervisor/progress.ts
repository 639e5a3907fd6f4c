/** Tells each slow step on a terminal; elsewhere it is silent, so that a log holds only what matters. */
export class Progress {
  constructor(
    private readonly out: NodeJS.WriteStream,
    private readonly nowMs: () => number,
  ) {}

  /** Runs a step and shows its name and time. */
  async step<T>(name: string, work: () => Promise<T>): Promise<T> {
    const startedMs = this.nowMs();
    if (this.out.isTTY) this.out.write(`… ${name}`);
    try {
      return await work();
    } finally {
      if (this.out.isTTY) this.out.write(`\r✓ ${name} ${((this.nowMs() - startedMs) / 1_000).toFixed(1)} s\n`);
    }
  }
}
