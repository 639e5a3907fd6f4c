import { isUtf8 } from 'node:buffer';
import type { IncomingMessage } from 'node:http';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { FleetError } from '../../lib/errors.ts';

const unzip = promisify(gunzip);

/** A refusal of the transport, with the status HTTP has for it. */
export class HttpRefusal extends Error {
  constructor(
    readonly status: number,
    override readonly cause: FleetError,
    readonly headers: Readonly<Record<string, string>> = {},
  ) {
    super(cause.message);
  }
}

/** What a connection is told after a body that was not read to its end. */
const CLOSING = { connection: 'close' } as const;

/**
 * Reads a request's whole body. The request stays open, so that a refusal can still be told.
 * @throws HttpRefusal 413 beyond `maxBytes`
 */
export function readBody(request: IncomingMessage, maxBytes: number): Promise<Buffer> {
  const tooLarge = () =>
    new HttpRefusal(413, new FleetError('QUERY_TOO_LARGE', `a body has at most ${maxBytes} bytes`), CLOSING);
  if (Number(request.headers['content-length']) > maxBytes) return Promise.reject(tooLarge());
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let sizeBytes = 0;
    request.on('data', (chunk: Buffer) => {
      sizeBytes += chunk.length;
      if (sizeBytes <= maxBytes) return chunks.push(chunk);
      request.pause();
      return reject(tooLarge());
    });
    request.on('end', () => resolve(chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks)));
    request.on('error', reject);
    // An error is dear: it is made only for those who did leave.
    request.on('close', () => {
      if (!request.complete) reject(new Error('the client left'));
    });
  });
}

/**
 * The body as it was before it was packed.
 * @param maxBytes unpacked; unpacking stops there
 * @throws HttpRefusal 415 for an unknown packing, 413 beyond `maxBytes`, 400 for a broken one
 */
export async function unpackBody(body: Buffer, encoding: string | undefined, maxBytes: number): Promise<Buffer> {
  if (encoding === undefined || encoding === 'identity') return body;
  if (encoding !== 'gzip') {
    throw new HttpRefusal(415, new FleetError('BAD_INPUT', 'a body is packed with gzip or not at all'));
  }
  try {
    return await unzip(body, { maxOutputLength: maxBytes });
  } catch (error) {
    const tooLarge = (error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE';
    throw tooLarge
      ? new HttpRefusal(413, new FleetError('QUERY_TOO_LARGE', `a body has at most ${maxBytes} bytes unpacked`))
      : new HttpRefusal(400, new FleetError('BAD_INPUT', 'the body is no gzip'));
  }
}

/** @throws BAD_INPUT when the bytes are no UTF-8 */
export function textOf(body: Buffer): string {
  if (!isUtf8(body)) throw new FleetError('BAD_INPUT', 'the body is not UTF-8');
  return body.toString('utf8');
}
