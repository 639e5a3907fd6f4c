import { createServer, type Socket } from 'node:net';

/** Entries of a Redis Stream. */
export interface StoredEntries {
  url: string;
  entries(stream: string): Promise<{ id: string; body: string }[]>;
  stop(): Promise<void>;
}

/** Speaks as much of Redis' protocol as a bridge needs, where this machine has no Redis: it knows the bridge's own script. */
export async function startRedisStandIn(): Promise<StoredEntries> {
  const streams = new Map<string, { id: string; body: string }[]>();
  const positions = new Map<string, { epoch: string; position: number }>();
  const sockets = new Set<Socket>();
  const add = ([, , stream = '', seen = '', epoch = '', position = '', id = '', body = '']: string[]): string => {
    const known = positions.get(seen);
    if (known?.epoch === epoch && known.position >= Number(position)) return ':0\r\n';
    streams.set(stream, [...(streams.get(stream) ?? []), { id, body }]);
    positions.set(seen, { epoch, position: Number(position) });
    return ':1\r\n';
  };
  const answer = ([command = '', ...words]: string[]): string => {
    if (/^eval(sha)?$/i.test(command)) return add(words);
    if (/^info$/i.test(command)) return '$17\r\nredis_version:7.0\r\n';
    return '+OK\r\n';
  };
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    let bytes: Buffer = Buffer.alloc(0);
    socket.on('data', (chunk: Buffer) => {
      bytes = Buffer.concat([bytes, chunk]);
      for (let read = commandIn(bytes); read; read = commandIn(bytes)) {
        bytes = bytes.subarray(read.length);
        socket.write(answer(read.words));
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `redis://127.0.0.1:${(server.address() as { port: number }).port}`,
    entries: async (stream) => streams.get(stream) ?? [],
    async stop() {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}

/** The first whole command (an array of bulk strings) of what has come, and its length; undefined while it is not whole. */
function commandIn(bytes: Buffer): { words: string[]; length: number } | undefined {
  let at = 0;
  const number = (): number | undefined => {
    const end = bytes.indexOf('\r\n', at);
    if (end < 0) return undefined;
    const read = Number(bytes.toString('latin1', at + 1, end));
    at = end + 2;
    return read;
  };
  const count = number();
  if (count === undefined) return undefined;
  const words: string[] = [];
  for (let word = 0; word < count; word += 1) {
    const size = number();
    if (size === undefined || bytes.length < at + size + 2) return undefined;
    words.push(bytes.toString('utf8', at, at + size));
    at += size + 2;
  }
  return { words, length: at };
}
