import { createConnection } from 'node:net';

/** What to send, where to, for how long. */
export interface LoadOrder {
  port: number;
  path: string;
  query: string;
  rows: number;
  connections: number;
  seconds: number;
}

/** What came of it. */
export interface LoadResult {
  requests: number;
  perSecond: number;
  p50Ms: number;
  p99Ms: number;
  sizeBytes: number;
  failed: number;
}

let tagged = 0;

/** A request body like no other: rows vary, and the tag is in every id of the answer. */
export function bodyOf(query: string, rows: number): string {
  tagged += 1;
  const tag = `t${String(tagged).padStart(10, '0')}`;
  return JSON.stringify({ query, variables: { n: rows + (tagged % 5), tag } });
}

/**
 * Keeps connections busy, one request at a time each, and times every answer. Raw sockets, because the load shares two
 * cores with what it loads.
 */
export async function load(order: LoadOrder): Promise<LoadResult> {
  const tookMs: number[] = [];
  const tally = { failed: 0, sizeBytes: 0 };
  const startedMs = performance.now();
  const untilMs = startedMs + order.seconds * 1_000;
  await Promise.all(
    Array.from(
      { length: order.connections },
      () => new Promise<void>((resolve) => worker(order, untilMs, tookMs, tally, resolve)),
    ),
  );
  const seconds = (performance.now() - startedMs) / 1_000;
  tookMs.sort((one, other) => one - other);
  const at = (share: number) => tookMs[Math.floor(tookMs.length * share)] ?? Number.NaN;
  return {
    requests: tookMs.length,
    perSecond: tookMs.length / seconds,
    p50Ms: at(0.5),
    p99Ms: at(0.99),
    ...tally,
  };
}

function worker(
  { port, path, query, rows }: LoadOrder,
  untilMs: number,
  tookMs: number[],
  tally: { failed: number; sizeBytes: number },
  done: () => void,
): void {
  const socket = createConnection(port, '127.0.0.1');
  socket.setNoDelay(true);
  const head = `POST ${path} HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\ncontent-type: application/json\r\naccept: application/json\r\n`;
  let sentMs = 0;
  let needed = 0;
  let got = 0;
  const next = () => {
    const body = bodyOf(query, rows);
    needed = 0;
    got = 0;
    sentMs = performance.now();
    socket.write(`${head}content-length: ${body.length}\r\n\r\n${body}`);
  };
  socket.on('connect', next);
  socket.on('error', () => {
    tally.failed += 1;
    done();
  });
  socket.on('data', (chunk: Buffer) => {
    if (needed === 0) {
      const end = chunk.indexOf('\r\n\r\n');
      const text = chunk.toString('latin1', 0, end);
      const length = /content-length: *(\d+)/i.exec(text)?.[1];
      if (end < 0 || length === undefined || !text.startsWith('HTTP/1.1 200')) tally.failed += 1;
      needed = end + 4 + Number(length ?? 0);
      if (chunk.includes('"errors"')) tally.failed += 1;
    }
    got += chunk.length;
    if (got < needed) return;
    const nowMs = performance.now();
    tookMs.push(nowMs - sentMs);
    tally.sizeBytes = got;
    if (nowMs < untilMs) return next();
    socket.destroy();
    done();
  });
}

if (require.main === module) {
  process.on('message', (order: LoadOrder) => void load(order).then((result) => process.send?.(result)));
}
