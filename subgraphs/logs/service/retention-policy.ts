import { asFleetError, FleetError } from '../../../lib/errors.ts';
import { durationMs, isoDuration } from '../../../lib/graphql/scalars.ts';
import { type LabelMatcher, MatchOp } from '../../../lib/graphql/shared.ts';
import { uuidOf } from '../../../lib/node-id.ts';
import { parseSearch } from '../../../lib/search/index.ts';
import { type LogMatch, RetentionPolicy, type RetentionPolicyInput } from '../entity/index.ts';
import { LOG_FIELDS, SEVERITIES, type StoredCriteria } from '../store/index.ts';

/** The policy for what no other is about. */
export const DEFAULT_POLICY = 'default';
const MAX_LISTED = 100;
const MIN_KEEP_MS = 60_000;
const MAX_KEEP_MS = 100 * 365 * 24 * 60 * 60_000;
const MAX_EXPRESSION = 1_000;
const MAX_QUERY = 4_000;
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/;

/** What a policy says, as it is stored. */
export type PolicyFacts = Omit<RetentionPolicy, 'keepFor'>;

/** What a policy looks like in the audit trail and in a stored outcome. */
export interface PolicyShape {
  name: string;
  version: number;
  match: object;
  keepFor: string;
  maxBytes: number | null;
  hold: boolean;
}

export function shapeOf({ name, version, match, keepForMs, maxBytes, hold }: PolicyFacts): PolicyShape {
  return { name, version, match, keepFor: isoDuration(keepForMs), maxBytes, hold };
}

export function policyOf({ keepFor, ...shape }: PolicyShape): RetentionPolicy {
  return Object.assign(new RetentionPolicy(), shape, { keepForMs: durationMs(keepFor) ?? 0 });
}

/** Which policy comes first where several are about an entry: a hold, then the longest; the default last. */
export function ranked(policies: readonly RetentionPolicy[]): RetentionPolicy[] {
  const rank = ({ name, hold, keepForMs }: RetentionPolicy) =>
    name === DEFAULT_POLICY ? -1 : hold ? MAX_KEEP_MS + 1 : keepForMs;
  return [...policies].sort((a, b) => rank(b) - rank(a) || (a.name < b.name ? -1 : 1));
}

/**
 * What a policy is about, in the store's terms.
 * @throws BAD_QUERY with the column; BAD_INPUT for an id that is no agent's
 */
export function criteriaOfMatch({
  services,
  maxSeverity,
  agentIds,
  attributes,
  resource,
  query,
}: LogMatch): StoredCriteria {
  return {
    ...(services ? { services } : {}),
    ...(maxSeverity ? { maxRank: SEVERITIES.indexOf(maxSeverity) } : {}),
    ...(agentIds ? { agents: agentIds.map((id) => uuidOf('Agent', id, ['input', 'match', 'agentIds'])) } : {}),
    ...(attributes ? { attributes } : {}),
    ...(resource ? { resource } : {}),
    ...(query ? { search: searchOf(query) } : {}),
  };
}

function searchOf(query: string) {
  try {
    return parseSearch(query, LOG_FIELDS);
  } catch (error) {
    const known = asFleetError(error);
    if (!known) throw error;
    throw new FleetError(known.code, known.message, { ...known.extensions, field: ['input', 'match', 'query'] });
  }
}

/** The policy that an input makes. @throws BAD_INPUT, BAD_QUERY with the field */
export function checked(input: RetentionPolicyInput): Omit<PolicyFacts, 'version'> {
  const { name, keepFor, maxBytes, hold } = input;
  if (!NAME.test(name)) refuse('a name has 1 to 63 letters, digits, dots, dashes or underscores', 'name');
  const match = checkedMatch(input);
  if (name === DEFAULT_POLICY && Object.keys(match).length > 0) {
    refuse('the default policy is about everything that no other is about: its match is empty', 'match');
  }
  const keepForMs = durationMs(keepFor) ?? 0;
  if (keepForMs < MIN_KEEP_MS || keepForMs > MAX_KEEP_MS) refuse('logs are kept for a minute to 100 years', 'keepFor');
  if (maxBytes != null && maxBytes < 1) refuse('maxBytes is at least 1', 'maxBytes');
  return { name, match, keepForMs, maxBytes: maxBytes ?? null, hold: hold ?? false };
}

function checkedMatch({ match }: RetentionPolicyInput): LogMatch {
  const { services, maxSeverity, agentIds, query } = match;
  for (const name of ['services', 'agentIds', 'attributes', 'resource'] as const) {
    const list = match[name];
    if (list && (list.length === 0 || list.length > MAX_LISTED)) {
      refuse(`a match has 1 to ${MAX_LISTED} ${name}, or leaves them out`, 'match', name);
    }
  }
  if (query != null && (query.trim() === '' || query.length > MAX_QUERY)) {
    refuse(`a query has 1 to ${MAX_QUERY} characters, or is left out`, 'match', 'query');
  }
  const kept: LogMatch = {
    ...(services ? { services } : {}),
    ...(maxSeverity ? { maxSeverity } : {}),
    ...(agentIds ? { agentIds } : {}),
    ...matchersOf('attributes', match.attributes),
    ...matchersOf('resource', match.resource),
    ...(query ? { query } : {}),
  };
  criteriaOfMatch(kept);
  return kept;
}

function matchersOf(name: 'attributes' | 'resource', matchers: readonly LabelMatcher[] | null | undefined): LogMatch {
  if (!matchers) return {};
  for (const { value } of matchers) {
    if (value.length > MAX_EXPRESSION) refuse(`a value has at most ${MAX_EXPRESSION} characters`, 'match', name);
  }
  return { [name]: matchers.map(({ name: label, op, value }) => ({ name: label, op: op ?? MatchOp.EQ, value })) };
}

function refuse(sentence: string, ...field: string[]): never {
  throw new FleetError('BAD_INPUT', sentence, { field: ['input', ...field] });
}
