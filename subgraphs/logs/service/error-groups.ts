import type { Clock } from '../../../lib/clock.ts';
import type { CursorSealer } from '../../../lib/cursor.ts';
import { assert } from '../../../lib/errors.ts';
import type { Moments } from '../../../lib/events/moments.ts';
import type { LogFilter } from '../../../lib/graphql/log-filter.ts';
import { nodeId } from '../../../lib/node-id.ts';
import { type Page, pageOf, readPage } from '../../../lib/page.ts';
import { ErrorGroup, ErrorGroupState } from '../entity/error-group.ts';
import type { ErrorResolution } from '../entity/error-resolution.ts';
import { Agent, Trace } from '../entity/index.ts';
import {
  type EntryPlace,
  type ErrorGroupRow,
  type ErrorGroupStore,
  type ErrorResolutionStore,
  type GroupChoice,
  nanosOf,
  rankOf,
  SEVERITIES,
  type SeenVersion,
  timeOfNanos,
  uuidOfPlace,
} from '../store/index.ts';
import { fingerprintOfUuid, uuidOfFingerprint } from './error-id.ts';
import { stateOf } from './error-state.ts';
import { criteriaOf } from './filter.ts';
import type { SavedSearches } from './saved-searches.ts';
import type { Watermark } from './tail.ts';

const LIST = 'errorGroups';
/** The change stream that groups are in. */
export const ERROR_STREAM = 'ErrorGroup';

/** How a list of groups is asked for. */
export interface ErrorGroupsAsked {
  first?: number | null | undefined;
  after?: string | null | undefined;
  filter?: LogFilter | null | undefined;
  states?: readonly ErrorGroupState[] | null | undefined;
}

/** The moment that a list is of: it stays the same from page to page, so that a group that fails meanwhile is not missed. */
interface Moment {
  watermark: number;
  nowMs: number;
  /** Behind it comes what happened since. */
  changeCursor: string;
}

/** Errors, grouped: what fails, since when, where, and whether it is mended. */
export class ErrorGroups {
  constructor(
    private readonly store: ErrorGroupStore,
    private readonly resolutions: ErrorResolutionStore,
    private readonly searches: SavedSearches,
    private readonly mark: Watermark,
    private readonly moments: Moments,
    private readonly cursors: CursorSealer,
    private readonly clock: Clock,
  ) {}

  /** A page, the group that failed last first; all pages of a list are as of its first. */
  async page({ filter, states, ...args }: ErrorGroupsAsked): Promise<Page<ErrorGroup>> {
    const request = readPage(args, this.cursors, LIST);
    const [after, moment] = await this.#start(request.after);
    const criteria = criteriaOf(await this.searches.expanded(filter), moment.nowMs);
    const choice = states ? await this.#choiceOf(states) : {};
    const rows = await this.store.page(criteria, choice, moment.watermark, request.limit + 1, after);
    const page = pageOf(rows, request, this.cursors, LIST, ({ newest }) => [
      newest.time,
      newest.stamp,
      newest.seq,
      moment.watermark,
      moment.nowMs,
      moment.changeCursor,
    ]);
    const nodes = await this.#shown(page.nodes);
    return {
      ...page,
      edges: page.edges.map(({ cursor }, at) => ({ cursor, node: nodes[at] as ErrorGroup })),
      nodes,
      changeCursor: moment.changeCursor,
      totalCount: () => this.store.count(criteria, choice, moment.watermark),
    };
  }

  /** Groups by uuid, over all entries that are kept up to a watermark; null for what is not there. */
  async find(uuids: readonly string[], watermark = this.mark.watermark): Promise<(ErrorGroup | null)[]> {
    const fingerprints = uuids.map(fingerprintOfUuid);
    const known = fingerprints.filter((fingerprint) => fingerprint !== undefined);
    const rows = known.length ? await this.store.find(known, watermark) : [];
    const groups = await this.#shown(rows);
    const found = new Map(rows.map(({ fingerprint }, at) => [fingerprint, groups[at] as ErrorGroup]));
    return fingerprints.map((fingerprint) => (fingerprint && found.get(fingerprint)) || null);
  }

