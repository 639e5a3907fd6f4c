import {
  appendFileSync,
  copyFileSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { FollowedFile } from '../../cli/ship/followed-file.ts';
import { keepPlace, readPlace } from '../../cli/ship/place.ts';

let file = '';
beforeEach(() => {
  file = path.join(mkdtempSync(path.join(tmpdir(), 'ship-')), 'app.log');
});

/** Lines from where it stands to what there is now, each taken as stored. */
function drain(followed: FollowedFile, isEnd = false): string {
  let text = '';
  for (let chunk = followed.next(isEnd); chunk; chunk = followed.next(isEnd)) {
    text += chunk.bytes.toString();
    followed.done(chunk);
  }
  return text;
}

describe('a followed file', () => {
  test('gives whole lines as they come, and an unfinished one only at the end', () => {
    const followed = new FollowedFile(file, undefined);
    expect(followed.next(false)).toBeUndefined();
    writeFileSync(file, 'one\ntw');
    expect(drain(followed)).toBe('one\n');
    appendFileSync(file, 'o\nthree');
    expect(drain(followed)).toBe('two\n');
    expect(drain(followed, true)).toBe('three');
    followed.close();
  });

  test('a rename: the old file is read to its end, then the new one', () => {
    const followed = new FollowedFile(file, undefined);
    writeFileSync(file, 'one\n');
    expect(drain(followed)).toBe('one\n');
    renameSync(file, `${file}.1`);
    appendFileSync(`${file}.1`, 'two\n');
    expect(drain(followed)).toBe('two\n');
    writeFileSync(file, '');
    appendFileSync(`${file}.1`, 'three, after the new file was made\n');
    expect(drain(followed)).toBe('three, after the new file was made\n');
    appendFileSync(`${file}.1`, 'four');
    writeFileSync(file, 'five\n');
    expect(drain(followed)).toBe('fourfive\n');
    followed.close();
  });

  test('copied and emptied: what was not read yet comes from the copy', () => {
    const followed = new FollowedFile(file, undefined);
    writeFileSync(file, 'one\n');
    expect(drain(followed)).toBe('one\n');
    appendFileSync(file, 'two\n');
    copyFileSync(file, `${file}.1`);
    truncateSync(file);
    appendFileSync(file, 'three\n');
    expect(drain(followed)).toBe('two\nthree\n');
    // Longer than what was read of the old content: only the bytes tell.
    truncateSync(file);
    appendFileSync(file, 'four, and this is much longer than before\n');
    expect(drain(followed)).toBe('four, and this is much longer than before\n');
    followed.close();
  });

  test('after a kill it goes on where it stood, also in a file renamed meanwhile; what was about to be sent is the same', () => {
    const offsets = `${file}.shipped.json`;
    writeFileSync(file, 'one\ntwo\n');
    const first = new FollowedFile(file, readPlace(offsets));
    const chunk = first.next(false);
    keepPlace(offsets, chunk?.place as never);
    first.close();
    appendFileSync(file, 'three\n');
    const second = new FollowedFile(file, readPlace(offsets));
    const again = second.next(false);
    expect([again?.bytes.toString(), again?.place]).toEqual(['one\ntwo\n', chunk?.place]);
    keepPlace(offsets, second.done(again as never));
    second.close();
    renameSync(file, `${file}.1`);
    writeFileSync(file, 'four\n');
    const third = new FollowedFile(file, readPlace(offsets));
    expect(drain(third)).toBe('three\nfour\n');
    third.close();
  });

  test('two rotations while nobody looked, of what was only about to be sent: all of it, in order, that chunk as it was', () => {
    for (const rotate of ['rename', 'copy and empty']) {
      const offsets = `${file}.shipped.json`;
      const next = (to: string, lines: string) => {
        if (rotate === 'rename') renameSync(file, to);
        else copyFileSync(file, to);
        writeFileSync(file, lines);
      };
      writeFileSync(file, 'one\n');
      const first = new FollowedFile(file, undefined);
      const chunk = first.next(false);
      keepPlace(offsets, chunk?.place as never);
      first.close();
      appendFileSync(file, 'two\n');
      next(`${file}.2`, 'three\n');
      next(`${file}.1`, 'four, longer than what was about to be sent\n');
      writeFileSync(`${file}.lock`, 'no log\n');
      writeFileSync(`${file}.3.gz`, 'no log\n');
      const second = new FollowedFile(file, readPlace(offsets));
      const again = second.next(false);
      expect([again?.bytes.toString(), again?.place]).toEqual(['one\n', chunk?.place]);
      second.done(again as never);
      expect(drain(second)).toBe('two\nthree\nfour, longer than what was about to be sent\n');
      appendFileSync(file, 'five\n');
      expect(drain(second)).toBe('five\n');
      second.close();
    }
  });

  test('a file that has nothing of what was shipped is begun anew; a place that is none is told', () => {
    const offsets = `${file}.shipped.json`;
    writeFileSync(file, 'new\n');
    keepPlace(offsets, { inode: 1, offset: 4, before: Buffer.from('old\n').toString('hex'), pending: 0 });
    const followed = new FollowedFile(file, readPlace(offsets));
    expect(drain(followed)).toBe('new\n');
    followed.close();
    expect(readFileSync(offsets, 'utf8')).toContain('"offset":4');
    writeFileSync(offsets, '{}');
    expect(() => readPlace(offsets)).toThrow('remove it to begin anew');
  });
});
