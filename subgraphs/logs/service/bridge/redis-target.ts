import type { Redis } from 'ioredis';
import type { BridgeMessage, BridgeTarget } from './message.ts';

const TIMEOUT_MS = 5_000;
/** What the stream keeps, about; older messages go. */
const MAX_LENGTH = 1_000_000;

/** A message is added and remembered in one step: one that comes again is known, whichever process was killed in between. */
const ADD = `
local seen = redis.call('GET', KEYS[2])
if seen then
  local epoch, position = seen:match('^(%S+) (%d+)$')
  if epoch == ARGV[1] and tonumber(position) >= tonumber(ARGV[2]) then return 0 end
end
redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[5], '*', 'id', ARGV[3], 'body', ARGV[4])
redis.call('SET', KEYS[2], ARGV[1] .. ' ' .. ARGV[2])
return 1
`;

type AddingRedis = Redis & { fleetAdd(...rest: (string | number)[]): Promise<number> };

/** A Redis Stream: each message once. */
export class RedisTarget implements BridgeTarget {
  readonly #redis: AddingRedis;
  readonly #stream: string;

  /** @param url redis or rediss, with the stream in `?stream=` */
  constructor(url: URL, onAway: (reason: string) => void) {
    const { Redis } = require('ioredis') as typeof import('ioredis');
    this.#stream = url.searchParams.get('stream') ?? 'fleet.errors';
    const plain = new URL(url);
    plain.search = '';
    const redis = new Redis(plain.href, {
      lazyConnect: true,
      maxRetriesPerRequest: 0,
      commandTimeout: TIMEOUT_MS,
      connectTimeout: TIMEOUT_MS,
      retryStrategy: (attempt) => Math.min(5_000, 100 * attempt),
    });
    redis.on('error', (error: Error) => onAway(error.message));
    redis.defineCommand('fleetAdd', { numberOfKeys: 2, lua: ADD });
    this.#redis = redis as AddingRedis;
  }

  async send(messages: readonly BridgeMessage[]): Promise<void> {
    const stream = this.#stream;
    const seen = `{${stream}}:position`;
    // Commands of one connection are run in their order. One that fails must not be overtaken by those behind it.
    for (const { epoch, position, id, body } of messages)
      await this.#redis.fleetAdd(stream, seen, epoch, position, id, body, MAX_LENGTH);
  }

  async close(): Promise<void> {
    this.#redis.disconnect();
  }
}
