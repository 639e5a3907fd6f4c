import type { IncomingMessage } from 'node:http';
import { FleetError } from '../errors.ts';

/**
 * Reads a request's whole body.
 * @throws QUERY_TOO_LARGE beyond `maxBytes`
 */
export async function readBody(request: IncomingMessage, maxBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > maxBytes) throw new FleetError('QUERY_TOO_LARGE', `a body has at most ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
