import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** The handful of S3's calls that ClickHouse makes, over memory. */
export class Bucket {
  readonly objects = new Map<string, Buffer>();
  /** The headers `authorization` of all calls. */
  readonly signatures = new Set<string>();
  readonly #uploads = new Map<string, Buffer[]>();
  readonly #server: Server = createServer((request, response) => void this.#answer(request, response));

  /** Its address, with bucket and folder. */
  async start(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/bucket/logs/`;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks);
    const url = new URL(request.url ?? '/', 'http://bucket');
    this.signatures.add(String(request.headers.authorization));
    const name = decodeURIComponent(url.pathname);
    if (request.method === 'GET' || request.method === 'HEAD') this.#read(request, url, name, response);
    else if (request.method === 'DELETE') response.writeHead(this.objects.delete(name) ? 204 : 404).end();
    else if (request.method === 'PUT') this.#put(url, name, body, response);
    else this.#post(url, name, body, response);
  }

  #put(url: URL, name: string, body: Buffer, response: ServerResponse): void {
    const upload = this.#uploads.get(url.searchParams.get('uploadId') ?? '');
    if (upload) upload[Number(url.searchParams.get('partNumber'))] = body;
    else this.objects.set(name, body);
    response.writeHead(200, { etag: '"1"' }).end();
  }

  #post(url: URL, name: string, body: Buffer, response: ServerResponse): void {
    const id = url.searchParams.get('uploadId');
    if (url.searchParams.has('uploads')) {
      const made = `upload-${this.#uploads.size}`;
      this.#uploads.set(made, []);
      xml(response, `<InitiateMultipartUploadResult><UploadId>${made}</UploadId></InitiateMultipartUploadResult>`);
    } else if (id !== null) {
      this.objects.set(name, Buffer.concat((this.#uploads.get(id) ?? []).filter(Boolean)));
      xml(response, '<CompleteMultipartUploadResult><ETag>"1"</ETag></CompleteMultipartUploadResult>');
    } else {
      const keys = [...body.toString().matchAll(/<Key>(.*?)<\/Key>/g)].map(([, key]) => key as string);
      for (const key of keys) this.objects.delete(`${name.replace(/\/$/, '')}/${key}`);
      xml(
        response,
        `<DeleteResult>${keys.map((key) => `<Deleted><Key>${key}</Key></Deleted>`).join('')}</DeleteResult>`,
      );
    }
  }

  #read(request: IncomingMessage, url: URL, name: string, response: ServerResponse): void {
    const object = this.objects.get(name);
    if (url.searchParams.has('list-type')) xml(response, this.#list(url, name));
    else if (object) this.#give(request, object, response);
    else xml(response, '<Error><Code>NoSuchKey</Code><Message>no</Message></Error>', 404);
  }

  #give(request: IncomingMessage, object: Buffer, response: ServerResponse): void {
    const [, from, to] = /bytes=(\d+)-(\d*)/.exec(request.headers.range ?? '') ?? [];
    const [start, end] = [Number(from ?? 0), Math.min(Number(to || object.length - 1), object.length - 1)];
    response.writeHead(from === undefined ? 200 : 206, {
      etag: '"1"',
      'last-modified': 'Thu, 01 Jan 2026 00:00:00 GMT',
      'content-length': end + 1 - start,
      ...(from === undefined ? {} : { 'content-range': `bytes ${start}-${end}/${object.length}` }),
    });
    response.end(request.method === 'HEAD' ? undefined : object.subarray(start, end + 1));
  }

  #list(url: URL, name: string): string {
    const root = `/${name.split('/')[1]}/`;
    const keys = [...this.objects.keys()].filter((key) =>
      key.startsWith(root + (url.searchParams.get('prefix') ?? '')),
    );
    const contents = keys.sort().map((key) => {
      const [short, size] = [key.slice(root.length), this.objects.get(key)?.length];
      return `<Contents><Key>${short}</Key><Size>${size}</Size><ETag>"1"</ETag><LastModified>2026-01-01T00:00:00.000Z</LastModified></Contents>`;
    });
    return `<ListBucketResult><KeyCount>${keys.length}</KeyCount><IsTruncated>false</IsTruncated>${contents.join('')}</ListBucketResult>`;
  }
}

function xml(response: ServerResponse, text: string, status = 200): void {
  response.writeHead(status, { 'content-type': 'application/xml' });
  response.end(`<?xml version="1.0" encoding="UTF-8"?>${text}`);
}
