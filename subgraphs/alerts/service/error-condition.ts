import { durationMs, isoDuration } from '../../../lib/graphql/scalars.ts';
import { type ErrorConditionInput, ErrorSign } from '../entity/condition.ts';
import type { Houses, Instance, Reading } from './sources.ts';

const GROUPS = `query ErrorsForRules($filter: LogFilter, $states: [ErrorGroupState!], $after: String) {
  errorGroups(first: 100, after: $after, filter: $filter, states: $states) {
    nodes { id code place message count services agents { id } agentCount trace { traceId } }
    pageInfo { hasNextPage endCursor }
  }
}`;
const FIRST_SEEN = (count: number) =>
  `query SinceForRules(${Array.from({ length: count }, (_, at) => `$id${at}: ID!`).join(', ')}) {
  ${Array.from({ length: count }, (_, at) => `g${at}: errorGroup(id: $id${at}) { firstSeenAt }`).join('\n  ')}
}`;
/** Groups that a rule looks at: as many as it may have alerts. */
const MAX_GROUPS = 1_000;
const ASKED_TOGETHER = 50;
const MESSAGE_LENGTH = 200;

interface FoundGroup {
  id: string;
  code: string | null;
  place: string;
  message: string;
  count: number;
  services: string[];
  agents: { id: string }[];
  agentCount: number;
  trace: { traceId: string } | null;
}

/**
 * Groups of errors that nobody has mended, by what failed within the window. One that is said to be mended is no longer among them, so its
 * alert is resolved.
 */
export async function readErrors(houses: Houses, condition: ErrorConditionInput, nowMs: number): Promise<Reading> {
  const { sign, window, above } = condition;
  const windowMs = durationMs(window) ?? 0;
  const filter = { ...condition.filter, range: { last: isoDuration(windowMs) } };
  const states = sign === ErrorSign.REGRESSED ? ['REGRESSED'] : ['UNRESOLVED', 'REGRESSED'];
  const found = (await groupsOf(houses, filter, states)).filter(({ count }) => count > (above ?? 0));
  const groups = sign === ErrorSign.NEW ? await newOf(houses, found, nowMs - windowMs) : found;
  return { hasData: true, breaching: groups.map((group) => instanceOf(group, condition, nowMs)) };
}

async function groupsOf(houses: Houses, filter: object, states: readonly string[]): Promise<FoundGroup[]> {
  const found: FoundGroup[] = [];
  for (let after: string | null = null, more = true; more && found.length < MAX_GROUPS; ) {
    const { errorGroups }: ErrorsAnswer = await houses.ask('logs', GROUPS, { filter, states, after });
    found.push(...(errorGroups?.nodes ?? []));
    more = errorGroups?.pageInfo.hasNextPage ?? false;
    after = errorGroups?.pageInfo.endCursor ?? null;
  }
  return found;
}

interface ErrorsAnswer {
  errorGroups: { nodes: FoundGroup[]; pageInfo: { hasNextPage: boolean; endCursor: string | null } } | null;
}

/** Those of them that had never failed before: whatever the rule's filter leaves out counts too. */
async function newOf(houses: Houses, groups: readonly FoundGroup[], sinceMs: number): Promise<FoundGroup[]> {
  const fresh: FoundGroup[] = [];
  for (let at = 0; at < groups.length; at += ASKED_TOGETHER) {
    const some = groups.slice(at, at + ASKED_TOGETHER);
    const ids = Object.fromEntries(some.map(({ id }, index) => [`id${index}`, id]));
    const answer = await houses.ask<Record<string, { firstSeenAt: string } | null>>(
      'logs',
      FIRST_SEEN(some.length),
      ids,
    );
    fresh.push(...some.filter((_, index) => Date.parse(answer[`g${index}`]?.firstSeenAt ?? '') >= sinceMs));
  }
  return fresh;
}

const SAID: Record<ErrorSign, string> = {
  [ErrorSign.NEW]: 'A new error',
  [ErrorSign.REGRESSED]: 'An error that was said to be mended came again',
  [ErrorSign.ANY]: 'An error',
};

function instanceOf(group: FoundGroup, { sign, window, above }: ErrorConditionInput, nowMs: number): Instance {
  const { id, code, place, message, count, services, agents, agentCount, trace } = group;
  const [service] = services;
  return {
    key: { errorGroup: id },
    labels: {
      ...(code === null ? {} : { code }),
      place,
      ...(service === undefined ? {} : { service }),
      errorGroup: id,
    },
    agentId: agentCount === 1 ? (agents[0]?.id ?? null) : null,
    value: count,
    threshold: above ?? 0,
    samples: [{ time: new Date(nowMs).toISOString(), value: count }],
    traceId: trace?.traceId ?? null,
    summary: `${SAID[sign]}, ${count} times within ${window}: ${message.slice(0, MESSAGE_LENGTH)}`,
  };
}
