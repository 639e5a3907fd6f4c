import type { Principal } from '../../../lib/call/principal.ts';
import type { Clock } from '../../../lib/clock.ts';
import { systemClock } from '../../../lib/clock.ts';
import { silentLog } from '../../../lib/log.ts';
import { Limits, type LimitsOptions } from '../../../router/limits/limits.ts';

export const ROBIN: Principal = { id: 'key:robin', kind: 'SCRIPT', name: 'robin', scopes: ['viewer'] };

/** A clock that stands until it is moved. */
export function clockAt(ms = 1_700_000_000_000): Clock & { ms: number } {
  return {
    ...systemClock,
    ms,
    nowMs() {
      return this.ms;
    },
  };
}

export function limitsOf(options: Partial<LimitsOptions> = {}): Limits {
  return new Limits({ clock: clockAt(), log: silentLog, ...options });
}

/** How many of these calls came through, and the codes of the others. */
export function outcomes(calls: (() => unknown)[]): Promise<{ admitted: number; codes: string[] }> {
  return Promise.allSettled(calls.map(async (call) => await call())).then((settled) => ({
    admitted: settled.filter(({ status }) => status === 'fulfilled').length,
    codes: settled.flatMap((each) => (each.status === 'rejected' ? [String(each.reason.code ?? each.reason)] : [])),
  }));
}

export function times(count: number, call: (at: number) => unknown): (() => unknown)[] {
  return Array.from({ length: count }, (_, at) => () => call(at));
}
