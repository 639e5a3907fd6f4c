import type { Pool } from 'pg';
import type { Drawn, Meter } from './bucket.ts';
import type { LimitStore } from './store.ts';

const CONNECTIONS = 8;
/** A database that takes longer is away, milliseconds. */
const QUERY_MS = 500;
const CONNECT_MS = 1_000;
/** Rows are looked through for full buckets once in so many draws. */
const SWEEP_EVERY = 10_000;

/** Unlogged: after a crash buckets are full, which costs one burst, and each draw spares a write to the log. */
const TABLE = `
create unlogged table if not exists fleet_limits (
  key text primary key,
  tokens float8[] not null,
  at_ms float8 not null,
  full_at_ms float8 not null
) with (fillfactor = 50)`;

/** Two routers that start together must not make it twice at the same time. */
const TABLE_LOCK = "select pg_advisory_lock(hashtext('fleet_limits'))";
const TABLE_UNLOCK = "select pg_advisory_unlock(hashtext('fleet_limits'))";

const HELD = `(
  select array_agg(least(capacity, coalesce(held, capacity) + greatest(0, clock.now_ms - b.at_ms) / 1000 * rate) order by at)
  from unnest(b.tokens[1:cardinality($2::float8[])], $2::float8[], $3::float8[])
    with ordinality u(held, capacity, rate, at)
)`;
const minus = (held: string) =>
  `(select array_agg(h - coalesce(c, 0) order by at) from unnest(${held}, $4::float8[]) with ordinality u(h, c, at))`;
const covers = (held: string) =>
  `($5 or (select bool_and(h >= coalesce(c, 0)) from unnest(${held}, $4::float8[]) u(h, c)))`;
const fullAt = (tokens: string) => `clock.now_ms + greatest(0,
  (select max((capacity - h) / rate * 1000) from unnest(${tokens}, $2::float8[], $3::float8[]) u(h, capacity, rate)))`;

/**
 * `draw` of bucket.ts in one statement, by the database's time. The row's lock makes it atomic: whoever waited for it judges
 * the row as it is then.
 */
const DRAW = `
with clock as (select extract(epoch from clock_timestamp())::float8 * 1000 as now_ms), drawn as (
  insert into fleet_limits as b (key, tokens, at_ms, full_at_ms)
  select $1, ${minus('$2::float8[]')}, clock.now_ms, ${fullAt(minus('$2::float8[]'))}
  from clock
  where ${covers('$2::float8[]')} or exists (select from fleet_limits where key = $1)
  on conflict (key) do update set
    (tokens, at_ms, full_at_ms) = (
      select ${minus(HELD)}, greatest(clock.now_ms, b.at_ms), ${fullAt(minus(HELD))} from clock
    )
    where (select ${covers(HELD)} from clock)
  returning tokens
)
select true as admitted, tokens from drawn
union all
select false, ${HELD} from clock, fleet_limits b where b.key = $1 and not exists (select from drawn)`;

const SWEEP = 'delete from fleet_limits where full_at_ms < extract(epoch from clock_timestamp()) * 1000';

/** Buckets that all routers with the same PostgreSQL share: one row for each client and class. */
export class PostgresStore implements LimitStore {
  readonly #pool: Pool;
  #ready: Promise<void> | undefined;
  #draws = 0;

  /** @param onAway told why, when an idle connection is lost */
  constructor(url: string, onAway: (reason: string) => void) {
    // Loaded only where it is used: it would be paid for at every start.
    const { Pool } = require('pg') as typeof import('pg');
    this.#pool = new Pool({
      connectionString: url,
      max: CONNECTIONS,
      connectionTimeoutMillis: CONNECT_MS,
      query_timeout: QUERY_MS,
      statement_timeout: QUERY_MS,
      application_name: 'fleet-router-limits',
    });
    this.#pool.on('error', (error) => onAway(error.message));
  }

  async draw({ key, buckets }: Meter, costs: readonly number[], isForced: boolean): Promise<Drawn> {
    this.#ready ??= this.#prepare().catch((error: unknown) => {
      this.#ready = undefined;
      throw error;
    });
    await this.#ready;
    const capacities = buckets.map(({ capacity }) => capacity);
    const rates = buckets.map(({ perSecond }) => perSecond);
    const values = [key, capacities, rates, buckets.map((_, at) => costs[at] ?? 0), isForced];
    const { rows } = await this.#pool.query<Drawn>({ name: 'fleet_draw', text: DRAW, values });
    if (++this.#draws % SWEEP_EVERY === 0) await this.#pool.query(SWEEP);
    // Without a row, another one's first draw took what there was between this statement's two looks.
    return rows[0] ?? { admitted: false, tokens: buckets.map(() => 0) };
  }

  close(): void {
    void this.#pool.end();
  }

  async #prepare(): Promise<void> {
    const client = await this.#pool.connect();
    try {
      await client.query(TABLE_LOCK);
      await client.query(TABLE);
    } finally {
      await client.query(TABLE_UNLOCK).finally(() => client.release());
    }
  }
}
