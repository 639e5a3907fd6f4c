import { GrowingTree, leafHashIn } from '../merkle/index.ts';
import { nodeId } from '../node-id.ts';
import {
  type Checkpoint,
  cosignatureIn,
  type NoteVerifier,
  openNote,
  readCheckpoint,
  readVerifierKey,
} from '../signed-note/index.ts';
import { Damage } from './damage.ts';
import {
  CHECKPOINT_START,
  checkpointLine,
  entryLine,
  entryStart,
  HASH_CHARACTERS,
  HEADER_START,
  headerLine,
  LEAF_START,
} from './lines.ts';
import { Splitter } from './splitter.ts';

export interface VerifierOptions {
  /** `name+id+key` that must have signed it; the file's own unless given. */
  key?: string | undefined;
  /** A signed note of the same log from earlier: the file must go on from it. */
  older?: string | undefined;
  /** Keys of witnesses, `name+id+key`, each of which must have cosigned the older one. */
  witnesses?: readonly string[] | undefined;
  /** Whether entries whose bytes retention removed are taken by their hash alone. */
  mayBeRemoved?: boolean | undefined;
}

/** What was found whole. */
export interface Verified {
  origin: string;
  key: string;
  size: number;
  rootHash: string;
  signedNote: string;
  /** Entries of which only the hash is left. */
  removed: number;
}

/**
 * Verifies an exported audit log as it is read, in one pass and in bounded memory: each entry's bytes against its hash, its place,
 * the root over all of them against the signed checkpoint, and the beginning against an older checkpoint.
 * Each method @throws Damage for the first thing that is wrong
 */
export class ExportVerifier {
  readonly #splitter = new Splitter();
  readonly #tree = new GrowingTree(0, []);
  #key: NoteVerifier | undefined;
  #keyText = '';
  #older: Checkpoint | undefined;
  #found: Verified | undefined;
  #removed = 0;

  constructor(private readonly options: VerifierOptions = {}) {}

  /** Entries that were found whole so far. */
  get size(): number {
    return this.#tree.size;
  }

