import type { Readable } from 'node:stream';

export interface LineReader {
  /** Each line without its newline; empty ones are none. */
  onLine: (line: string) => void;
  /** What comes, as it comes. */
  onText?: (text: string) => void;
}

/** A line is told at this length at the latest. */
const MAX_LINE = 64 * 1024;

/** Reads a stream of text line by line, whatever pieces it comes in. */
export function readLines(stream: Readable, { onLine, onText }: LineReader): void {
  let rest = '';
  stream.setEncoding('utf8');
  stream.on('data', (text: string) => {
    onText?.(text);
    const lines = (rest + text).split(/\r?\n/);
    rest = lines.pop() as string;
    for (const line of lines) if (line) onLine(line);
    if (rest.length < MAX_LINE) return;
    onLine(rest);
    rest = '';
  });
  stream.on('end', () => rest && onLine(rest));
}
