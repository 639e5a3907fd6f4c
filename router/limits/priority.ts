import { hasAnyScope, hasScope, type Principal } from '../../lib/call/principal.ts';
import type { Call } from '../../lib/call/signing.ts';
import { PRIORITIES, type Priority } from './fair-queue.ts';

/** The header by which a caller says how urgent it is. */
export const PRIORITY_HEADER = 'x-priority';

/** Under a symbol it stays in this process: calls to subgraphs are signed as JSON. */
const WISH = Symbol('priority');

type WishingCall = Call & { [WISH]?: Priority };

/** Notes on a call what its header asks for; nothing when it asks for no priority we know. */
export function notePriority(call: Call, header: string | string[] | undefined): void {
  if (header === undefined) return;
  const wish = PRIORITIES.find((priority) => priority === header);
  if (wish) (call as WishingCall)[WISH] = wish;
}

/**
 * A call's turn when there is not room for all: the platform itself and people who operate it before agents and scripts,
 * those before whoever only reads. A caller may ask for a lower one; for a higher one it needs the scope `operator`.
 */
export function priorityOf(call: Call): Priority {
  const own = standardOf(call.principal);
  const wish = (call as WishingCall)[WISH];
  if (wish === undefined) return own;
  const isLower = PRIORITIES.indexOf(wish) >= PRIORITIES.indexOf(own);
  return isLower || hasScope(call.principal, 'operator') ? wish : own;
}

function standardOf(principal: Principal): Priority {
  if (principal.kind === 'SYSTEM') return 'on-call';
  if (!hasAnyScope(principal, ['operator', 'agent'])) return 'dashboard';
  return principal.kind === 'PERSON' ? 'on-call' : 'script';
}
