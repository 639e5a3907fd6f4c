import { isUtf8 } from 'node:buffer';
import type { IncomingMessage } from 'node:http';
import { promisify } from 'node:util';
import { brotliDecompress, gunzip, inflate } from 'node:zlib';
import { FleetError } from '../../lib/errors.ts';

/** How a body may be packed (RFC 9110, 8.4.1). */
const UNPACK = new Map([
  ['gzip', promisify(gunzip)],
  ['x-gzip', promisify(gunzip)],
  ['deflate', promisify(inflate)],
  ['br', promisify(brotliDecompress)],
]);
/** A body so small unpacked is no bomb, however small it was, bytes. */
const HARMLESS_BYTES = 64_000;

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
export const CLOSING = { connection: 'close' } as const;

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

/** How far a body may unpack. */
export interface UnpackLimits {
  /** Unpacked; unpacking stops there. */
  maxBytes: number;
  /** Unpacked bytes for each packed one. */
  maxRatio?: number;
}

/**
 * The body as it was before it was packed.
 * @throws HttpRefusal 415 for an unknown packing, 413 beyond a limit, 400 for a broken one
 */
export async function unpackBody(body: Buffer, encoding: string | undefined, limits: UnpackLimits): Promise<Buffer> {
  if (encoding === undefined || encoding === 'identity') return body;
  const unpack = UNPACK.get(encoding.toLowerCase());
  if (!unpack) {
    const wrong = new FleetError('BAD_INPUT', 'a body is packed with gzip, deflate or br, once, or not at all');
    throw new HttpRefusal(415, wrong, { 'accept-encoding': 'gzip, deflate, br' });
  }
  const { maxBytes, maxRatio = Number.POSITIVE_INFINITY } = limits;
  const byRatio = Math.max(HARMLESS_BYTES, maxRatio * body.length);
  try {
    return await unpack(body, { maxOutputLength: Math.min(maxBytes, byRatio) });
  } catch (error) {
    const tooLarge = (error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE';
    if (!tooLarge) throw new HttpRefusal(400, new FleetError('BAD_INPUT', `the body is not packed with ${encoding}`));
    const sentence =
      byRatio < maxBytes
        ? `a body has at most ${maxRatio} times its packed bytes`
        : `a body has at most ${maxBytes} bytes unpacked`;
    throw new HttpRefusal(413, new FleetError('QUERY_TOO_LARGE', sentence));
  }
}

/** @throws BAD_INPUT when the bytes are no UTF-8 */
export function textOf(body: Buffer): string {
  if (!isUtf8(body)) throw new FleetError('BAD_INPUT', 'the body is not UTF-8');
  return body.toString('utf8');
}
