import type { Call } from '../../lib/call/signing.ts';
import type { Clock } from '../../lib/clock.ts';
import { denialOf } from '../audit/entries.ts';
import type { AuditSpool } from '../audit/spool.ts';
import type { AnyAnswer } from '../engine.ts';

const DENYING: ReadonlySet<unknown> = new Set(['FORBIDDEN', 'INTROSPECTION_DISABLED']);

/** Writes down who was turned away; one entry for each request. */
export class Denials {
  /** @param spool absent: denials are counted only */
  constructor(
    private readonly spool: AuditSpool | undefined,
    private readonly clock: Clock,
    private readonly count: () => void,
  ) {}

  /** A request that was turned away: 401 or 403. */
  add(call: Call, route: string, reason: string): void {
    this.count();
    this.spool?.add(denialOf(call, this.clock, route, reason));
  }

  /** An answer in which something was withheld. */
  inAnswer({ errors }: AnyAnswer, call: Call): void {
    const denial = errors?.find(({ extensions }) => DENYING.has(extensions?.['code']));
    if (denial) this.add(call, '/graphql', denial.message);
  }
}
