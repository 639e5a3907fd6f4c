import type { ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

/** A reader that takes nothing for so long is cut, milliseconds. */
const STALL_MS = 60_000;

/**
 * Writes a body as it is made, no faster than it is read; when the reader leaves, its making ends.
 * @throws what making it throws: the connection is cut then, so that nobody takes the part for the whole
 */
export async function streamBody(body: AsyncIterable<string | Uint8Array>, response: ServerResponse): Promise<void> {
  response.setTimeout(STALL_MS, () => response.destroy());
  try {
    // One by one: what a reader does not take is not made.
    await pipeline(Readable.from(body, { highWaterMark: 1 }), response);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_STREAM_PREMATURE_CLOSE') throw error;
  }
}
