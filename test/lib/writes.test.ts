import {
  Arg,
  Ctx,
  Directive,
  Field,
  ID,
  InputType,
  Int,
  Mutation,
  ObjectType,
  Query,
  Resolver,
  Root,
  Subscription,
} from 'type-graphql';
import { Column, Entity, type MigrationInterface, PrimaryColumn, type QueryRunner } from 'typeorm';
import { isDatabaseAway } from '../../lib/database.ts';
import { FleetError } from '../../lib/errors.ts';
import { buildSubgraph } from '../../lib/federation.ts';
import { Change, Node, UserError } from '../../lib/graphql/shared.ts';
import type { HouseRuntime } from '../../lib/house.ts';
import { silentLog } from '../../lib/log.ts';
import { nodeId } from '../../lib/node-id.ts';
import { connectionOf, pageOf, readPage } from '../../lib/page.ts';
import type { HouseContext, Subgraph } from '../../lib/subgraph.ts';
import { KeySweep } from '../../lib/write/key-sweep.ts';
import { EVENT_PARTITIONS, WRITE_TABLES } from '../../lib/write/tables.ts';
import { callOf, startTestHouse, type TestHouse } from '../support/house.ts';
import { until } from '../support/until.ts';

@Entity('lamp')
@Directive('@key(fields: "id")')
@ObjectType({ implements: Node })
class Lamp {
  @PrimaryColumn('uuid', { name: 'id' })
  uuid!: string;

  @Field(() => ID)
  get id(): string {
    return nodeId('Lamp', this.uuid);
  }

  @Column('int')
  @Field(() => Int)
  level!: number;
}

@InputType()
class DimInput {
  @Field()
  name!: string;

  @Field(() => Int)
  level!: number;

  @Field(() => String, { nullable: true })
  clientMutationId?: string | null;
}

@ObjectType()
class DimPayload {
  @Field(() => Lamp, { nullable: true })
  lamp!: Lamp | null;

  @Field(() => String, { nullable: true })
  secret!: string | null;

  @Field(() => [UserError])
  userErrors!: UserError[];
}

@ObjectType({ implements: Change })
class LampChange extends Change {
  @Field(() => Lamp)
  node!: Lamp;
}

const { Connection } = connectionOf(() => Lamp, 'Lamp', true);

interface LampContext extends HouseContext {
  runtime: HouseRuntime;
}

class Tables1700000000000 implements MigrationInterface {
  async up(run: QueryRunner): Promise<void> {
    for (const statement of [...WRITE_TABLES, ...EVENT_PARTITIONS]) await run.query(statement);
    await run.query('create table lamp (id uuid primary key, name text unique, level int not null)');
  }

  async down(): Promise<void> {}
}

@Resolver(() => Lamp)
class LampResolver {
  @Query(() => Connection, { nullable: true })
  async lamps(@Ctx() { runtime }: LampContext) {
    const request = readPage({}, runtime.cursors, 'lamps');
    const { read, changeCursor } = await runtime.moments.asOf('Lamp', (tx) =>
      tx.getRepository(Lamp).find({ order: { uuid: 'ASC' } }),
    );
    return {
      ...pageOf(read, request, runtime.cursors, 'lamps', (row) => [row.uuid]),
      totalCount: () => runtime.database.getRepository(Lamp).count(),
      changeCursor,
    };
  }

  @Mutation(() => DimPayload, { nullable: true })
  async dimLamp(@Arg('input') input: DimInput, @Ctx() { call, runtime }: LampContext): Promise<DimPayload> {
    const outcome = await runtime.writes.run<{ uuid: string }>({
      call,
      action: 'dimLamp',
      args: input,
      target: { type: 'Lamp', id: input.name },
      async run(tx) {
        if (input.level > 100) throw new FleetError('BAD_INPUT', 'a lamp has 0 to 100', { field: ['level'] });
        const uuid = runtime.clock.uuid();
        const [row] = await tx.query(
          'insert into lamp values ($1, $2, $3) on conflict (name) do update set level = $3 returning id, level',
          [uuid, input.name, input.level],
        );
        return {
          result: { uuid: row.id },
          secret: 'shown once',
          after: { level: row.level },
          events: [{ type: 'Lamp', entityId: row.id, kind: 'UPDATED', node: { uuid: row.id, level: row.level } }],
        };
      },
    });
    const lamp =
      outcome.result && (await runtime.database.getRepository(Lamp).findOneBy({ uuid: outcome.result.uuid }));
    return { lamp: lamp ?? null, secret: outcome.secret ?? null, userErrors: outcome.userErrors };
  }

