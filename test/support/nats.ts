import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { connect } from '@nats-io/transport-node';
import { freePort } from '../../lib/postgres/local.ts';
import { until } from './until.ts';

/** What a JetStream stream has stored: ids of messages and their bodies. */
export interface StoredMessages {
  url: string;
  /** Every message that was kept, in order. */
  messages(): Promise<{ id: string; body: string }[]>;
  stop(): Promise<void>;
}

const hasNats = spawnSync('nats-server', ['--version']).status === 0;

/** A NATS with a stream of this subject: the server itself where this machine has one, else a stand-in that speaks its protocol. */
export function startNats(subject: string): Promise<StoredMessages> {
  return hasNats ? startServer(subject) : startNatsStandIn(subject);
}

async function startServer(subject: string): Promise<StoredMessages> {
  const port = await freePort();
  const folder = mkdtempSync(path.join(tmpdir(), 'nats-'));
  const server = spawn('nats-server', ['-a', '127.0.0.1', '-p', String(port), '-js', '-sd', folder], {
    stdio: 'ignore',
  });
  const ended = new Promise<void>((resolve) => server.once('exit', () => resolve()));
  const connection = await until(() => connect({ servers: `127.0.0.1:${port}` }).catch(() => null));
  const ask = async (command: string, body: object) =>
    (await connection.request(`$JS.API.${command}`, JSON.stringify(body))).json<Record<string, never>>();
  await ask('STREAM.CREATE.ERRORS', { name: 'ERRORS', subjects: [subject], storage: 'file', duplicate_window: 120e9 });
  return {
    url: `nats://127.0.0.1:${port}`,
    async messages() {
      const { state } = (await ask('STREAM.INFO.ERRORS', {})) as unknown as { state: { messages: number } };
      const found: { id: string; body: string }[] = [];
      for (let seq = 1; seq <= state.messages; seq += 1) {
        const { message } = (await ask('STREAM.MSG.GET.ERRORS', { seq })) as unknown as {
          message: { hdrs: string; data: string };
        };
        const headers = Buffer.from(message.hdrs, 'base64').toString();
        const id = /Nats-Msg-Id: ?(.+)\r/.exec(headers)?.[1] ?? '';
        found.push({ id, body: Buffer.from(message.data, 'base64').toString() });
      }
      return found;
    },
    async stop() {
      await connection.close();
      server.kill('SIGKILL');
      await ended;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Stores what is published to a subject, once for each id, and acknowledges it as JetStream does. */
async function startNatsStandIn(subject: string): Promise<StoredMessages> {
  const stored = new Map<string, string>();
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.write('INFO {"server_id":"x","version":"2.10.0","proto":1,"headers":true,"max_payload":1048576}\r\n');
    let inbox = '';
    let text = '';
    socket.setEncoding('latin1').on('data', (chunk: string) => {
      text += chunk;
      for (let end = text.indexOf('\r\n'); end >= 0; end = text.indexOf('\r\n')) {
        const [command = '', ...words] = text.slice(0, end).split(' ');
        if (command === 'HPUB') {
          const [to = '', reply = '', headBytes, bytes] = words;
          const from = end + 2;
          if (text.length < from + Number(bytes) + 2) return;
          const head = text.slice(from, from + Number(headBytes));
          const body = Buffer.from(text.slice(from + Number(headBytes), from + Number(bytes)), 'latin1').toString();
          text = text.slice(from + Number(bytes) + 2);
          const id = /Nats-Msg-Id: ?(.+)\r/.exec(head)?.[1] ?? '';
          const isKnown = stored.has(id);
          if (to === subject && !isKnown) stored.set(id, body);
          const ack = JSON.stringify({ stream: 'ERRORS', seq: stored.size, ...(isKnown ? { duplicate: true } : {}) });
          socket.write(`MSG ${reply} ${inbox} ${ack.length}\r\n${ack}\r\n`);
          continue;
        }
        if (command === 'PING') socket.write('PONG\r\n');
        if (command === 'SUB') inbox = words.at(-1) ?? '';
        text = text.slice(end + 2);
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address() as { port: number };
  return {
    url: `nats://127.0.0.1:${address.port}`,
    messages: async () => [...stored].map(([id, body]) => ({ id, body })),
    async stop() {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}
