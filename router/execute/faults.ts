import type { GraphQLFormattedError } from 'graphql';
import { ERROR_CODES, type ErrorCode, FleetError, messageOf } from '../../lib/errors.ts';
import { type DegradedPart, RequiredUnavailable } from '../degradation.ts';
import { clientKey } from '../plan/covariance.ts';
import type { AnswerPath } from './json.ts';
import type { Selection } from './projection.ts';

/** Something that went wrong in an answer, and where. */
export interface Fault {
  path: AnswerPath | undefined;
  error: GraphQLFormattedError;
}

/** An error as it really was, for the log; clients see it masked. */
export interface MaskedFault {
  subgraph: string;
  requestId: string;
  /** The original message. */
  error: string;
}

/** Tells the operator what a client was not told. */
export type ReportFault = (fault: MaskedFault) => void;

/** More errors than this are not told: an answer of nothing else helps nobody. */
const MAX_FAULTS = 1_000;

const MAX_MESSAGE = 1_000;

/** What of an error's extensions may go to a client, where it is what it should be. */
const TOLD_DETAILS: Readonly<Record<string, (value: unknown) => boolean>> = {
  retryAfterMs: (value) => Number.isFinite(value) && (value as number) >= 0,
  field: (value) => Array.isArray(value) && value.length <= 20 && value.every(isShort),
  cursor: isShort,
  subgraph: isShort,
};

function isShort(value: unknown): boolean {
  return typeof value === 'string' && value.length <= MAX_MESSAGE;
}

/** Collects one answer's errors: coded ones as they are, all others as INTERNAL with the request's id. */
export class Faults {
  readonly list: Fault[] = [];
  readonly #emptied: AnswerPath[] = [];
  #degraded: DegradedPart[] | undefined;
  #refusal: RequiredUnavailable | undefined;

  constructor(
    readonly requestId: string,
    private readonly report: ReportFault,
  ) {}

  /** Takes an error of a subgraph's answer, or one that was thrown instead of an answer. */
  add(error: unknown, path: AnswerPath | undefined, subgraph: string): void {
    if (error instanceof RequiredUnavailable) this.#refusal ??= error;
    if (this.list.length >= MAX_FAULTS) return;
    this.list.push({ path, error: this.#shown(error, subgraph) });
  }

  /** Takes a fault of the router's own finding. */
  tell(code: ErrorCode, message: string, path: AnswerPath): void {
    if (this.list.length >= MAX_FAULTS) return;
    const error = new FleetError(code, message, { requestId: this.requestId });
    this.list.push({ path, error: { message, extensions: error.extensions } });
  }

  /** Notes that an error took everything at this path with it, not only what it names. */
  emptied(path: AnswerPath): void {
    if (this.#emptied.length < MAX_FAULTS) this.#emptied.push(path);
  }

  /** Notes that these parts of the answer are not fresh. */
  degrade(subgraph: string, ageMs: number, paths: readonly AnswerPath[]): void {
    this.#degraded ??= [];
    if (this.#degraded.length < MAX_FAULTS) this.#degraded.push({ subgraph, ageMs, paths });
  }

  /** Why a query is to be refused whole, if it is. */
  get refusal(): GraphQLFormattedError | undefined {
    return this.#refusal && this.#shown(this.#refusal, '');
  }

  /** `extensions` of an answer of which parts are not fresh. */
  extensions(root: Selection): { degraded: DegradedPart[] } | undefined {
    const seen = (path: AnswerPath) => visiblePath(path, root);
    return this.#degraded && { degraded: this.#degraded.map((part) => ({ ...part, paths: part.paths.map(seen) })) };
  }

  /** Whether an error already explains why there is nothing at this path, or no more errors are told. */
  explains(path: AnswerPath): boolean {
    return (
      this.list.length >= MAX_FAULTS ||
      this.list.some((fault) => fault.path !== undefined && isOneWay(fault.path, path)) ||
      this.#emptied.some((emptied) => isOneWay(emptied, path))
    );
  }

  /** The errors as a client is to see them: paths lead only through what was selected. */
  settled(root: Selection): GraphQLFormattedError[] {
    return this.list.map(({ path, error }) => {
      const seen = path && visiblePath(path, root);
      return seen && seen.length > 0 ? { ...error, path: seen } : error;
    });
  }

  #shown(error: unknown, subgraph: string): GraphQLFormattedError {
    const given = error as Partial<GraphQLFormattedError>;
    const code = given.extensions?.['code'];
    if (!isTold(error, code) || typeof given.message !== 'string') {
      this.report({ subgraph, requestId: this.requestId, error: given.message ?? messageOf(error) });
      return masked(this.requestId);
    }
    const details = Object.fromEntries(
      Object.entries(TOLD_DETAILS).flatMap(([name, isFit]) => {
        const detail = given.extensions?.[name];
        return isFit(detail) ? [[name, detail]] : [];
      }),
    );
    const shown = new FleetError(code, given.message.slice(0, MAX_MESSAGE), { ...details, requestId: this.requestId });
    return { message: shown.message, extensions: shown.extensions };
  }
}

/** What tells how a machine is made, whatever code it came under: a stack, or what a system call failed with. */
const INNARDS = /\n\s+at |\b(?:ECONN[A-Z]+|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ETIMEDOUT|EPIPE|ENOENT|EACCES)\b/;

/** Whether a client may read an error's message: only the router's own errors tell what broke inside. */
function isTold(error: unknown, code: unknown): code is ErrorCode {
  if (error instanceof FleetError) return true;
  if (typeof code !== 'string' || !Object.hasOwn(ERROR_CODES, code) || code === 'INTERNAL') return false;
  return !INNARDS.test(String((error as Partial<GraphQLFormattedError>).message));
}

function masked(requestId: string): GraphQLFormattedError {
  const error = new FleetError('INTERNAL', 'something went wrong inside: tell us the requestId', { requestId });
  return { message: error.message, extensions: error.extensions };
}

function isOneWay(one: AnswerPath, other: AnswerPath): boolean {
  const length = Math.min(one.length, other.length);
  for (let index = 0; index < length; index++) {
    if (!isSameKey(one[index], other[index])) return false;
  }
  return true;
}

function isSameKey(one: string | number | undefined, other: string | number | undefined): boolean {
  return one === other || (typeof one === 'string' && clientKey(one) === other);
}

function visiblePath(path: AnswerPath, root: Selection): AnswerPath {
  const seen: (string | number)[] = [];
  let selections: readonly Selection[] = [root];
  for (const key of path) {
    if (typeof key === 'number') {
      seen.push(key);
      continue;
    }
    const name = [key, clientKey(key)].find((each) => selections.some((selection) => selection.below(each)));
    if (name === undefined) break;
    seen.push(name);
    selections = selections.flatMap((selection) => selection.below(name) ?? []);
  }
  return seen;
}

/**
 * The longest path that holds all of these, for each root field they are under.
 * @param isOfEvents whether the paths are those of several events: for each event then
 */
export function commonPaths(paths: readonly AnswerPath[], isOfEvents = false): AnswerPath[] {
  const byRoot = new Map<string | number | undefined, AnswerPath>();
  for (const path of paths) {
    const root = isOfEvents ? `${path[1]} ${path[0]}` : path[0];
    const known = byRoot.get(root);
    if (!known) {
      byRoot.set(root, path);
      continue;
    }
    let length = 0;
    while (length < known.length && known[length] === path[length]) length++;
    byRoot.set(root, known.slice(0, length));
  }
  return [...byRoot.values()];
}
