import { AlertState } from '../entity/enums.ts';

/** Where one alert is in its life; times in epoch milliseconds. */
export interface Life {
  state: AlertState;
  startedAtMs: number;
  firedAtMs: number | null;
  /** Since when the condition no longer holds; set while RECOVERING. */
  clearSinceMs: number | null;
  resolvedAtMs: number | null;
  /** Resolved by hand while the condition held: it opens nothing anew until the condition was clear once. */
  held: boolean;
}

/** What the rule says about time, milliseconds. */
export interface LifeRule {
  forMs: number;
  keepFiringForMs: number;
}

/** BREACHED and CLEARED come from evaluations, RAISED and RESOLVED from callers. */
export type LifeEvent = 'BREACHED' | 'CLEARED' | 'RAISED' | 'RESOLVED';

/** What a step set off. LAPSED: it ended before it fired, so nobody was told and nobody will be. */
export type LifeEffect = 'OPENED' | 'FIRED' | 'RECOVERING' | 'FIRED_AGAIN' | 'LAPSED' | 'RESOLVED';

export type LifeStep = [life: Life | undefined, effects: LifeEffect[]];

const { PENDING, FIRING, RECOVERING, RESOLVED } = AlertState;

/**
 * One step of an alert's life: PENDING until the condition held for `for`, FIRING, RECOVERING while it is clear for
 * `keepFiringFor`, RESOLVED. After Prometheus' `for` and `keep_firing_for`.
 * @param life nothing when there is no alert of this fingerprint that is open or held
 */
export function nextLife(life: Life | undefined, event: LifeEvent, rule: LifeRule, nowMs: number): LifeStep {
  if (!life || (life.state === RESOLVED && !life.held)) return open(event, rule, nowMs);
  if (life.state === RESOLVED) return event === 'CLEARED' ? [{ ...life, held: false }, []] : [life, []];
  if (event === 'RESOLVED') return end(life, nowMs, life.state !== RECOVERING);
  return event === 'CLEARED' ? clear(life, rule, nowMs) : breach(life, rule, nowMs);
}

function open(event: LifeEvent, rule: LifeRule, nowMs: number): LifeStep {
  if (event === 'CLEARED' || event === 'RESOLVED') return [undefined, []];
  const born = { startedAtMs: nowMs, clearSinceMs: null, resolvedAtMs: null, held: false };
  if (event === 'BREACHED' && rule.forMs > 0) return [{ ...born, state: PENDING, firedAtMs: null }, ['OPENED']];
  return [{ ...born, state: FIRING, firedAtMs: nowMs }, ['OPENED', 'FIRED']];
}

function breach(life: Life, rule: LifeRule, nowMs: number): LifeStep {
  if (life.state === RECOVERING) return [{ ...life, state: FIRING, clearSinceMs: null }, ['FIRED_AGAIN']];
  const due = life.state === PENDING && nowMs - life.startedAtMs >= rule.forMs;
  return due ? [{ ...life, state: FIRING, firedAtMs: nowMs }, ['FIRED']] : [life, []];
}

function clear(life: Life, rule: LifeRule, nowMs: number): LifeStep {
  const clearSinceMs = life.clearSinceMs ?? nowMs;
  if (life.state === PENDING || nowMs - clearSinceMs >= rule.keepFiringForMs) return end(life, nowMs, false);
  return life.state === RECOVERING ? [life, []] : [{ ...life, state: RECOVERING, clearSinceMs }, ['RECOVERING']];
}

function end(life: Life, nowMs: number, held: boolean): LifeStep {
  const ended = { ...life, state: RESOLVED, clearSinceMs: null, resolvedAtMs: nowMs, held };
  return [ended, [life.firedAtMs === null ? 'LAPSED' : 'RESOLVED']];
}
