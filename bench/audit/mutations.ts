import type { Call } from '../../lib/call/signing.ts';
import type { Transaction } from '../../lib/database.ts';
import type { HouseRuntime } from '../../lib/house.ts';
import { type EventDraft, insertEvents } from '../../lib/write/rows.ts';
import { median } from '../figure.ts';

const CLIENTS = 8;
const ROUND_MS = 4_000;
const ROUNDS = 3;
const CALL: Call = { principal: { id: 'admin', kind: 'SCRIPT', name: 'admin', scopes: ['admin'] }, requestId: 'bench' };

/** Mutations a second of eight clients, without an audit entry and with one: what differs is the entry alone. */
export async function mutationRates(house: HouseRuntime): Promise<{ bare: number; audited: number }> {
  const { database, writes, clock } = house;
  await database.query(
    'create table bench (id int primary key, uuid uuid not null default gen_random_uuid(), n int not null default 0)',
  );
  await database.query(`insert into bench (id) select generate_series(0, ${CLIENTS - 1})`);
  const bare = (client: number) =>
    database.transaction(async (tx) => insertEvents(tx, [(await change(tx, client)).event], clock.nowMs()));
  const audited = (client: number) =>
    writes.run({
      call: CALL,
      action: 'bench',
      args: {},
      target: { type: 'Agent', id: '' },
      run: async (tx) => {
        const { before, after, event } = await change(tx, client);
        return { result: {}, before, after, events: [event] };
      },
    });
  const found: Record<'bare' | 'audited', number[]> = { bare: [], audited: [] };
  for (let round = 0; round < ROUNDS; round += 1) {
    found.bare.push(await rate(bare));
    found.audited.push(await rate(audited));
  }
  return { bare: median(found.bare), audited: median(found.audited) };
}

async function change(tx: Transaction, client: number) {
  const [row]: { uuid: string; n: number }[] = await tx.query('select uuid, n from bench where id = $1 for update', [
    client,
  ]);
  const { uuid, n } = row as { uuid: string; n: number };
  await tx.query('update bench set n = $2 where id = $1', [client, n + 1]);
  const [before, after] = [
    { client, n },
    { client, n: n + 1 },
  ];
  const event: EventDraft = { type: 'Agent', entityId: uuid, kind: 'UPDATED', node: after, previous: before };
  return { before, after, event };
}

async function rate(mutate: (client: number) => Promise<unknown>): Promise<number> {
  const startedMs = performance.now();
  let done = 0;
  await Promise.all(
    Array.from({ length: CLIENTS }, async (_, client) => {
      for (; performance.now() - startedMs < ROUND_MS; done += 1) await mutate(client);
    }),
  );
  return done / ((performance.now() - startedMs) / 1_000);
}
