import type { Redis } from 'ioredis';
import type { Drawn, Meter } from './bucket.ts';
import type { LimitStore } from './store.ts';

const KEY_PREFIX = 'fleet:limits:';
/** A Redis that takes longer is away, milliseconds. */
const COMMAND_MS = 2_000;

/** `draw` of bucket.ts, by the time of Redis: routers' clocks differ. A full bucket is forgotten: it is what an absent one is. */
const DRAW = `
local time = redis.call('time')
local now = time[1] * 1000 + time[2] / 1000
local forced = ARGV[1] == '1'
local count = (#ARGV - 1) / 3
local level = redis.call('hmget', KEYS[1], 'at', '1', '2', '3', '4')
local at = tonumber(level[1] or now)
local passed = math.max(0, now - at) / 1000
local tokens = {}
local admitted = true
for i = 1, count do
  local capacity, rate, cost = tonumber(ARGV[3 * i - 1]), tonumber(ARGV[3 * i]), tonumber(ARGV[3 * i + 1])
  tokens[i] = math.min(capacity, tonumber(level[i + 1] or capacity) + passed * rate)
  if tokens[i] < cost then admitted = false end
end
admitted = admitted or forced
local fields = { 'at', string.format('%.17g', math.max(now, at)) }
local fullMs = 0
for i = 1, count do
  local capacity, rate, cost = tonumber(ARGV[3 * i - 1]), tonumber(ARGV[3 * i]), tonumber(ARGV[3 * i + 1])
  if admitted then tokens[i] = tokens[i] - cost end
  fullMs = math.max(fullMs, (capacity - tokens[i]) / rate * 1000)
  tokens[i] = string.format('%.17g', tokens[i])
  fields[#fields + 1] = tostring(i)
  fields[#fields + 1] = tokens[i]
end
if admitted then
  redis.call('hset', KEYS[1], unpack(fields))
  redis.call('pexpire', KEYS[1], math.ceil(fullMs) + 1000)
end
table.insert(tokens, 1, admitted and '1' or '0')
return tokens
`;

type DrawingRedis = Redis & { fleetDraw(key: string, ...rest: (string | number)[]): Promise<string[]> };

/** Buckets that all routers with the same Redis share: one key for each client and class, one round trip for each draw. */
export class RedisStore implements LimitStore {
  readonly #redis: DrawingRedis;

  /** Connects; does not wait for it. @param onAway told why, each time a connection fails */
  constructor(url: string, onAway: (reason: string) => void) {
    // Loaded only where it is used: it takes a tenth of a second of the start.
    const { Redis } = require('ioredis') as typeof import('ioredis');
    const redis = new Redis(url, {
      // The first draws wait for the connection: counted alone they would come on top of what the others count.
      enableOfflineQueue: true,
      maxRetriesPerRequest: 1,
      commandTimeout: COMMAND_MS,
      connectTimeout: 2_000,
      retryStrategy: (attempt) => Math.min(2_000, 100 * attempt),
    });
    redis.on('error', (error: Error) => onAway(error.message));
    redis.defineCommand('fleetDraw', { numberOfKeys: 1, lua: DRAW });
    this.#redis = redis as DrawingRedis;
  }

  async draw({ key, buckets }: Meter, costs: readonly number[], isForced: boolean): Promise<Drawn> {
    const terms = buckets.flatMap(({ capacity, perSecond }, at) => [capacity, perSecond, costs[at] ?? 0]);
    const [admitted, ...tokens] = await this.#redis.fleetDraw(`${KEY_PREFIX}{${key}}`, isForced ? 1 : 0, ...terms);
    return { admitted: admitted === '1', tokens: tokens.map(Number) };
  }

  close(): void {
    this.#redis.disconnect();
  }
}
