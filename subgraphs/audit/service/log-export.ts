import { checkpointLine, entryLine, headerLine } from '../../../lib/audit-export/index.ts';
import { assert, FleetError } from '../../../lib/errors.ts';
import type { LeafStore } from '../store/index.ts';
import type { GivenState, MerkleLog } from './merkle-log.ts';

/** Exports that run at the same time: each holds a page of entries, and the database reads one for it. */
const MAX_RUNNING = 4;
const RETRY_MS = 5_000;

/** Gives out the whole log as lines that can be verified without us (docs/audit.md, Export). */
export class LogExport {
  #running = 0;

  constructor(
    private readonly leaves: LeafStore,
    private readonly log: MerkleLog,
  ) {}

  /**
   * The log from an entry on up to the newest checkpoint, a page at a time.
   * @param from index of the first entry; with 0 the header stands before it
   * @throws NOT_FOUND beyond the newest checkpoint, OVERLOADED while too many run, CONFLICT as the log's `given`
   */
  async open(from: number): Promise<AsyncIterable<Buffer>> {
    if (this.#running >= MAX_RUNNING) {
      throw new FleetError('OVERLOADED', `${MAX_RUNNING} exports are running: try again`, { retryAfterMs: RETRY_MS });
    }
    const given = await this.log.given();
    if (!given || from > given.size)
      throw new FleetError('NOT_FOUND', `the newest checkpoint has ${given?.size ?? 0} entries`, { field: ['from'] });
    return this.#lines(from, given);
  }

  async *#lines(from: number, { size, key, signedNote }: GivenState): AsyncGenerator<Buffer, void> {
    this.#running += 1;
    try {
      if (from === 0) yield Buffer.from(headerLine(key));
      for (let at = from; at < size; ) {
        const page = await this.leaves.page(at, size);
        assert(page.length, 'there is an entry at every place below the size');
        const first = at;
        yield Buffer.concat(page.map(({ leaf, leafHash }, i) => entryLine(first + i, leafHash, leaf)));
        at += page.length;
      }
      yield Buffer.from(checkpointLine(signedNote));
    } finally {
      this.#running -= 1;
    }
  }
}
