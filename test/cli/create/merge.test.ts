import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { type Files, mergeFiles, type Recorded, recorded } from '../../../cli/create/merge/merge-files.ts';
import { hasMarks, linesOf, mergeText } from '../../../cli/create/merge/merge-text.ts';
import { unified } from '../../../cli/create/merge/unified.ts';

/** Few different lines, so that they repeat; some that are names every object has; ends that are missing or of Windows. */
const line = fc.constantFrom('', 'a', 'b', '  c', 'constructor', '__proto__', '=======', '}', 'é\u2028');
const text = fc
  .tuple(fc.array(line, { maxLength: 12 }), fc.constantFrom('', '\n'))
  .map(([lines, end]) => lines.join('\n') + end);
const bytes = fc.oneof(
  { weight: 4, arbitrary: text.map((each) => Buffer.from(each)) },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 6 }).map((each) => Buffer.from(each)) },
);
const place = fc.constantFrom('a', 'b/c', 'd');
const files = fc.dictionary(place, bytes, { noNullPrototype: true }).map((each) => new Map(Object.entries(each)));
const known = (all: Files) => new Map([...all].map(([file, each]): [string, Recorded] => [file, recorded(each)]));

/** What a project has once the steps are done. */
function after(ours: Files, steps: ReturnType<typeof mergeFiles>): Map<string, Buffer> {
  const now = new Map(ours);
  for (const { write } of steps) {
    if (write?.bytes) now.set(write.path, write.bytes);
    else if (write) now.delete(write.path);
  }
  return now;
}

const rows = (all: string) => linesOf(all).map((each) => each.trimEnd());

describe('a merge of texts', () => {
  test('is whichever side alone was changed, and what both made of it alike', () => {
    fc.assert(
      fc.property(text, text, (base, edit) => {
        expect(mergeText(base, edit, base)).toEqual({ text: edit, conflicts: 0 });
        expect(mergeText(base, base, edit)).toEqual({ text: edit, conflicts: 0 });
        expect(mergeText(base, edit, edit)).toEqual({ text: edit, conflicts: 0 });
      }),
      { numRuns: 500 },
    );
  });

  test('takes no line away that somebody wrote', () => {
    fc.assert(
      fc.property(text, text, text, (base, ours, theirs) => {
        const merged = rows(mergeText(base, ours, theirs).text);
        const written = [...rows(ours), ...rows(theirs)].filter((each) => !rows(base).includes(each));
        expect(written.filter((each) => !merged.includes(each))).toEqual([]);
      }),
      { numRuns: 1_000 },
    );
  });

  test('is both edits where they are of different lines, also where one takes lines away', () => {
    const edit = fc.array(fc.constantFrom('x', 'y', 'z'), { maxLength: 2 });
    fc.assert(
      fc.property(
        fc.nat(8),
        fc.integer({ min: 2, max: 8 }),
        edit,
        edit,
        fc.boolean(),
        (at, apart, one, other, isOurs) => {
          const base = Array.from({ length: at + apart + 2 }, (_, number) => `line ${number}`);
          const first = base.with(at, one.join('\n')).filter(Boolean);
          const second = base.with(at + apart, other.join('\n')).filter(Boolean);
          const both = base
            .with(at, one.join('\n'))
            .with(at + apart, other.join('\n'))
            .filter(Boolean);
          const [ours, theirs] = isOurs ? [first, second] : [second, first];
          const whole = (lines: string[]) => `${lines.join('\n')}\n`;
          expect(mergeText(whole(base), whole(ours), whole(theirs))).toEqual({ text: whole(both), conflicts: 0 });
        },
      ),
      { numRuns: 500 },
    );
  });

  test('marks what both changed as git does', () => {
    const merged = mergeText('a\nb\nc\n', 'a\nours\nc\nd\n', 'a\ntheirs\nc\n');
    expect(merged.text).toBe('a\n<<<<<<< yours\nours\n=======\ntheirs\n>>>>>>> template\nc\nd\n');
    expect(merged.conflicts).toBe(1);
    expect(hasMarks(merged.text)).toBe(true);
    expect(hasMarks('=======\n<<<<<<< yours of old\n')).toBe(false);
    expect(mergeText('x', 'y', 'z').text).toBe('<<<<<<< yours\ny\n=======\nz\n>>>>>>> template\n');
  });

  test('is the same where a checkout gave every line another end', () => {
    const merged = mergeText('a\nb\nc\n', 'a\r\nb\r\nc\r\nd\r\n', 'first\na\nb\nc\n');
    expect(merged).toEqual({ text: 'first\r\na\r\nb\r\nc\r\nd\r\n', conflicts: 0 });
  });
});

