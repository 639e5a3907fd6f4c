import { dealingWith } from '../../../sdk/agent/mailbox.ts';
import { fenceOf } from '../../../subgraphs/agents/entity/fence.ts';
import { RecoveryAction, RecoveryPolicy } from '../../../subgraphs/agents/entity/recovery.ts';
import {
  actionsOf,
  commandOf,
  LIFE_COMMANDS,
  move,
  observedState,
  takesCommands,
} from '../../../subgraphs/agents/service/lifecycle.ts';
import { completionRefusal, isNewest } from '../../../subgraphs/agents/service/mail-rules.ts';
import { DEFAULT_POLICY } from '../../../subgraphs/agents/service/policy.ts';
import { recoveryOf } from '../../../subgraphs/agents/service/recovery.ts';

/** The rules that platform and SDK run by: the model calls these, and a test may put a wrong one in the place of any. */
export const RULES = {
  actionsOf,
  move,
  observedState,
  commandOf,
  takesCommands,
  completionRefusal,
  recoveryOf,
  fenceOf,
  isNewest,
  dealingWith,
  /** Commands that a move makes needless. */
  overtaken: LIFE_COMMANDS as readonly string[],
  /** The idempotency key of the word on how a command ended. */
  keyOfEnd: (n: number, fence: string) => `${n}-${fence}`,
  /** Two restarts are as good as five to find what goes wrong, and no rest has to be waited for. */
  policy: Object.assign(new RecoveryPolicy(), DEFAULT_POLICY, {
    steps: DEFAULT_POLICY.steps.map((step) =>
      step.action === RecoveryAction.RESTART ? { ...step, attempts: 2 } : step,
    ),
    windowMs: Number.POSITIVE_INFINITY,
    restMs: 0,
  }),
};

export type Rules = typeof RULES;
