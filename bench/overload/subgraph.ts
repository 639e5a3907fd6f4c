import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What it does at once, and how long each takes: 40 answers a second, and no more however many ask. So few that it is the subgraph that is overloaded, not the machine. */
export const WORKERS = 10;
export const SERVICE_MS = 250;

/** A subgraph whose capacity is known, so that overload is overload on any machine. */
function main(): void {
  const waiting: (() => void)[] = [];
  let working = 0;
  const done = () => {
    working -= 1;
    waiting.shift()?.();
  };
  const server = createServer((request, response) => {
    const work = () => {
      working += 1;
      setTimeout(
        () => {
          response.setHeader('content-type', 'application/json');
          response.end('{"data":{"hello":"you"}}');
          done();
        },
        SERVICE_MS * (0.8 + 0.4 * Math.random()),
      );
    };
    request.resume();
    request.once('end', () => {
      if (working < WORKERS) work();
      else waiting.push(work);
    });
  });
  server.keepAliveTimeout = 60_000;
  server.listen(0, '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port));
}

if (require.main === module) main();
