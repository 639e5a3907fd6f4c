import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { closeSync, openSync, writeSync } from 'node:fs';
import { checkpointLine, entryLine, headerLine } from '../../lib/audit-export/index.ts';
import { GrowingTree, leafHash } from '../../lib/merkle/index.ts';
import { checkpointText, signNote, verifierKey } from '../../lib/signed-note/index.ts';
import { leafOf } from '../../subgraphs/audit/service/leaf.ts';

const DISTINCT = 1_000;

/** Canonical bytes of entries as a change of a configuration leaves them, some 700 bytes each. */
export function sampleLeaves(): Buffer[] {
  return Array.from({ length: DISTINCT }, (_, at) => {
    const config = (version: number) => ({
      model: 'gpt-5-mini',
      maxTokens: 4_096 + at,
      tools: ['git', 'shell'],
      version,
    });
    return leafOf(
      {
        id: randomUUID(),
        occurredAtMs: 1_764_500_000_000 + at,
        actor: { id: `key:${at % 7}`, kind: 'SCRIPT', name: `script-${at % 7}` },
        action: 'setAgentConfig',
        outcome: 'SUCCEEDED',
        isDryRun: false,
        reason: null,
        targetType: 'Agent',
        targetId: Buffer.from(`Agent:${randomUUID()}`).toString('base64url'),
        before: { config: config(at), labels: { team: 'atlas' } },
        after: { config: config(at + 1), labels: { team: 'atlas' } },
        requestId: randomUUID(),
        traceId: '0af7651916cd43dd8448eb211c80319c',
        clientIp: '127.0.0.1',
        causedBy: null,
      },
      Buffer.alloc(32),
    );
  });
}

/** Writes an exported log of so many entries. */
export function writeExport(file: string, leaves: readonly Buffer[], size: number): void {
  const signer = { name: 'fleetgraph.local/audit/bench', privateKey: generateKeyPairSync('ed25519').privateKey };
  const tree = new GrowingTree(0, []);
  const out = openSync(file, 'w');
  writeSync(out, headerLine(verifierKey(signer)));
  for (let at = 0; at < size; ) {
    const lines: Buffer[] = [];
    for (const end = Math.min(at + 1_000, size); at < end; at += 1) {
      const leaf = leaves[at % leaves.length] as Buffer;
      const hash = leafHash(leaf);
      tree.append(hash);
      lines.push(entryLine(at, hash, leaf));
    }
    writeSync(out, Buffer.concat(lines));
  }
  const text = checkpointText({ origin: signer.name, size, rootHash: tree.root });
  writeSync(out, checkpointLine(signNote(text, signer)));
  closeSync(out);
}