  push(chunk: Buffer): void {
    if (!this.#splitter.push(chunk, (line) => this.#line(line)))
      throw new Damage('UNREADABLE', `entry ${this.size} has no end`, this.size);
  }

  /** All of it was read. */
  end(): Verified {
    const found = this.#found;
    if (this.#splitter.restBytes && found) throw new Damage('BEYOND', 'something stands behind the checkpoint');
    if (!found || this.#splitter.restBytes) {
      throw new Damage('TRUNCATED', `it ends without a checkpoint, behind ${this.size} whole entries`, this.size);
    }
    return found;
  }

  #line(line: Buffer): void {
    if (!this.#key) this.#header(line);
    else if (this.#found) throw new Damage('BEYOND', 'something stands behind the checkpoint');
    else if (line.toString('latin1', 0, CHECKPOINT_START.length) === CHECKPOINT_START) this.#checkpoint(line);
    else this.#entry(line);
  }

  #header(line: Buffer): void {
    const text = line.toString();
    const key = text.slice(HEADER_START.length, -2);
    if (headerLine(key) !== `${text}\n` || !line.equals(Buffer.from(text)))
      throw new Damage('UNREADABLE', 'the first line is not the header of an exported audit log');
    const { key: wanted = key, older } = this.options;
    if (key !== wanted) throw new Damage('UNSIGNED', 'it names another key than the one that was given');
    try {
      this.#key = readVerifierKey(key);
    } catch {
      throw new Damage('UNREADABLE', 'the key in its header is none');
    }
    this.#keyText = key;
    if (older === undefined) return;
    this.#older = this.#opened(older);
    if (!this.#older) throw new Damage('UNSIGNED', 'the older checkpoint is not signed by the key of this log');
    for (const witness of this.options.witnesses ?? []) {
      const verifier = readVerifierKey(witness, 'cosignature');
      if (!cosignatureIn(older, verifier))
        throw new Damage('UNSIGNED', `the older checkpoint is not cosigned by ${verifier.name}`);
    }
    this.#compare();
  }

  /** The road of every entry: nothing is parsed, and its bytes are hashed where they stand. */
  #entry(line: Buffer): void {
    const start = entryStart(this.size);
    const hashEnd = start.length + HASH_CHARACTERS;
    const leafAt = hashEnd + LEAF_START.length;
    const isEntry =
      line.toString('latin1', 0, start.length) === start &&
      line.toString('latin1', hashEnd, leafAt) === LEAF_START &&
      line[line.length - 1] === 0x7d;
    if (!isEntry) {
      this.#oddEntry(line);
      return;
    }
    const hash = leafHashIn(line, leafAt, line.length - 1);
    if (hash !== line.toString('latin1', start.length, hashEnd)) {
      const id = idIn(line.subarray(leafAt, -1));
      throw new Damage(
        'ALTERED',
        `the bytes of entry ${this.size}${named(id)} are not those of its hash`,
        this.size,
        id,
      );
    }
    this.#append(Buffer.from(hash, 'base64'));
  }

  /** What is not the entry that should come, or one without its bytes. */
  #oddEntry(line: Buffer): void {
    const at = this.size;
    const { index, hash, leaf } = readEntry(line);
    const id = leaf === undefined ? null : idIn(Buffer.from(JSON.stringify(leaf)));
    if (typeof index !== 'number' || !Number.isSafeInteger(index) || index < 0)
      throw new Damage('UNREADABLE', `what stands in the place of entry ${at} cannot be read`, at, id);
    if (index > at) {
      const before = `before entry ${index}${named(id)}`;
      throw new Damage('MISSING', `${index - at} entries from ${at} on are missing ${before}`, at, id);
    }
    if (index < at)
      throw new Damage('MISPLACED', `entry ${index}${named(id)} stands in the place of entry ${at}`, at, id);
    const bytes = Buffer.from(String(hash), 'base64');
    if (leaf !== undefined || !entryLine(index, bytes, null).equals(Buffer.concat([line, Buffer.from('\n')])))
      throw new Damage('UNREADABLE', `entry ${at}${named(id)} is not written as entries are`, at, id);
    if (!this.options.mayBeRemoved) throw new Damage('REMOVED', `the bytes of entry ${at} were removed`, at);
    this.#removed += 1;
    this.#append(bytes);
  }

  #append(hash: Buffer): void {
    this.#tree.append(hash);
    if (this.size === this.#older?.size) this.#compare();
  }

  #compare(): void {
    if (this.#older?.size !== this.size || this.#tree.root.equals(this.#older.rootHash)) return;
    throw new Damage('FORKED', `its first ${this.size} entries are not those of the older checkpoint`);
  }

  #checkpoint(line: Buffer): void {
    const note = noteIn(line);
    const signed = note === undefined ? undefined : this.#opened(note);
    if (note === undefined || !signed)
      throw new Damage('UNSIGNED', 'its checkpoint was altered or is not signed by the key');
    const { origin, size, rootHash } = signed;
    if (size > this.size)
      throw new Damage(
        'MISSING',
        `${size - this.size} entries are missing at the end, from ${this.size} on`,
        this.size,
      );
    if (size < this.size) throw new Damage('BEYOND', `entry ${size} and what follows are beyond what was signed`, size);
    if (!rootHash.equals(this.#tree.root)) throw new Damage('ALTERED', this.#whereAltered());
    if (this.#older && this.#older.size > size) {
      const sizes = `it has ${size} entries, and an older checkpoint ${this.#older.size}`;
      throw new Damage('ROLLED_BACK', `${sizes}: it was made from an old backup, or its end was cut`, size);
    }
    const root = rootHash.toString('base64');
    this.#found = { origin, key: this.#keyText, size, rootHash: root, signedNote: note, removed: this.#removed };
  }

  #whereAltered(): string {
    const from = this.#older && this.#older.size < this.size ? this.#older.size : 0;
    const range = `of the entries ${from} to ${this.size - 1}`;
    return `an entry ${range} was altered, and its hash with it: each fits its hash, and all together not the signed root`;
  }

  /** What a note says, if the log's key signed it. */
  #opened(note: string): Checkpoint | undefined {
    const key = this.#key as NoteVerifier;
    const text = openNote(note, [key]);
    const checkpoint = text === undefined ? undefined : readCheckpoint(text);
    return checkpoint?.origin === key.name ? checkpoint : undefined;
  }
}

function readEntry(line: Buffer): { index?: unknown; hash?: unknown; leaf?: unknown } {
  try {
    const value: unknown = JSON.parse(line.toString());
    return value && typeof value === 'object' ? value : {};
  } catch {
    return {};
  }
}

/** The note of a line that is written as such lines are, byte for byte. */
function noteIn(line: Buffer): string | undefined {
  try {
    const { checkpoint } = JSON.parse(line.toString()) as { checkpoint: string };
    return Buffer.from(checkpointLine(checkpoint)).equals(Buffer.concat([line, Buffer.from('\n')]))
      ? checkpoint
      : undefined;
  } catch {
    return undefined;
  }
}

/** An entry's own id is known by what stands behind it: other things have ids too. Leaves of version 1 have no `isDryRun`. */
const ID = /"id":"([0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12})",(?:"isDryRun":(?:true|false),)?"occurredAt"/;

/** The node id in an entry's bytes, if they can still be read. */
function idIn(leaf: Buffer): string | null {
  const [, uuid] = ID.exec(leaf.toString()) ?? [];
  return uuid === undefined ? null : nodeId('AuditEntry', uuid);
}

function named(id: string | null): string {
  return id === null ? '' : ` (${id})`;
}
