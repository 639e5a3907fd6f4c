import { generateKeyPairSync } from 'node:crypto';
import { checkpointLine, entryLine, headerLine } from '../../lib/audit-export/index.ts';
import { GrowingTree, leafHash } from '../../lib/merkle/index.ts';
import { nodeId } from '../../lib/node-id.ts';
import { checkpointText, type NoteSigner, signNote, verifierKey } from '../../lib/signed-note/index.ts';
import { leafOf } from '../../subgraphs/audit/service/leaf.ts';
import { draft } from './support.ts';

export const SIGNER: NoteSigner = {
  name: 'fleetgraph.local/audit/sample',
  privateKey: generateKeyPairSync('ed25519').privateKey,
};

export interface SampleEntry {
  id: string;
  leaf: Buffer;
}

/** Entries as houses write them, each different. */
export function sampleEntries(count: number): SampleEntry[] {
  return Array.from({ length: count }, (_, at) => {
    const entry = draft({ reason: `reason ${at}`, before: { at }, after: { at: at + 1, text: 'ä\n"'.repeat(at % 5) } });
    return { id: nodeId('AuditEntry', entry.id), leaf: leafOf(entry, Buffer.alloc(32)) };
  });
}

/** The lines of an export of these entries. */
export interface SampleExport {
  header: Buffer;
  entries: Buffer[];
  checkpoint: Buffer;
  note: string;
}

export function sampleExport(entries: readonly SampleEntry[], signer = SIGNER): SampleExport {
  const tree = new GrowingTree(0, []);
  const hashes = entries.map(({ leaf }) => leafHash(leaf));
  for (const hash of hashes) tree.append(hash);
  const text = checkpointText({ origin: signer.name, size: tree.size, rootHash: tree.root });
  const note = signNote(text, signer);
  return {
    header: Buffer.from(headerLine(verifierKey(signer))),
    entries: entries.map(({ leaf }, at) => entryLine(at, hashes[at] as Buffer, leaf)),
    checkpoint: Buffer.from(checkpointLine(note)),
    note,
  };
}

export function bytesOf({ header, entries, checkpoint }: Omit<SampleExport, 'note'>): Buffer {
  return Buffer.concat([header, ...entries, checkpoint]);
}

/** Numbers that are the same in every run. @returns whole numbers from 0 up to `below`, exclusive (mulberry32) */
export function seeded(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 4_294_967_296) * below);
  };
}
