import { hasAnyScope } from '../../../lib/call/principal.ts';
import { FleetError } from '../../../lib/errors.ts';
import type { AuditFilter } from '../entity/index.ts';
import type { AuditContext } from './context.ts';

/** Who may read what was changed. */
const MAY_SEE_CHANGES = ['operator', 'auditor'];

/**
 * Notes that entries are read.
 * @throws FORBIDDEN where the filter asks by what was changed and the caller may not read that: what is found would tell it
 */
export function noteAsked(
  { call, readings }: Pick<AuditContext, 'call' | 'readings'>,
  field: string,
  filter?: AuditFilter | null,
): void {
  if (filter?.paths && !hasAnyScope(call.principal, MAY_SEE_CHANGES)) {
    throw new FleetError('FORBIDDEN', `to ask by changed paths takes one of the scopes ${MAY_SEE_CHANGES.join(', ')}`, {
      field: ['filter', 'paths'],
    });
  }
  readings.note(call, field, filter);
}
