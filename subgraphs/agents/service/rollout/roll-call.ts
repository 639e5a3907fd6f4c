import { RolloutPhase } from '../../entity/rollout-enums.ts';
import type { ReadingRow } from '../../store/readings.ts';
import type { MemberRow } from '../../store/rollouts.ts';
import type { Firing } from './alarms.ts';
import { emptyReading, READING_FIELDS, type Reading } from './evidence.ts';
import type { Readings } from './look.ts';
import type { Member, Sight, Sights } from './members.ts';
import type { Life } from './rules.ts';

/** What is seen of the members' agents. */
export function sightsOf(rows: readonly MemberRow[]): Sights {
  return new Map(
    rows.flatMap((row): [string, Sight][] => {
      if (!row.isThere) return [];
      const { version, isWell, hasFailed, restarts, restartsNow } = row;
      return [[row.agent, { version, isWell, hasFailed, restarts: restartsNow - restarts }]];
    }),
  );
}

/** What was read of them in this stage. @param firing alerts; undefined when nobody can say */
export function readingsOf(
  rows: readonly MemberRow[],
  readings: readonly ReadingRow[],
  { stage, measuredMs }: Life,
  firing: Firing | undefined,
): Map<string, Readings> {
  const found = new Map<string, Readings>();
  for (const { agent, isMeasured, phase, restarts, oldRestarts, restartsNow } of rows) {
    if (!isMeasured) continue;
    const [before, waiting, upgraded] = [emptyReading(), emptyReading(), emptyReading()];
    const isWaiting = phase === RolloutPhase.WAITING;
    if (!isWaiting) upgraded.restarts = restartsNow - restarts;
    const old = { beats: 0, restarts: oldRestarts + (isWaiting ? restartsNow - restarts : 0) };
    found.set(agent, {
      before,
      waiting,
      upgraded,
      old,
      isAlerting: firing ? (firing.get(agent) ?? 0) > (measuredMs ?? 0) : null,
    });
  }
  for (const row of readings) {
    const read = found.get(row.agent);
    if (!read) continue;
    if (row.period !== 'upgraded') read.old.beats += Number(row['beats']);
    const part = { before: read.before, upgraded: read.upgraded, [`waiting-${stage}`]: read.waiting }[row.period];
    if (part) addUp(part, row);
  }
  return found;
}

function addUp(reading: Reading, row: ReadingRow): void {
  for (const field of READING_FIELDS) reading[field] += Number(row[field] ?? 0);
}

/** Members as they are written after a step; who comes up on the new version begins a stretch of its own. */
export function rowsOf(rows: readonly MemberRow[], members: readonly Member[]): MemberRow[] {
  return members.flatMap((member, at) => {
    const row = rows[at] as MemberRow;
    const { phase, sentMs, readyMs, lostMs } = member;
    const isSame = row.phase === phase && row.sentMs === sentMs && row.readyMs === readyMs && row.lostMs === lostMs;
    if (isSame) return [];
    const begins = row.readyMs === null && readyMs !== null;
    const stretch = begins
      ? { restarts: row.restartsNow, oldRestarts: row.oldRestarts + row.restartsNow - row.restarts }
      : {};
    return [{ ...row, phase, sentMs, readyMs, lostMs, ...stretch }];
  });
}
