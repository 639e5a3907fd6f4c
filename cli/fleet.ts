#!/usr/bin/env node
import path from 'node:path';
import { run } from './program.ts';

const unread = new AbortController();
// Whoever reads our lines (head, less) may stop: that ends the command, and is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  unread.abort();
  process.exit(process.exitCode);
});

void run(process.argv.slice(2), {
  out: process.stdout,
  err: process.stderr,
  stdin: process.stdin,
  signal: unread.signal,
  // dist/cli/fleet.js lies two folders down.
  root: path.resolve(__dirname, '../..'),
  cwd: process.cwd(),
  exit: (code) => {
    process.exitCode = code;
  },
});
