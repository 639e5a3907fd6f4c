import type { DataSource } from 'typeorm';
import { systemClock } from '../../lib/clock.ts';
import { MerkleLog } from '../../subgraphs/audit/service/merkle-log.ts';
import { TreeStore, Witness } from '../../subgraphs/audit/store/index.ts';

const BATCH = 20_000;
const ASKED = 2_000;

const ENTRIES = `
  insert into entry (id, occurred_at, actor_id, actor_kind, actor_name, action, outcome, target_type, target_id, request_id, words,
                     leaf, leaf_hash, position)
  select gen_random_uuid(), now(), 'admin', 'SCRIPT', 'admin', 'bench', 'SUCCEEDED', 'Agent', (n % 1000)::text, n::text, ' bench ',
         leaf, sha256('\\x00'::bytea || leaf), n
    from (select n, convert_to('{"n":' || n || '}', 'UTF8') as leaf from generate_series($1::bigint, $2::bigint) n) made`;

/** A log of so many entries in a database: each batch is placed and signed as the sequencer does it. */
export async function storedLog(database: DataSource, folder: string, size: number): Promise<MerkleLog> {
  const log = new MerkleLog(new TreeStore(database), new Witness(folder), systemClock);
  await log.open();
  for (let first = 1; first <= size; first += BATCH) {
    await database.transaction(async (tx) => {
      await tx.query(ENTRIES, [first, first + BATCH - 1]);
      await tx.query('update tree set last_position = $1', [first + BATCH - 1]);
      await log.extend(tx, first, BATCH);
    });
  }
  await database.query('vacuum analyze entry');
  await database.query('vacuum analyze tree_node');
  return log;
}

/** How long proofs of one entry take one after the other, milliseconds, sorted. */
export async function proofTimes(database: DataSource, log: MerkleLog, size: number): Promise<number[]> {
  return await times(async () => {
    const position = 1 + Math.floor(Math.random() * size);
    const [{ leaf, hash }] = await database.query('select leaf, leaf_hash as hash from entry where position = $1', [
      position,
    ]);
    return () => log.prove([{ leaf, leafHash: hash, leafIndex: position - 1 }]);
  });
}

/** The same of consistency proofs between two sizes. */
export async function consistencyTimes(log: MerkleLog, size: number): Promise<number[]> {
  return await times(async () => {
    const sizes = [0, 0].map(() => 1 + Math.floor(Math.random() * size)).sort((a, b) => a - b);
    return () => log.consistency(String(sizes[0]), String(sizes[1]));
  });
}

async function times(next: () => Promise<() => Promise<unknown>>): Promise<number[]> {
  const took: number[] = [];
  for (let at = 0; at < ASKED; at += 1) {
    const ask = await next();
    const startedMs = performance.now();
    await ask();
    took.push(performance.now() - startedMs);
  }
  return took.sort((a, b) => a - b);
}
