import type { AgentPresence } from '../../../lib/graphql/agent-presence.ts';
import type { LabelMatcher } from '../../../lib/graphql/shared.ts';
import type { SearchNode } from '../../../lib/search/index.ts';
import type { AgentState } from './enums.ts';

/** Which agents: lists mean any of, and all parts must hold. */
export interface AgentCriteria {
  uuids?: readonly string[];
  names?: readonly string[];
  kinds?: readonly string[];
  versions?: readonly string[];
  states?: readonly AgentState[];
  presences?: readonly AgentPresence[];
  labels?: readonly LabelMatcher[];
  maxHealth?: number;
  /** Whether they run something else than they should. */
  drifted?: boolean;
  /** A parsed search. */
  search?: SearchNode;
}