  @Subscription(() => LampChange, {
    nullable: true,
    subscribe: ({ args, context }) =>
      (context as LampContext).runtime.events.subscribe({
        type: 'Lamp',
        after: (context as LampContext).call.lastEventId ?? (args['after'] as string),
        matches: (node) => Number(node['level']) < 50,
      }),
  })
  lampChanged(@Root() change: LampChange, @Arg('after', () => String, { nullable: true }) _after?: string): LampChange {
    return Object.assign(new LampChange(), change, { node: Object.assign(new Lamp(), change.node) });
  }
}

const access = {
  Query: ['viewer'],
  Mutation: ['operator'],
  Subscription: ['viewer'],
  Lamp: ['viewer'],
  DimPayload: ['operator'],
  LampChange: ['viewer'],
  UserError: ['viewer'],
  LampConnection: ['viewer'],
  LampEdge: ['viewer'],
  PageInfo: ['viewer'],
};

async function lampHouse(runtime: HouseRuntime): Promise<Subgraph> {
  const schema = await buildSubgraph({ access, resolvers: [LampResolver], references: { Lamp: () => null } });
  return { name: 'lamps', schema, context: (call): LampContext => ({ call, runtime }) };
}

describe('a house', () => {
  let house: TestHouse;
  beforeAll(async () => {
    house = await startTestHouse({
      name: 'lamps',
      entities: [Lamp],
      migrations: [Tables1700000000000],
      make: lampHouse,
      access,
    });
  });
  afterAll(() => house.stop());

  const dim = (input: object, call = {}) =>
    house.ask(
      'mutation ($input: DimInput!) { dimLamp(input: $input) { lamp { level } secret userErrors { code message field } } }',
      { input },
      call,
    );

  test('writes a change, its entry and its event together', async () => {
    const answer = await dim({ name: 'hall', level: 10 });
    expect(answer).toEqual({ data: { dimLamp: { lamp: { level: 10 }, secret: 'shown once', userErrors: [] } } });
    const [entry] = await house.runtime.database.query(
      `select entry from audit_outbox where entry->>'targetId' = 'hall'`,
    );
    expect(entry.entry).toMatchObject({
      action: 'dimLamp',
      outcome: 'SUCCEEDED',
      after: { level: 10 },
      actor: { id: 'admin' },
    });
    const [event] = await house.runtime.database.query('select kind, node from event');
    expect(event).toMatchObject({ kind: 'UPDATED', node: { level: 10 } });
  });

  test('a refused attempt leaves its entry and no change', async () => {
    const answer = await dim({ name: 'attic', level: 101 });
    expect(answer.data.dimLamp).toEqual({
      lamp: null,
      secret: null,
      userErrors: [{ code: 'BAD_INPUT', message: 'a lamp has 0 to 100', field: ['level'] }],
    });
    const entries = await house.runtime.database.query(
      `select entry->>'outcome' as outcome from audit_outbox where entry->>'targetId' = 'attic'`,
    );
    expect(entries).toEqual([{ outcome: 'FAILED' }]);
  });

  test('a repeat by key answers the first outcome, without the secret, and other arguments are refused', async () => {
    const input = { name: 'cellar', level: 20, clientMutationId: 'k1' };
    await dim(input);
    const [again, other] = [await dim(input), await dim({ ...input, level: 21 })];
    expect(again.data.dimLamp).toMatchObject({
      lamp: { level: 20 },
      secret: null,
      userErrors: [{ code: 'SECRET_ALREADY_SHOWN' }],
    });
    expect(other.data.dimLamp).toMatchObject({ lamp: null, userErrors: [{ code: 'IDEMPOTENCY_KEY_REUSED' }] });
    const [{ count }] = await house.runtime.database.query(
      `select count(*)::int as count from audit_outbox where entry->>'targetId' = 'cellar'`,
    );
    expect(count).toBe(2);
  });

  test('ten repeats at once take effect once, and all answer the same', async () => {
    const input = { name: 'stairs', level: 33 };
    const answers = await Promise.all(
      Array.from({ length: 10 }, () => dim(input, { idempotencyKey: 'k'.repeat(255) })),
    );
    expect(new Set(answers.map(({ data }) => data.dimLamp.lamp.level))).toEqual(new Set([33]));
    const first = answers.filter(({ data }) => data.dimLamp.secret !== null);
    expect(first).toHaveLength(1);
    const events = await house.runtime.database.query(`select 1 from event where node->>'level' = '33'`);
    expect(events).toHaveLength(1);
  });

  test('while the trail cannot be written nothing is changed, and that is said within seconds', async () => {
    const holder = house.runtime.database.createQueryRunner();
    await holder.startTransaction();
    await holder.query('lock table audit_outbox in access exclusive mode');
    const input = { name: 'gate', level: 7, clientMutationId: 'held' };
    const refused = await dim(input);
    expect(refused.errors?.[0]?.extensions).toMatchObject({ code: 'AUDIT_UNAVAILABLE', retryable: true });
    await holder.rollbackTransaction();
    await holder.release();
    const { database } = house.runtime;
    expect(await database.query(`select 1 from lamp where name = 'gate'`)).toEqual([]);
    expect((await dim(input)).data.dimLamp).toMatchObject({ lamp: { level: 7 }, userErrors: [] });
    const entries = await database.query(`select 1 from audit_outbox where entry->>'targetId' = 'gate'`);
    expect(entries).toHaveLength(1);
  });

  test('a disk that is full and a server that only reads are told alike', () => {
    for (const code of ['53100', '53300', '25006', '57P03', '08006']) expect(isDatabaseAway({ code })).toBe(true);
    for (const code of ['23505', '42P01', '57014']) expect(isDatabaseAway({ code })).toBe(false);
  });

  test('a key is its caller’s alone', async () => {
    const robin = { principal: { id: 'key:robin', kind: 'SCRIPT', name: 'robin', scopes: ['operator'] } };
    await dim({ name: 'roof', level: 1, clientMutationId: 'shared' });
    const other = await dim({ name: 'roof', level: 2, clientMutationId: 'shared' }, robin);
    expect(other.data.dimLamp).toMatchObject({ lamp: { level: 2 }, userErrors: [] });
  });

  test('after a day a key is forgotten, and may be used for something else even before that is done', async () => {
    const { database } = house.runtime;
    const age = (key: string, hours: number) =>
      database.query(`update idempotency set created_at = now() - $2::interval where key = $1`, [
        key,
        `${hours} hours`,
      ]);
    for (const key of ['old', 'young']) await dim({ name: 'shed', level: 5, clientMutationId: key });
    await age('old', 25);
    await age('young', 23);
    const [again, refused] = [
      await dim({ name: 'shed', level: 6, clientMutationId: 'old' }),
      await dim({ name: 'shed', level: 6, clientMutationId: 'young' }),
    ];
    expect(again.data.dimLamp).toMatchObject({ lamp: { level: 6 }, secret: 'shown once', userErrors: [] });
    expect(refused.data.dimLamp.userErrors).toMatchObject([{ code: 'IDEMPOTENCY_KEY_REUSED' }]);
    await age('old', 25);
    expect(await new KeySweep(database, silentLog).sweep()).toBe(1);
    const left = await database.query(`select key from idempotency where key in ('old', 'young')`);
    expect(left).toEqual([{ key: 'young' }]);
  });

  test('a key that is none is refused and recorded', async () => {
    const answer = await dim({ name: 'porch', level: 1, clientMutationId: 'ä' });
    expect(answer.data.dimLamp.userErrors).toMatchObject([{ code: 'BAD_INPUT', field: ['clientMutationId'] }]);
  });

  test('query, then subscribe after its changeCursor: nothing is missed, and a node that leaves is told once', async () => {
    // What others wrote before has its place, and so lies before the cursor.
    await until(async () => {
      const unplaced: unknown[] = await house.runtime.database.query('select 1 from event where position is null');
      return unplaced.length === 0;
    });
    const page = await house.ask('{ lamps { changeCursor totalCount nodes { level } } }');
    expect(page.data.lamps.totalCount).toBe(page.data.lamps.nodes.length);
    for (const level of [1, 2, 60, 61]) await dim({ name: 'hall', level });
    const response = await house.client.open('POST /graphql', {
      call: callOf({ lastEventId: page.data.lamps.changeCursor }),
      headers: { accept: 'text/event-stream' },
      body: JSON.stringify({ query: 'subscription { lampChanged { cursor kind node { level } } }' }),
    });
    let text = '';
    response.on('data', (chunk) => {
      text += chunk;
    });
    await until(() => text.split('event: next').length > 2);
    const seen = [...text.matchAll(/^data: (.*)$/gm)].map((match) => JSON.parse(match[1] as string).data.lampChanged);
    expect(seen.map(({ kind, node }) => [kind, node.level])).toEqual([
      ['UPDATED', 1],
      ['UPDATED', 2],
    ]);
    expect([...text.matchAll(/^id: (.*)$/gm)].map((match) => match[1])).toContain(seen[0].cursor);
    response.destroy();
  });

  test('refuses who lacks the scope', async () => {
    const viewer = { id: 'v', kind: 'SCRIPT' as const, name: 'v', scopes: ['viewer' as const] };
    const answer = await dim({ name: 'hall', level: 3 }, { principal: viewer });
    expect(answer.errors?.[0]).toMatchObject({ path: ['dimLamp'], extensions: { code: 'FORBIDDEN' } });
  });
});