  /** The groups of entries, by the entries' uuids; null for what is no error. */
  async ofEntries(uuids: readonly string[]): Promise<(ErrorGroup | null)[]> {
    const fingerprints = await this.store.ofEntries(uuids);
    const distinct = [...new Set(fingerprints.values())];
    const groups = await this.find(distinct.map(uuidOfFingerprint));
    const found = new Map(distinct.map((fingerprint, at) => [fingerprint, groups[at] ?? null]));
    return uuids.map((uuid) => found.get(fingerprints.get(uuid) ?? '') ?? null);
  }

  async #start(position: unknown[] | undefined): Promise<[EntryPlace | undefined, Moment]> {
    if (!position) {
      // Before the watermark: what is between both is told once more, and nothing is missed.
      const { changeCursor } = await this.moments.asOf(ERROR_STREAM, async () => undefined);
      return [undefined, { watermark: this.mark.watermark, nowMs: this.clock.nowMs(), changeCursor }];
    }
    const [time, stamp, seq, watermark, nowMs, changeCursor] = position as [
      string,
      number,
      number,
      number,
      number,
      string,
    ];
    return [
      { time, stamp, seq },
      { watermark, nowMs, changeCursor },
    ];
  }

  /** Groups of these states, by what is said of resolved ones: all others are UNRESOLVED. */
  async #choiceOf(states: readonly ErrorGroupState[]): Promise<GroupChoice> {
    const resolutions = await this.resolutions.of();
    const known = await this.#states(resolutions);
    const fingerprints = (wanted: boolean) =>
      [...known].filter(([, state]) => states.includes(state) === wanted).map(([uuid]) => fingerprintOf(uuid));
    return states.includes(ErrorGroupState.UNRESOLVED)
      ? { without: fingerprints(false) }
      : { only: fingerprints(true) };
  }

  /** The state of each group that has a resolution, by uuid. */
  async #states(resolutions: readonly ErrorResolution[]): Promise<Map<string, ErrorGroupState>> {
    if (!resolutions.length) return new Map();
    const earliest = Math.min(...resolutions.map(({ resolvedAt }) => resolvedAt.getTime()));
    const seen = new Map<string, SeenVersion[]>();
    const fingerprints = resolutions.map(({ uuid }) => fingerprintOf(uuid));
    for (const one of await this.store.seenAfter(fingerprints, nanosOf(earliest))) {
      seen.set(one.fingerprint, [...(seen.get(one.fingerprint) ?? []), one]);
    }
    return new Map(
      resolutions.map((resolution) => [
        resolution.uuid,
        stateOf(resolution, seen.get(fingerprintOf(resolution.uuid)) ?? []),
      ]),
    );
  }

  async #shown(rows: readonly ErrorGroupRow[]): Promise<ErrorGroup[]> {
    if (!rows.length) return [];
    const uuids = rows.map(({ fingerprint }) => uuidOfFingerprint(fingerprint));
    const resolutions = await this.resolutions.of(uuids);
    const states = await this.#states(resolutions);
    const byUuid = new Map(resolutions.map((resolution) => [resolution.uuid, resolution]));
    return rows.map((row, at) => {
      const uuid = uuids[at] as string;
      return groupOf(row, uuid, states.get(uuid) ?? ErrorGroupState.UNRESOLVED, byUuid.get(uuid));
    });
  }
}

function fingerprintOf(uuid: string): string {
  const fingerprint = fingerprintOfUuid(uuid);
  assert(fingerprint !== undefined, 'a resolution is of a group of errors');
  return fingerprint;
}

function groupOf(
  row: ErrorGroupRow,
  uuid: string,
  state: ErrorGroupState,
  resolution: ErrorResolution | undefined,
): ErrorGroup {
  return Object.assign(new ErrorGroup(), {
    id: nodeId('ErrorGroup', uuid),
    state,
    code: row.code || null,
    place: row.place,
    message: row.template,
    severity: SEVERITIES[rankOf(row.severity)],
    count: row.count,
    firstSeenAt: timeOfNanos(row.firstTime),
    lastSeenAt: timeOfNanos(row.newest.time),
    agents: row.agents.map((agent) => Agent.of(nodeId('Agent', agent))),
    agentCount: row.agentCount,
    versions: row.versions,
    services: row.services,
    newest: uuidOfPlace(row.newest),
    trace: row.trace ? Trace.of(row.trace) : null,
    resolvedAt: resolution?.resolvedAt ?? null,
    resolvedBy: resolution?.resolvedBy ?? null,
    resolvedInVersion: resolution?.inVersion ?? null,
  });
}
