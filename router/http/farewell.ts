import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';

/** How long a peer may take to read why he is turned away, milliseconds. */
const FAREWELL_MS = 1_000;

/** Tells a connection that sent no request it can be answered for why, and lets it go: whether its peer closes it or not. */
export function turnAway(socket: Duplex, status: number): void {
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`);
  // Half of it is open still, and would be for as long as he likes. At once, he might not get to read it.
  setTimeout(() => socket.destroy(), FAREWELL_MS).unref();
}
