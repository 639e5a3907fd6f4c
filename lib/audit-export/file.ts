import { createReadStream } from 'node:fs';
import { CHECKPOINT_START, HEADER_START } from './lines.ts';
import { Splitter } from './splitter.ts';
import { ExportVerifier, type Verified, type VerifierOptions } from './verifier.ts';

const CHUNK_BYTES = 1_048_576;

/**
 * Verifies an exported audit log in a file: no network, one pass, bounded memory.
 * @param progress told now and then how many entries were found whole
 * @throws Damage; what the file system throws
 */
export async function verifyFile(
  file: string,
  options: VerifierOptions = {},
  progress: (entries: number) => void = () => undefined,
): Promise<Verified> {
  const verifier = new ExportVerifier(options);
  for await (const chunk of createReadStream(file, { highWaterMark: CHUNK_BYTES })) {
    verifier.push(chunk as Buffer);
    progress(verifier.size);
  }
  return verifier.end();
}

/** How far an export in a file got: it goes on behind its last whole entry. */
export interface Kept {
  /** The log's name; empty before its header is there. */
  origin: string;
  entries: number;
  /** Of the header and the whole entries: what is behind them is written anew. */
  sizeBytes: number;
}

/** Looks how far an export got; nothing of it is verified. @returns undefined when the file is no export */
export async function keptIn(file: string): Promise<Kept | undefined> {
  const splitter = new Splitter();
  const kept: Kept = { origin: '', entries: -1, sizeBytes: 0 };
  let isOne = true;
  let isOver = false;
  for await (const chunk of createReadStream(file, { highWaterMark: CHUNK_BYTES })) {
    splitter.push(chunk as Buffer, (line) => {
      if (kept.entries < 0) {
        isOne &&= line.toString('latin1', 0, HEADER_START.length) === HEADER_START;
        [kept.origin = ''] = line.toString('utf8', HEADER_START.length).split('+');
      }
      isOver ||= line.toString('latin1', 0, CHECKPOINT_START.length) === CHECKPOINT_START;
      if (isOver) return;
      kept.entries += 1;
      kept.sizeBytes += line.length + 1;
    });
    if (!isOne) return undefined;
  }
  if (kept.entries < 0) return splitter.restBytes ? undefined : { ...kept, entries: 0 };
  return kept;
}
