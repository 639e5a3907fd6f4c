import type { Files } from './merge/merge-files.ts';

const BLOCK = 512;
/** npm gives all files of its archives this time, so that the same files are the same archive. */
const TIME_S = 499_162_500;

/** A POSIX archive (ustar) of regular files, in the order given. @throws Error for a path that it has no room for */
export function tar(files: Files): Buffer {
  const parts: Buffer[] = [];
  for (const [path, bytes] of files) {
    parts.push(header(path, bytes.length), bytes, Buffer.alloc(-bytes.length & (BLOCK - 1)));
  }
  return Buffer.concat([...parts, Buffer.alloc(2 * BLOCK)]);
}

function header(path: string, sizeBytes: number): Buffer {
  if (Buffer.byteLength(path) > 100) throw new Error(`${path} is too long for an archive`);
  const block = Buffer.alloc(BLOCK);
  const put = (text: string, at: number) => block.write(text, at, 'utf8');
  const octal = (value: number, at: number, digits: number) => put(value.toString(8).padStart(digits, '0'), at);
  put(path, 0);
  octal(0o644, 100, 7);
  octal(0, 108, 7);
  octal(0, 116, 7);
  octal(sizeBytes, 124, 11);
  octal(TIME_S, 136, 11);
  // The checksum counts its own field as blanks.
  block.fill(' ', 148, 156);
  put('0', 156);
  put('ustar\0' + '00', 257);
  octal(
    block.reduce((sum, byte) => sum + byte, 0),
    148,
    6,
  );
  block[154] = 0;
  return block;
}
