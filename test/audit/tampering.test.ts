import { generateKeyPairSync } from 'node:crypto';
import { Damage, ExportVerifier, entryLine, type VerifierOptions } from '../../lib/audit-export/index.ts';
import { leafHash } from '../../lib/merkle/index.ts';
import { verifierKey } from '../../lib/signed-note/index.ts';
import { bytesOf, type SampleEntry, SIGNER, sampleEntries, sampleExport, seeded } from './sample-export.ts';

const TRIALS = 1_000;
const LARGEST = 40;
const all = sampleEntries(LARGEST);
const strangers = sampleEntries(LARGEST);
type Random = (below: number) => number;

function verdict(bytes: Buffer, options: VerifierOptions = {}): Damage | 'whole' {
  const verifier = new ExportVerifier(options);
  try {
    // In pieces, as a file is read: what a piece ends in goes on in the next.
    for (let at = 0; at < bytes.length; at += 1_000) verifier.push(Buffer.from(bytes.subarray(at, at + 1_000)));
    verifier.end();
    return 'whole';
  } catch (error) {
    if (error instanceof Damage) return error;
    throw error;
  }
}

/** Runs a tampering on logs of all sizes. It tells what must be found; a trial where anything else was is told with its number. */
function trials(
  seed: number,
  tamper: (
    random: Random,
    entries: SampleEntry[],
  ) => { bytes: Buffer; options?: VerifierOptions; faults: string[]; index?: number | null; id?: string },
): void {
  const random = seeded(seed);
  const missed: unknown[] = [];
  for (let trial = 0; trial < TRIALS; trial += 1) {
    const { bytes, options, faults, index, id } = tamper(random, all.slice(0, 1 + random(LARGEST)));
    const found = verdict(bytes, options);
    const isFound =
      found !== 'whole' &&
      faults.includes(found.fault) &&
      (index === undefined || found.index === index) &&
      (id === undefined || (found.id === id && found.message.includes(id)));
    if (!isFound) missed.push({ trial, found: String(found), faults, index, id });
  }
  expect(missed).toEqual([]);
}

const pick = (random: Random, list: readonly unknown[]) => random(list.length);
/** Entries numbered and hashed anew, as a forger would who has not the key. */
const forged = (entries: readonly SampleEntry[]) => entries.map(({ leaf }, at) => entryLine(at, leafHash(leaf), leaf));

test('what nobody touched is whole, at every size, with its key and every older checkpoint', () => {
  const key = verifierKey(SIGNER);
  for (let size = 0; size <= LARGEST; size += 1) {
    const bytes = bytesOf(sampleExport(all.slice(0, size)));
    expect(verdict(bytes)).toBe('whole');
    for (let older = 0; older <= size; older += 3)
      expect(verdict(bytes, { key, older: sampleExport(all.slice(0, older)).note })).toBe('whole');
  }
});

test('a flipped bit, wherever it is', () => {
  trials(1, (random, entries) => {
    const bytes = bytesOf(sampleExport(entries));
    const at = random(bytes.length);
    bytes[at] = (bytes[at] as number) ^ (1 << random(8));
    return { bytes, faults: ['UNREADABLE', 'ALTERED', 'MISSING', 'MISPLACED', 'BEYOND', 'TRUNCATED', 'UNSIGNED'] };
  });
});

test('a flipped bit in an entry names the entry', () => {
  trials(2, (random, entries) => {
    const lines = sampleExport(entries);
    const index = pick(random, entries);
    const line = lines.entries[index] as Buffer;
    // In the words of its reason, which stand behind its id.
    const at = line.indexOf('"reason":"reason ') + 10 + random(6);
    line[at] = (line[at] as number) ^ (1 << (1 + random(3)));
    return { bytes: bytesOf(lines), faults: ['ALTERED'], index, id: (entries[index] as SampleEntry).id };
  });
});

test('two entries that changed places', () => {
  trials(3, (random) => {
    const lines = sampleExport(all.slice(0, 2 + random(LARGEST - 1)));
    const one = random(lines.entries.length - 1);
    const other = one + 1 + random(lines.entries.length - one - 1);
    const [a, b] = [lines.entries[one] as Buffer, lines.entries[other] as Buffer];
    [lines.entries[one], lines.entries[other]] = [b, a];
    return { bytes: bytesOf(lines), faults: ['MISSING'], index: one, id: (all[other] as SampleEntry).id };
  });
});

test('two entries that changed places, and were numbered anew', () => {
  trials(4, (random) => {
    const entries = all.slice(0, 2 + random(LARGEST - 1));
    const lines = sampleExport(entries);
    const one = random(entries.length - 1);
    entries.push(...entries.splice(one, 1));
    return { bytes: bytesOf({ ...lines, entries: forged(entries) }), faults: ['ALTERED'], index: null };
  });
});

