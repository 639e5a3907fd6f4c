import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { connect } from '../../sdk/index.ts';

/** One agent that answers over HTTP with what it was sent; tells its parent where. Is killed in the middle of its work. */
async function main([url = '', token = '', name = '', kind = '']: readonly string[]): Promise<void> {
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => response.writeHead(200, { 'content-type': 'application/json' }).end(Buffer.concat(chunks)));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const at = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  await connect({ url, token, name, kind, version: '1.0.0', endpoints: [{ name: 'http', url: at }] });
  process.send?.({ url: at });
}

void main(process.argv.slice(2));
