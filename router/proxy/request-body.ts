import type { IncomingMessage } from 'node:http';
import { type Readable, Transform, type TransformCallback } from 'node:stream';
import { FleetError } from '../../lib/errors.ts';
import { CLOSING, HttpRefusal, readBody } from '../http/body.ts';

/** A body up to this size is held, so that it can be sent again, bytes. */
const HELD_BYTES = 1_000_000;
/** The largest body that is passed on, bytes. */
const MOST_BYTES = 100_000_000;
/** RFC 9110, 9.2.2. */
const IDEMPOTENT: ReadonlySet<string | undefined> = new Set(['GET', 'HEAD', 'PUT', 'DELETE', 'OPTIONS', 'TRACE']);

/** Whether a request may be sent twice: by its method, or because its sender gave it a key that makes it so. */
export function isRepeatable({ method, headers }: IncomingMessage): boolean {
  return IDEMPOTENT.has(method) || headers['idempotency-key'] !== undefined;
}

/** The body of a request: whole when it is known to be small, else as it comes. @throws HttpRefusal 413 */
export async function forwardedBody(request: IncomingMessage): Promise<Buffer | Readable> {
  const length = Number(request.headers['content-length'] ?? 0);
  const isChunked = request.headers['transfer-encoding'] !== undefined;
  if (length > MOST_BYTES) throw tooLarge();
  if (!isChunked && length <= HELD_BYTES) return await readBody(request, HELD_BYTES);
  let passed = 0;
  const counted = new Transform({
    transform(chunk: Buffer, _encoding, done: TransformCallback) {
      passed += chunk.length;
      if (passed > MOST_BYTES) done(tooLarge());
      else done(null, chunk);
    },
  });
  // The body ends with its sender, and its service is told so.
  request.on('error', (error) => counted.destroy(error));
  request.on('close', () => {
    if (!request.complete) counted.destroy(new Error('the client left'));
  });
  return request.pipe(counted);
}

function tooLarge(): HttpRefusal {
  return new HttpRefusal(413, new FleetError('QUERY_TOO_LARGE', `a body has at most ${MOST_BYTES} bytes`), CLOSING);
}
