import type { Transaction } from '../../../lib/database.ts';
import type { SystemEntry, Writes } from '../../../lib/write/writes.ts';
import type { RetentionStore, SweepStore, SweptPart, SweptRows } from '../store/index.ts';
import type { Retention } from './retention.ts';
import { beforeOf, rulesOf, type SweepPlan, sweptOf, whyOf } from './sweep-plan.ts';

/** Parts that one statement drops. */
const DROPPED_AT_ONCE = 50;
/** Entries, in whole days, that one statement removes: so long a new policy waits at most. */
const REMOVED_AT_ONCE = 2_000_000;
/** Looks at the table in one run; merges may rename parts between a look and what follows. */
const LOOKS = 20;

export interface SweepParts {
  retention: Retention;
  policies: RetentionStore;
  store: SweepStore;
  writes: Writes;
}

/**
 * Carries out what the policies say. What goes is written down with its audit entries before any of it does, and it is the same
 * entries however often that is looked at: a successor of a killed process goes on with it and tells nothing twice. Policies
 * that change meanwhile end it; what was told and stayed is told too.
 */
export class Sweep {
  constructor(private readonly parts: SweepParts) {}

  /** Goes on with what was begun, then removes what is due by now. @returns how many entries were newly told */
  async run(): Promise<number> {
    const { retention, policies, store } = this.parts;
    const begun = await policies.sweep();
    if (begun.plan !== null) await this.#carryOut(begun.plan as SweepPlan, begun.sweeps);
    const { sweeps, plan: other } = await policies.sweep();
    const plan = await retention.plan();
    let told = 0;
    if (other === null && plan.told.length && (await this.#begin(plan, sweeps))) {
      told = plan.told.reduce((sum, { entries }) => sum + entries, 0);
      await this.#carryOut(plan, sweeps);
    }
    await store.reclaim();
    return told;
  }

  #begin(plan: SweepPlan, sweeps: number): Promise<boolean> {
    const { policies, writes, retention } = this.parts;
    return writes.transaction(async (tx) => {
      const stamp = Math.max(...plan.told.map((rows) => rows.stamp));
      if (!(await policies.begin(tx, plan, sweeps, stamp))) return false;
      await writes.system(
        tx,
        'logs',
        plan.told.map((rows) => sweptEntry(plan, rows, retention.totalBytes)),
      );
      return true;
    });
  }

  async #carryOut(plan: SweepPlan, sweeps: number): Promise<void> {
    const { store } = this.parts;
    const policies = sweptOf(plan.policies);
    for (let look = 0; look < LOOKS; look += 1) {
      const parts = await store.parts(policies, plan.mark);
      if (!parts.length) return await this.#end(sweeps);
      const whole = parts.filter(({ due, rows }) => due === rows).map(({ name }) => name);
      for (let from = 0; from < whole.length; from += DROPPED_AT_ONCE) {
        const some = whole.slice(from, from + DROPPED_AT_ONCE);
        if (!(await this.#step(plan, sweeps, () => store.drop(some)))) return;
      }
      for (const days of batches(parts.filter(({ due, rows }) => due < rows))) {
        if (!(await this.#step(plan, sweeps, () => store.remove(policies, plan.mark, days)))) return;
      }
    }
  }

  /** Removes something while no policy can change. @returns false when one did, or another process ended this: it is over */
  #step(plan: SweepPlan, sweeps: number, remove: () => Promise<unknown>): Promise<boolean> {
    const { policies, retention } = this.parts;
    return policies.transaction(async (tx) => {
      await policies.holdOffSweeps(tx);
      if (rulesOf(await retention.all(tx), retention.totalBytes) !== plan.rules) {
        await this.#giveUp(tx, plan, sweeps);
        return false;
      }
      await remove();
      return true;
    });
  }

  async #giveUp(tx: Transaction, plan: SweepPlan, sweeps: number): Promise<void> {
    const { policies, store, writes } = this.parts;
    const stays = await store.removals(sweptOf(plan.policies), plan.mark);
    if (!(await policies.end(tx, sweeps))) return;
    await writes.system(
      tx,
      'logs',
      stays.map((rows) => sparedEntry(plan, rows)),
    );
  }

  async #end(sweeps: number): Promise<void> {
    const { policies, writes } = this.parts;
    await writes.transaction((tx) => policies.end(tx, sweeps));
  }
}

/** Days of parts, as many as one statement removes from. */
function batches(parts: readonly SweptPart[]): string[][] {
  const batches: { days: Set<string>; due: number }[] = [];
  for (const { partition, due } of parts) {
    const last = batches.at(-1);
    if (last?.days.has(partition) || (last && last.due + due <= REMOVED_AT_ONCE)) {
      last.days.add(partition);
      last.due += due;
    } else batches.push({ days: new Set([partition]), due });
  }
  return batches.map(({ days }) => [...days]);
}

function sweptEntry(plan: SweepPlan, rows: SweptRows, totalBytes: number | null): SystemEntry {
  const { name, version } = nameOf(plan, rows);
  return {
    action: 'logs.retention.swept',
    target: { type: 'RetentionPolicy', id: name },
    reason: `${rows.entries} entries of policy ${name}: ${whyOf(plan, rows, totalBytes)}`,
    before: { entries: rows.entries, bytes: rows.bytes },
    after: { entries: 0, bytes: 0, why: rows.reason, observedBefore: beforeOf(plan, rows), policyVersion: version },
  };
}

function sparedEntry(plan: SweepPlan, rows: SweptRows): SystemEntry {
  const { name, version } = nameOf(plan, rows);
  const told = plan.told.find(({ place, reason }) => place === rows.place && reason === rows.reason)?.entries ?? 0;
  return {
    action: 'logs.retention.spared',
    target: { type: 'RetentionPolicy', id: name },
    reason: `${rows.entries} of ${told} entries of policy ${name} were not removed: the policies changed`,
    before: { entries: told },
    after: { entries: rows.entries, why: rows.reason, observedBefore: beforeOf(plan, rows), policyVersion: version },
  };
}

function nameOf({ policies }: SweepPlan, { place }: SweptRows) {
  const policy = policies[place];
  if (!policy) throw new Error('a plan speaks of its own policies');
  return policy;
}