test('an entry that was dropped', () => {
  trials(5, (random, entries) => {
    const lines = sampleExport(entries);
    const index = pick(random, entries);
    lines.entries.splice(index, 1);
    return { bytes: bytesOf(lines), faults: ['MISSING'], index };
  });
});

test('an entry that was dropped, and those behind it numbered anew', () => {
  trials(6, (random, entries) => {
    const lines = sampleExport(entries);
    entries.splice(pick(random, entries), 1);
    return { bytes: bytesOf({ ...lines, entries: forged(entries) }), faults: ['MISSING'], index: entries.length };
  });
});

test('an entry that was slipped in', () => {
  trials(7, (random, entries) => {
    const lines = sampleExport(entries);
    const index = pick(random, entries);
    const { leaf, id } = strangers[index] as SampleEntry;
    lines.entries.splice(index + 1, 0, entryLine(index, leafHash(leaf), leaf));
    return { bytes: bytesOf(lines), faults: ['MISPLACED'], index: index + 1, id };
  });
});

test('an entry that was slipped in, and those behind it numbered anew', () => {
  trials(8, (random, entries) => {
    const lines = sampleExport(entries);
    entries.splice(random(entries.length + 1), 0, strangers[0] as SampleEntry);
    return { bytes: bytesOf({ ...lines, entries: forged(entries) }), faults: ['BEYOND'], index: entries.length - 1 };
  });
});

test('an entry that was replaced, hash and all', () => {
  trials(9, (random, entries) => {
    const lines = sampleExport(entries);
    const index = pick(random, entries);
    entries[index] = strangers[index] as SampleEntry;
    // Where an older checkpoint holds, the damage is behind it.
    const older = sampleExport(all.slice(0, random(index + 1))).note;
    return {
      bytes: bytesOf({ ...lines, entries: forged(entries) }),
      options: { older },
      faults: ['ALTERED'],
      index: null,
    };
  });
});

test('an export that was cut off, wherever it was', () => {
  trials(10, (random, entries) => {
    const bytes = bytesOf(sampleExport(entries));
    return { bytes: bytes.subarray(0, random(bytes.length)), faults: ['TRUNCATED'] };
  });
});

test('a log that was rewritten and signed with the stolen key, against an older checkpoint', () => {
  trials(11, (random, entries) => {
    const older = sampleExport(entries).note;
    const from = pick(random, entries);
    const rewritten = [...entries.slice(0, from), ...strangers.slice(0, LARGEST - from)];
    return { bytes: bytesOf(sampleExport(rewritten)), options: { older }, faults: ['FORKED'] };
  });
});

test('a log of an old backup, against an older checkpoint', () => {
  trials(12, (random, entries) => {
    const older = sampleExport(entries).note;
    const size = pick(random, entries);
    return {
      bytes: bytesOf(sampleExport(all.slice(0, size))),
      options: { older },
      faults: ['ROLLED_BACK'],
      index: size,
    };
  });
});

test('a log that somebody else signed', () => {
  const stranger = { name: SIGNER.name, privateKey: generateKeyPairSync('ed25519').privateKey };
  trials(13, (random, entries) => {
    const lines = sampleExport(entries, stranger);
    const options = random(2) ? { key: verifierKey(SIGNER) } : { older: sampleExport(entries).note };
    return { bytes: bytesOf(lines), options, faults: ['UNSIGNED'] };
  });
});

test('entries whose bytes were removed are told, unless that may be', () => {
  const lines = sampleExport(all);
  lines.entries[7] = entryLine(7, leafHash((all[7] as SampleEntry).leaf), null);
  expect(verdict(bytesOf(lines))).toMatchObject({ fault: 'REMOVED', index: 7 });
  expect(verdict(bytesOf(lines), { mayBeRemoved: true })).toBe('whole');
  lines.entries[7] = entryLine(7, leafHash(Buffer.from('other')), null);
  expect(verdict(bytesOf(lines), { mayBeRemoved: true })).toMatchObject({ fault: 'ALTERED', index: null });
});

test('what is no export is refused', () => {
  const lines = sampleExport(all);
  expect(verdict(Buffer.from('{"any":"thing"}\n'))).toMatchObject({ fault: 'UNREADABLE' });
  expect(verdict(Buffer.alloc(0))).toMatchObject({ fault: 'TRUNCATED' });
  expect(verdict(Buffer.concat([bytesOf(lines), Buffer.from('x')]))).toMatchObject({ fault: 'BEYOND' });
  expect(verdict(Buffer.concat([bytesOf(lines), Buffer.from('x\n')]))).toMatchObject({ fault: 'BEYOND' });
  expect(verdict(bytesOf({ ...lines, header: Buffer.from(lines.header.toString().replace('+', '+0')) }))).toMatchObject(
    {
      fault: 'UNREADABLE',
    },
  );
  expect(verdict(bytesOf(lines), { older: 'no note' })).toMatchObject({ fault: 'UNSIGNED' });
});
