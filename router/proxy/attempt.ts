import { Agent as HttpAgent, request as httpRequest, type IncomingMessage, type RequestOptions } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { isIP } from 'node:net';
import type { Readable } from 'node:stream';
import { messageOf } from '../../lib/errors.ts';

/** One request to one address. */
export interface AttemptRequest {
  method: string;
  url: URL;
  headers: Record<string, string | string[]>;
  /** Whole, so that it can be sent again, or as it comes. */
  body: Buffer | Readable;
  /** Where the connection goes, whatever the URL's name means by then. */
  address: string;
  /** How long its answer may take to begin, milliseconds. */
  timeoutMs: number;
  signal: AbortSignal;
}

/** How long a connection may take to be there, milliseconds: who is up answers that at once. */
const CONNECT_MS = 1_000;
const NOT_SENT: ReadonlySet<unknown> = new Set([
  'ECONNREFUSED',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EADDRNOTAVAIL',
  'ENOTFOUND',
]);

/** Why there was no answer. */
export class AttemptFailed extends Error {
  /** @param wasSent false when the service cannot have seen the request; @param timedOut whether it was given up */
  constructor(
    message: string,
    readonly wasSent: boolean,
    readonly timedOut: boolean,
  ) {
    super(message);
  }
}

/** Connections to services, kept open between requests. */
export class ServiceConnections {
  readonly #plain = new HttpAgent({ keepAlive: true, maxFreeSockets: 64, scheduling: 'lifo', timeout: 60_000 });
  readonly #secure = new HttpsAgent({ keepAlive: true, maxFreeSockets: 64, scheduling: 'lifo', timeout: 60_000 });

  /** Sends a request. @throws AttemptFailed when no answer began */
  send({ method, url, headers, body, address, timeoutMs, signal }: AttemptRequest): Promise<IncomingMessage> {
    const isSecure = url.protocol === 'https:';
    const family = isIP(address);
    const options: RequestOptions = {
      agent: isSecure ? this.#secure : this.#plain,
      method,
      headers: { ...headers, host: url.host, ...(Buffer.isBuffer(body) ? { 'content-length': body.length } : {}) },
      signal,
      lookup: (_host, { all }, done) => (all ? done(null, [{ address, family }]) : done(null, address, family)),
    };
    return new Promise((resolve, reject) => {
      let timedOut = false;
      let isConnected = false;
      const outgoing = (isSecure ? httpsRequest : httpRequest)(url, options, (answer) => {
        clearTimeout(timer);
        resolve(answer);
      });
      const giveUp = () => {
        timedOut = true;
        outgoing.destroy(new Error('it did not answer in time'));
      };
      const timer = setTimeout(giveUp, timeoutMs);
      outgoing.on('socket', (socket) => {
        if (!socket.connecting) {
          isConnected = true;
          return;
        }
        const tooLong = setTimeout(giveUp, CONNECT_MS);
        const clear = () => clearTimeout(tooLong);
        socket.once('connect', () => {
          isConnected = true;
          clear();
        });
        socket.once('close', clear);
      });
      outgoing.on('error', (error: NodeJS.ErrnoException) => {
        clearTimeout(timer);
        reject(new AttemptFailed(messageOf(error), isConnected && !NOT_SENT.has(error.code), timedOut));
      });
      if (Buffer.isBuffer(body)) outgoing.end(body);
      else body.pipe(outgoing);
    });
  }

  close(): void {
    this.#plain.destroy();
    this.#secure.destroy();
  }
}

/** Reads an answer that is small; undefined when it is not, and none of it was read. @throws when it breaks off */
export async function smallBody(answer: IncomingMessage, mostBytes: number): Promise<Buffer | undefined> {
  const length = Number(answer.headers['content-length'] ?? Number.NaN);
  if (!(length <= mostBytes)) return undefined;
  const chunks: Buffer[] = [];
  for await (const chunk of answer as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks);
}
