import type { Redis } from 'ioredis';
import { z } from 'zod';
import type { Clock } from '../../lib/clock.ts';
import { messageOf } from '../../lib/errors.ts';
import type { Flags } from '../../lib/flags/index.ts';
import type { Log } from '../../lib/log.ts';
import type { BreakerMove, Circuit, Forced } from './circuit.ts';
import type { Guard } from './guard.ts';

const CHANNEL = 'fleet:breakers';
const OPEN_KEY = 'fleet:breaker:open:';
const FORCED_KEY = 'fleet:breaker:forced:';
/** A router that comes later learns of a breaker opened so lately; an older finding it makes for itself, milliseconds. */
const OPEN_TTL_MS = 10_000;
/** A decision to let breakers judge for themselves is remembered for those who were away, milliseconds. */
const AUTO_TTL_MS = 86_400_000;
/** What a lost message would have told is read so often, milliseconds. */
const SYNC_MS = 5_000;

const FOUND = z.strictObject({
  router: z.string(),
  subgraph: z.string(),
  phase: z.enum(['OPEN', 'CLOSED']),
  reason: z.string().max(1_000),
});
const DECIDED = z.strictObject({
  router: z.string(),
  subgraph: z.string(),
  override: z.enum(['AUTO', 'OPEN', 'CLOSED']),
  untilMs: z.number().optional(),
  reason: z.string().max(1_000),
  atMs: z.number(),
});

type Decided = z.infer<typeof DECIDED>;

export interface AgreementOptions {
  guard: Guard;
  redisUrl: string;
  clock: Clock;
  log: Log;
  /** While `router.breaker-agreement` is off nothing is told and nothing is heard. */
  flags: Flags;
}

/**
 * Makes routers with the same Redis agree about breakers: one that opens or is forced in one router does so in all. Of two
 * decisions the later holds; a breaker that a router opened by its own calls it closes by its own probe. While Redis is away
 * each router is alone, and what was decided meanwhile is told once it is back.
 */
export class BreakerAgreement {
  readonly #self: string;
  readonly #decided = new Map<string, Decided>();
  readonly #store: Redis;
  readonly #ear: Redis;
  readonly #timer: NodeJS.Timeout;
  readonly #away = new Set<Redis>();
  #isClosed = false;

