import { Agent, createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';

/** The least that a proxy can be: node:http, connections kept, each address in its turn; no identity, limit, retry or trail. */
function main(targets: readonly string[]): void {
  const agent = new Agent({ keepAlive: true });
  let next = 0;
  const server = createServer((incoming, response) => {
    const target = targets[next++ % targets.length] as string;
    const { method, headers } = incoming;
    const outgoing = request(`${target}${incoming.url}`, { agent, method: method as string, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    outgoing.on('error', () => response.writeHead(502).end());
    incoming.pipe(outgoing);
  });
  server.listen(0, '127.0.0.1', () =>
    process.send?.({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }),
  );
}

main(process.argv.slice(2));
