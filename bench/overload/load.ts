import { createConnection, type Socket } from 'node:net';

/** Who asks, as the header `x-priority` has it, and their part of all requests. */
export const MIX = { 'on-call': 0.1, script: 0.3, dashboard: 0.6 } as const;
export type Caller = keyof typeof MIX;

export interface LoadFigures {
  /** Whole answers within two seconds, a second. */
  goodput: number;
  sent: number;
  /** Of whole answers, milliseconds. */
  p99: Record<Caller, number>;
  /** Share that was answered whole in time. */
  served: Record<Caller, number>;
}

/** What is asked: a body for each request, none like another, because equal ones would share a call. */
export type BodyOf = (n: number) => string;

const PATIENCE_MS = 2_000;
const TICK_MS = 5;
/** Opened before: to open one for each request would be a load of its own. Who finds none free has no answer. */
const CONNECTIONS = 3_000;
const OPENED_AT_ONCE = 100;
const CALLERS = Object.keys(MIX) as Caller[];

/** An open load: requests come at their rate whether or not earlier ones were answered. @param mix each caller's part */
export async function load(
  url: string,
  perSecond: number,
  seconds: number,
  { mix = MIX, bodyOf = hello }: { mix?: Partial<Record<Caller, number>>; bodyOf?: BodyOf } = {},
): Promise<LoadFigures> {
  const free = await connections(url);
  const all = [...free];
  const sent: Record<Caller, number> = { 'on-call': 0, script: 0, dashboard: 0 };
  const times: Record<Caller, number[]> = { 'on-call': [], script: [], dashboard: [] };
  const asked: Promise<void>[] = [];
  const beganMs = performance.now();
  let within = 0;
  const ask = async (caller: Caller, n: number) => {
    let connection = free.pop();
    // Those that never had anything to ask are cut by the router meanwhile.
    while (connection?.isGone) connection = free.pop();
    if (!connection) return;
    const startedMs = performance.now();
    const isWhole = await connection.ask(caller, bodyOf(n));
    const nowMs = performance.now();
    if (!connection.isGone) free.push(connection);
    if (!isWhole || nowMs - startedMs > PATIENCE_MS) return;
    times[caller].push(nowMs - startedMs);
    // What comes once nobody asks any more would flatter the rate.
    if (nowMs - beganMs <= seconds * 1_000) within += 1;
  };
  let count = 0;
  for (let passedMs = 0; passedMs < seconds * 1_000; passedMs = performance.now() - beganMs) {
    for (; count < (passedMs / 1_000) * perSecond; count += 1) {
      const caller = callerAt(Math.random(), mix);
      sent[caller] += 1;
      asked.push(ask(caller, count));
    }
    await new Promise((resolve) => setTimeout(resolve, TICK_MS));
  }
  await Promise.all(asked);
  for (const connection of all) connection.end();
  const each = (read: (caller: Caller) => number) =>
    Object.fromEntries(CALLERS.map((caller) => [caller, read(caller)])) as Record<Caller, number>;
  return {
    goodput: within / seconds,
    sent: count,
    p99: each((caller) => at(times[caller], 0.99)),
    served: each((caller) => times[caller].length / Math.max(1, sent[caller])),
  };
}

async function connections(url: string): Promise<Connection[]> {
  const opened: Connection[] = [];
  while (opened.length < CONNECTIONS) {
    const some = Array.from({ length: OPENED_AT_ONCE }, () => Connection.open(Number(new URL(url).port)));
    opened.push(...(await Promise.all(some)));
  }
  return opened;
}

/** One kept connection of a caller; a raw socket, because the load shares two cores with what it loads. */
class Connection {
  isGone = false;
  #settle: ((isWhole: boolean) => void) | undefined;
  #isWhole = false;
  #leftBytes = 0;

  private constructor(private readonly socket: Socket) {
    socket.setNoDelay(true);
    socket.on('data', (piece) => this.#take(piece as Buffer));
    socket.on('error', () => this.#gone());
    socket.on('close', () => this.#gone());
  }

  static open(port: number): Promise<Connection> {
    return new Promise((resolve, reject) => {
      const socket = createConnection(port, '127.0.0.1');
      socket.once('error', reject);
      socket.once('connect', () => resolve(new Connection(socket)));
    });
  }

  /** @returns whether it was answered whole */
  ask(caller: Caller, body: string): Promise<boolean> {
    this.#leftBytes = 0;
    this.socket.write(
      `POST /graphql HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\nx-priority: ${caller}\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
    );
    return new Promise((resolve) => {
      this.#settle = resolve;
    });
  }

  end(): void {
    this.socket.destroy();
  }

  #take(piece: Buffer): void {
    let bytes = piece.length;
    if (this.#leftBytes === 0) {
      const end = piece.indexOf('\r\n\r\n');
      const head = piece.toString('latin1', 0, end);
      bytes -= end + 4;
      this.#leftBytes = Number(/content-length: *(\d+)/i.exec(head)?.[1]);
      this.#isWhole = head.startsWith('HTTP/1.1 200') && piece.toString('latin1', end + 4, end + 13) === '{"data":{';
    }
    this.#leftBytes -= bytes;
    if (this.#leftBytes === 0) this.#done(this.#isWhole);
  }

  #done(isWhole: boolean): void {
    const settle = this.#settle;
    this.#settle = undefined;
    settle?.(isWhole);
  }

  #gone(): void {
    this.isGone = true;
    this.#done(false);
  }
}

function hello(n: number): string {
  return JSON.stringify({ query: 'query ($n: Int) { hello(n: $n) }', variables: { n } });
}

function callerAt(part: number, mix: Partial<Record<Caller, number>>): Caller {
  let before = 0;
  for (const caller of CALLERS) {
    before += mix[caller] ?? 0;
    if (part < before) return caller;
  }
  return 'on-call';
}

function at(values: number[], share: number): number {
  values.sort((one, other) => one - other);
  return values[Math.min(values.length - 1, Math.floor(values.length * share))] ?? Number.NaN;
}