  /** Connects, and does not wait for it. */
  constructor(private readonly options: AgreementOptions) {
    const { guard, redisUrl, clock } = options;
    this.#self = clock.uuid();
    // Loaded only where it is used: it takes a tenth of a second of the start.
    const { Redis } = require('ioredis') as typeof import('ioredis');
    const common = { retryStrategy: (attempt: number) => Math.min(1_000, 50 * attempt), commandTimeout: 1_000 };
    this.#store = new Redis(redisUrl, { ...common, enableOfflineQueue: false, maxRetriesPerRequest: 1 });
    this.#ear = new Redis(redisUrl, { ...common, maxRetriesPerRequest: null });
    for (const connection of [this.#store, this.#ear]) {
      // What went wrong is told by its closing.
      connection.on('error', () => undefined);
      connection.on('close', () => this.#lost(connection));
      connection.on('ready', () => this.#found(connection));
    }
    this.#ear.on('message', (_channel, text) => this.#hear(text));
    this.#ear.subscribe(CHANNEL).then(undefined, () => undefined);
    this.#timer = setInterval(() => this.#sync(), SYNC_MS);
    this.#timer.unref();
    guard.onMove((move) => this.#tellMove(move));
    guard.onForce((subgraph, forced) => this.#tellForced(subgraph, forced));
  }

  close(): void {
    this.#isClosed = true;
    clearInterval(this.#timer);
    this.#store.disconnect();
    this.#ear.disconnect();
  }

  #tellMove({ subgraph, replica, from, to, reason, forced, told }: BreakerMove): void {
    // Each finds out about single replicas by itself: its calls go to the others meanwhile.
    if (forced || told || replica !== undefined) return;
    const key = `${OPEN_KEY}${subgraph}`;
    const message = (phase: 'OPEN' | 'CLOSED') => JSON.stringify({ router: this.#self, subgraph, phase, reason });
    if (from === 'CLOSED' && to === 'OPEN') {
      const text = message('OPEN');
      this.#send(() => this.#store.multi().set(key, text, 'PX', OPEN_TTL_MS).publish(CHANNEL, text).exec());
    } else if (to === 'CLOSED') {
      this.#send(() => this.#store.multi().del(key).publish(CHANNEL, message('CLOSED')).exec());
    }
  }

  #tellForced(subgraph: string, { override, untilMs, reason }: Forced): void {
    const until = untilMs === undefined ? {} : { untilMs };
    // Later than what it answers, whatever the clocks say.
    const atMs = Math.max(this.options.clock.nowMs(), (this.#decided.get(subgraph)?.atMs ?? 0) + 1);
    const decided = { router: this.#self, subgraph, override, ...until, reason, atMs };
    this.#decided.set(subgraph, decided);
    this.#sendDecided(decided);
  }

  #sendDecided(decided: Decided): void {
    const { subgraph, override, untilMs } = decided;
    const text = JSON.stringify(decided);
    const key = `${FORCED_KEY}${subgraph}`;
    const leftMs = override === 'AUTO' ? AUTO_TTL_MS : untilMs && untilMs - this.options.clock.nowMs();
    if (leftMs !== undefined && leftMs <= 0) return;
    this.#send(() => {
      const told = this.#store.multi().publish(CHANNEL, text);
      return (leftMs === undefined ? told.set(key, text) : told.set(key, text, 'PX', Math.ceil(leftMs))).exec();
    });
  }

  /** Reads what is known of all subgraphs, and tells what was decided here later. */
  #sync(): void {
    const subgraphs = [...this.options.guard.circuits.keys()];
    if (subgraphs.length === 0 || this.#store.status !== 'ready') return;
    this.#send(async () => {
      const open = await this.#store.mget(subgraphs.map((subgraph) => `${OPEN_KEY}${subgraph}`));
      const forced = await this.#store.mget(subgraphs.map((subgraph) => `${FORCED_KEY}${subgraph}`));
      for (const text of [...forced, ...open]) if (text !== null) this.#hear(text);
      subgraphs.forEach((subgraph, place) => {
        const own = this.#decided.get(subgraph);
        const theirs = DECIDED.safeParse(jsonOf(forced[place] ?? ''));
        if (own?.router === this.#self && !(theirs.data && isLater(theirs.data, own))) this.#sendDecided(own);
      });
    });
  }

  #hear(text: string): void {
    if (!this.#isOn()) return;
    const message = jsonOf(text);
    const decided = DECIDED.safeParse(message).data;
    const found = decided ? undefined : FOUND.safeParse(message).data;
    const circuit = this.options.guard.circuits.get((decided ?? found)?.subgraph ?? '');
    if (!circuit) return;
    if (decided) this.#adopt(circuit, decided);
    else if (found && found.router !== this.#self) circuit.hear(found.phase, found.reason);
  }

  #adopt(circuit: Circuit, decided: Decided): void {
    const { subgraph, override, untilMs, reason } = decided;
    const known = this.#decided.get(subgraph);
    if (known && !isLater(decided, known)) return;
    if (untilMs !== undefined && untilMs <= this.options.clock.nowMs()) return;
    this.#decided.set(subgraph, decided);
    circuit.adopt({ override, untilMs, reason });
  }

  #isOn(): boolean {
    return this.options.flags.isOn('router.breaker-agreement');
  }

  #send(work: () => Promise<unknown>): void {
    if (!this.#isOn()) return;
    work().then(undefined, (error: unknown) =>
      this.options.log.debug('breakers.redis.failed', { error: messageOf(error) }),
    );
  }

  #lost(connection: Redis): void {
    if (this.#isClosed) return;
    if (this.#away.size === 0) {
      this.options.log.warn('breakers.redis.away', { meaning: 'this router agrees with no other about breakers' });
    }
    this.#away.add(connection);
  }

  #found(connection: Redis): void {
    if (this.#away.delete(connection) && this.#away.size === 0) this.options.log.info('breakers.redis.back');
    this.#sync();
  }
}

/** Of two decisions of the same time one must hold everywhere, whichever. */
function isLater(one: Decided, other: Decided): boolean {
  return one.atMs === other.atMs ? one.router > other.router : one.atMs > other.atMs;
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
