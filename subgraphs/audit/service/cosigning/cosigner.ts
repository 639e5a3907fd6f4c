import type { Counter, Gauge } from 'prom-client';
import type { Clock } from '../../../../lib/clock.ts';
import { FleetError, messageOf } from '../../../../lib/errors.ts';
import type { Log } from '../../../../lib/log.ts';
import { addCheckpointText, cosignatureIn, type NoteVerifier } from '../../../../lib/signed-note/index.ts';
import { Worker } from '../../../../lib/worker.ts';
import type { CosignatureStore } from '../../store/index.ts';
import type { GivenState, MerkleLog } from '../merkle-log.ts';

const POLL_MS = 1_000;
/** How far a witness's clock may be ahead, seconds. */
const AHEAD_SECONDS = 300;
const SIZE = /^(0|[1-9]\d{0,14})\n$/;

/** What a witness answered. */
export interface WitnessAnswer {
  status: number;
  text: string;
}

/** Puts the text of an `add-checkpoint` before a witness. */
export type AskWitness = (text: string) => Promise<WitnessAnswer>;

export interface CosignerRooms {
  log: MerkleLog;
  cosignatures: CosignatureStore;
  clock: Clock;
  notes: Log;
  metrics: { size: Gauge<'witness'>; failed: Counter<'witness'> };
}

/** Has one witness cosign the newest checkpoint again and again (C2SP tlog-witness), and keeps what it said last. */
export class Cosigner {
  readonly #worker: Worker;

  constructor(
    private readonly witness: NoteVerifier,
    private readonly ask: AskWitness,
    private readonly rooms: CosignerRooms,
  ) {
    this.#worker = new Worker(
      () => this.step(),
      POLL_MS,
      (error) => this.#failed(error),
    );
  }

  start(): void {
    this.#worker.start();
  }

  stop(): Promise<void> {
    return this.#worker.stop();
  }

  /**
   * One round. @returns false: the next is not due yet
   * @throws CONFLICT when the witness knows another log under this name than there is, or a longer one
   */
  async step(): Promise<boolean> {
    const { log, cosignatures } = this.rooms;
    const given = await log.given();
    if (!given) return false;
    const last = await cosignatures.of(given.origin, this.witness.name);
    if (last?.size === given.size) return false;
    const oldSize = last?.size ?? 0;
    let answer = await this.#put(given, oldSize);
    if (answer.status === 409) {
      const size = Number(SIZE.exec(answer.text)?.[1] ?? Number.NaN);
      if (size !== oldSize && size <= given.size) answer = await this.#put(given, size);
      if (answer.status === 409) throw this.#otherLog(given, `${answer.text.trim()} entries`);
    }
    if (answer.status === 422) throw this.#otherLog(given, 'another past');
    if (answer.status !== 200) {
      throw new FleetError('AUDIT_UNAVAILABLE', `it answered ${answer.status}: ${answer.text.trim().slice(0, 200)}`);
    }
    await this.#keep(given, answer.text);
    return false;
  }

  async #put(given: GivenState, oldSize: number): Promise<WitnessAnswer> {
    const isLonger = oldSize > 0 && oldSize < given.size;
    // The newest state may be a later one by now: the proof is of the two sizes all the same.
    const proof = isLonger ? await this.rooms.log.consistency(String(oldSize), String(given.size)) : [];
    const hashes = proof.map((hash) => Buffer.from(hash, 'base64'));
    return await this.ask(addCheckpointText({ oldSize, hashes, note: given.signedNote }));
  }

  async #keep({ origin, size, signedNote }: GivenState, lines: string): Promise<void> {
    const { clock, cosignatures, metrics } = this.rooms;
    const found = cosignatureIn(`${signedNote}${lines}`, this.witness);
    const nowSeconds = clock.nowMs() / 1_000;
    if (!found || found.atSeconds > nowSeconds + AHEAD_SECONDS) {
      throw new FleetError('AUDIT_UNAVAILABLE', 'what it answered is not its cosignature');
    }
    const { line, atSeconds } = found;
    const witness = this.witness.name;
    await cosignatures.keep(origin, { witness, size, signedNote, line, cosignedAt: new Date(atSeconds * 1_000) });
    metrics.size.set({ witness }, size);
  }

  #otherLog({ origin, size }: GivenState, known: string): FleetError {
    return new FleetError(
      'CONFLICT',
      `the witness ${this.witness.name} has seen ${origin} with ${known}, and here it has ${size} entries: an older backup was put back, or the log was forked (docs/audit.md)`,
    );
  }

  #failed(error: unknown): void {
    const { notes, metrics } = this.rooms;
    const witness = this.witness.name;
    metrics.failed.inc({ witness });
    const isRefused = error instanceof FleetError && error.code === 'CONFLICT';
    const facts = { witness, error: messageOf(error) };
    if (isRefused) notes.error('audit.cosigning.refused', facts);
    else notes.warn('audit.cosigning.waits', facts);
  }
}
