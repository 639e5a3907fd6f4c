import { type ExportedEntry, entryLine, ocsfOf } from '../../../../lib/audit-export/index.ts';
import type { StoredLeaf } from '../../store/index.ts';

export type SinkFormat = 'ndjson' | 'ocsf';

/** Entries that go out together. */
export interface Batch {
  /** The same for each attempt, also after a crash: whoever knows ids takes it once. */
  id: string;
  /** One line an entry, in their order, without line ends; those whose bytes retention removed tell their hash alone. */
  lines: SinkLine[];
}

export interface SinkLine {
  index: number;
  outcome: 'SUCCEEDED' | 'FAILED' | 'DENIED';
  occurredAt: string | null;
  text: string;
}

/** @param first index of the first leaf */
export function batchOf(log: string, first: number, leaves: readonly StoredLeaf[], format: SinkFormat): Batch {
  const lines = leaves.flatMap((stored, at) => lineOf(first + at, stored, format) ?? []);
  return { id: `${log}/${first}-${first + leaves.length - 1}`, lines };
}

/** Undefined where there is nothing to tell: an event needs what retention took. */
function lineOf(index: number, { leaf, leafHash }: StoredLeaf, format: SinkFormat): SinkLine | undefined {
  const line = entryLine(index, leafHash, leaf).toString().trimEnd();
  if (!leaf) return format === 'ocsf' ? undefined : { index, outcome: 'SUCCEEDED', occurredAt: null, text: line };
  const entry = JSON.parse(line) as ExportedEntry;
  const { outcome, occurredAt } = entry.leaf;
  return { index, outcome, occurredAt, text: format === 'ocsf' ? JSON.stringify(ocsfOf(entry)) : line };
}
