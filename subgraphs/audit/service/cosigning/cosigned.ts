import { readCheckpoint } from '../../../../lib/signed-note/index.ts';
import { AuditCosigned } from '../../entity/index.ts';
import type { StoredCosignature } from '../../store/index.ts';

/** The newest checkpoint that a witness cosigned, with the lines of all that cosigned this one; undefined when none did. */
export function cosignedOf(all: readonly StoredCosignature[]): AuditCosigned | undefined {
  const size = Math.max(...all.map((each) => each.size));
  const same = all.filter((each) => each.size === size);
  const [newest] = same;
  const checkpoint = newest && readCheckpoint(newest.signedNote.slice(0, newest.signedNote.lastIndexOf('\n\n') + 1));
  if (!newest || !checkpoint) return undefined;
  return Object.assign(new AuditCosigned(), {
    size: String(size),
    rootHash: checkpoint.rootHash.toString('base64'),
    signedNote: `${newest.signedNote}${same.map(({ line }) => line).join('')}`,
    witnesses: same.map(({ witness }) => witness),
    cosignedAt: new Date(Math.max(...same.map(({ cosignedAt }) => cosignedAt.getTime()))),
  });
}
