import { createPrivateKey, generateKeyPairSync } from 'node:crypto';
import type { Clock } from '../../../../lib/clock.ts';
import type { Transaction } from '../../../../lib/database.ts';
import { assert } from '../../../../lib/errors.ts';
import { verifyConsistency } from '../../../../lib/merkle/index.ts';
import {
  type AddCheckpoint,
  type Checkpoint,
  cosign,
  type NoteSigner,
  type NoteVerifier,
  openNote,
  readAddCheckpoint,
  readCheckpoint,
  SIZE_TYPE,
  verifierKey,
} from '../../../../lib/signed-note/index.ts';
import type { HouseRouteAnswer } from '../../../../lib/subgraph.ts';
import type { Witness, WitnessedLogStore } from '../../store/index.ts';

/** A log as this witness has seen it. */
export interface Seen extends Checkpoint {
  cosignedAt: Date;
}

/** A checkpoint that its log has signed. */
interface Signed extends Checkpoint {
  /** What was signed. */
  text: string;
}

const TEXT = { 'content-type': 'text/plain; charset=utf-8' };

/**
 * The witness of other logs (C2SP tlog-witness): cosigns a checkpoint only if the log goes on in it from all that was cosigned of
 * it before. What was cosigned last is kept in the database and in a file beside it, and the larger one counts: a database put
 * back from a backup makes no witness forget.
 */
export class WitnessDesk {
  #signer: NoteSigner | undefined;

  constructor(
    /** The logs that it cosigns; the name of a key is its log's origin. */
    private readonly logs: readonly NoteVerifier[],
    private readonly store: WitnessedLogStore,
    private readonly files: Witness,
    private readonly clock: Clock,
  ) {}

  /** Takes up the key; makes it at the first start. */
  async open(): Promise<void> {
    if (!this.logs.length) return;
    const made = {
      name: `fleetgraph.local/witness/${this.clock.uuid()}`,
      privateKey: generateKeyPairSync('ed25519').privateKey.export({ format: 'der', type: 'pkcs8' }),
    };
    const { name, privateKey } = await this.store.begin(made, new Date(this.clock.nowMs()));
    this.#signer = { name, privateKey: createPrivateKey({ key: privateKey, format: 'der', type: 'pkcs8' }) };
  }

  /** `name+id+key`; undefined while it is nobody's witness. */
  get key(): string | undefined {
    return this.#signer && verifierKey(this.#signer, 'cosignature');
  }

  /** The logs that were cosigned, as they were last. */
  async seen(): Promise<Seen[]> {
    const all = await this.store.all();
    return all.flatMap(({ origin, signedNote, cosignedAt }) => {
      const checkpoint = this.#opened(signedNote, origin);
      return checkpoint ? [{ ...checkpoint, cosignedAt }] : [];
    });
  }

  /** Answers `add-checkpoint`. @param body its text */
  async add(body: string): Promise<HouseRouteAnswer> {
    const asked = readAddCheckpoint(body);
    const [origin = ''] = asked?.note.split('\n', 1) ?? [];
    if (!asked) return refusal(400, 'this is not an old size, a consistency proof and a checkpoint');
    if (!this.#signer || !this.#known(origin).length) return refusal(404, 'this log is not known here');
    const wanted = this.#opened(asked.note, origin);
    if (!wanted) return refusal(403, 'the checkpoint is not signed by the key that is known of this log');
    if (asked.oldSize > wanted.size) return refusal(400, 'the old size is larger than the checkpoint’s');
    return await this.store.alone((tx) => this.#cosign(tx, { ...asked, wanted }));
  }

  async #cosign(
    tx: Transaction,
    { oldSize, hashes, note, wanted }: AddCheckpoint & { wanted: Signed },
  ): Promise<HouseRouteAnswer> {
    const { origin, size, text } = wanted;
    const [stored, filed] = [await this.store.note(tx, origin), await this.files.read(origin)];
    const known = newer(this.#read(origin, stored), this.#read(origin, filed));
    const isOther = known?.size === size && !known.rootHash.equals(wanted.rootHash);
    if (oldSize !== (known?.size ?? 0) || isOther) {
      return { status: 409, headers: { 'content-type': SIZE_TYPE }, body: `${known?.size ?? 0}\n` };
    }
    if (!goesOn(known, wanted, hashes)) return refusal(422, 'the proof does not show that the log goes on');
    const cosignedAt = new Date(this.clock.nowMs());
    await this.files.write(origin, note);
    await this.store.keep(tx, { origin, signedNote: note, cosignedAt });
    const line = cosign(text, this.#signer as NoteSigner, Math.floor(cosignedAt.getTime() / 1_000));
    return { status: 200, headers: TEXT, body: line };
  }

  #known(origin: string): NoteVerifier[] {
    return this.logs.filter(({ name }) => name === origin);
  }

  /** @throws when what was written here is not what the log signed: then nothing is cosigned */
  #read(origin: string, note: string | undefined): Signed | undefined {
    const checkpoint = note === undefined ? undefined : this.#opened(note, origin);
    assert(note === undefined || checkpoint, `what is known of the log ${origin} is signed by it`);
    return checkpoint;
  }

  #opened(note: string, origin: string): Signed | undefined {
    const text = openNote(note, this.#known(origin));
    const checkpoint = text === undefined ? undefined : readCheckpoint(text);
    return text !== undefined && checkpoint?.origin === origin ? { ...checkpoint, text } : undefined;
  }
}

function newer(one: Signed | undefined, other: Signed | undefined): Signed | undefined {
  return (other?.size ?? -1) > (one?.size ?? -1) ? other : one;
}

/** Whether the proof shows it. From an empty log, and to the same, there is nothing to show. */
function goesOn(known: Signed | undefined, wanted: Signed, hashes: Buffer[]): boolean {
  if (!known?.size || known.size === wanted.size) return hashes.length === 0;
  return verifyConsistency({
    size1: known.size,
    size2: wanted.size,
    root1: known.rootHash,
    root2: wanted.rootHash,
    hashes,
  });
}

function refusal(status: number, sentence: string): HouseRouteAnswer {
  return { status, headers: TEXT, body: `${sentence}\n` };
}