describe('a merge of files', () => {
  test('any edit of any file is there afterwards, or in a conflict', () => {
    fc.assert(
      fc.property(files, files, files, (base, ours, theirs) => {
        const steps = mergeFiles(known(base), ours, theirs);
        const now = after(ours, steps);
        for (const [file, own] of ours) {
          const [was, is] = [base.get(file), now.get(file)];
          if (was?.equals(own)) continue;
          const step = steps.find((each) => each.path === file);
          if (is?.equals(own) || !step) {
            if (base.has(file) || theirs.has(file)) expect(is).toEqual(own);
            continue;
          }
          expect(['merged', 'conflict']).toContain(step.outcome);
          const [kept, old] = [rows(String(is)), rows(String(was ?? ''))];
          expect(rows(String(own)).filter((each) => !old.includes(each) && !kept.includes(each))).toEqual([]);
        }
        for (const file of base.keys()) if (!ours.has(file)) expect(now.has(file)).toBe(false);
      }),
      { numRuns: 1_000 },
    );
  });

  test('nobody’s edits: the project is the template; a second time nothing is to do', () => {
    fc.assert(
      fc.property(files, files, (base, theirs) => {
        const now = after(base, mergeFiles(known(base), base, theirs));
        expect(now).toEqual(new Map([...now].filter(([file]) => theirs.has(file))));
        expect([...theirs.keys()].every((file) => now.get(file)?.equals(theirs.get(file) as Buffer))).toBe(true);
        expect(mergeFiles(known(theirs), now, theirs)).toEqual([]);
      }),
      { numRuns: 300 },
    );
  });

  test('each case has its word', () => {
    const of = (base?: string, ours?: string, theirs?: string) => {
      const one = (each?: string) => new Map(each === undefined ? [] : [['f', Buffer.from(each)]]);
      const [step] = mergeFiles(known(one(base)), one(ours), one(theirs));
      return step && [step.outcome, step.write?.path, step.write?.bytes?.toString()];
    };
    expect(of(undefined, undefined, 'n')).toEqual(['added', 'f', 'n']);
    expect(of('a', 'a', 'n')).toEqual(['updated', 'f', 'n']);
    expect(of('a', 'b', 'a')).toEqual(['kept', undefined, undefined]);
    expect(of('a', 'a', 'a')).toBeUndefined();
    expect(of('a', undefined, 'n')).toEqual(['deleted', undefined, undefined]);
    expect(of('a', 'a', undefined)).toEqual(['removed', 'f', undefined]);
    expect(of('a', 'b', undefined)).toEqual(['kept', undefined, undefined]);
    expect(of('a', undefined, undefined)).toBeUndefined();
    expect(of('a\nb\nc\n', '1\nb\nc\n', 'a\nb\n3\n')).toEqual(['merged', 'f', '1\nb\n3\n']);
    expect(of('a\0', 'b\0', 'c\0')).toEqual(['conflict', 'f.new', 'c\0']);
  });
});

test('a difference is one that patch takes', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'fleetgraph-diff-'));
  try {
    fc.assert(
      fc.property(text, text, (before, now) => {
        const diff = unified('f', before, now);
        expect(diff === '').toBe(before === now);
        if (!diff) return;
        writeFileSync(path.join(folder, 'f'), before);
        writeFileSync(path.join(folder, 'd'), diff);
        execFileSync('git', ['apply', '--unidiff-zero', '--whitespace=nowarn', 'd'], { cwd: folder, stdio: 'pipe' });
        expect(execFileSync('cat', ['f'], { cwd: folder }).toString()).toBe(now);
      }),
      { numRuns: 25 },
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
});
