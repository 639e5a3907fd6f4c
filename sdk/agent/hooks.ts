import { withoutSecrets } from '../telemetry/redaction.ts';
import { Backoff } from '../wire/backoff.ts';
import type { AgentCommand } from '../wire/operations.ts';
import type { Surroundings } from '../wire/surroundings.ts';

/** The points of an agent's life at which its code may step in. */
export const HOOKS = [
  ...(['beforeStart', 'afterStart', 'beforePause', 'afterPause', 'beforeResume', 'afterResume'] as const),
  ...(['beforeStop', 'afterStop', 'beforeRestart', 'afterRestart', 'beforeMigrate', 'afterMigrate'] as const),
  ...(['beforeConfig', 'onConfig', 'afterConfig', 'beforeCommand', 'onCommand', 'afterCommand', 'onError'] as const),
] as const;
/** The name of a hook. */
export type HookName = (typeof HOOKS)[number];

/** What a hook is about. */
export interface HookSubject {
  /** The configuration that is taken over (…Config). */
  config?: Record<string, unknown>;
  /** Its version (…Config, …Migrate). */
  configVersion?: number;
  /** The command that is done (…Command). */
  command?: AgentCommand;
  /** The versions that are left and come to (…Migrate). */
  version?: { from: string; to: string };
  /** What was thrown (onError), and what failed by it in words. */
  error?: unknown;
  /** What failed by it, in words (onError). */
  what?: string;
}

/** What a hook is given: what it is about, and how long it has. */
export interface HookContext extends HookSubject {
  /** Which hook it runs as. */
  hook: HookName;
  /** Aborted when the hook's time is over. */
  signal: AbortSignal;
}

/** The code of a hook. What it throws does what its `onFailure` says. */
export type HookRun = (context: HookContext) => Promise<void> | void;

/**
 * What a hook that throws, or takes too long, does to what it belongs to: `fail` ends it (the agent is FAILED, the configuration
 * refused, the command FAILED), `ignore` only tells it, `retry` tries so many times more before it fails.
 */
export type HookFailure = 'fail' | 'ignore' | { retry: number };

/** How long a hook may take, and what its failure does. */
export interface HookOptions {
  /** Time limit of one attempt, milliseconds; 10 s unless said, 0 for none. */
  timeoutMs?: number;
  /** `fail` for what comes before and on, `ignore` for what comes after and for errors, unless said. */
  onFailure?: HookFailure;
}

/** How one hook went, as the agent's timeline has it. */
export interface HookReport {
  /** How long it took with all attempts, milliseconds. */
  durationMs: number;
  /** How it ended. */
  outcome: 'done' | 'failed' | 'timedOut';
  /** Told when it took more than one. */
  attempts?: number;
  /** What it threw last, at most 500 characters, without secrets. */
  error?: string;
}

/** A hook that did not end within its time. */
export class HookTimeout extends Error {}

interface Entry extends Required<HookOptions> {
  run: HookRun;
  key: unknown;
}

const TIMEOUT_MS = 10_000;
const MAX_ERROR = 500;

/** The hooks of one agent: in the order they were added, those after a stop in the reverse order. */
export class Hooks {
  readonly #entries = new Map<HookName, Entry[]>();

  /** @param told is told how each went; an error too that is ignored */
  constructor(
    private readonly surroundings: Surroundings,
    private readonly told: (hook: HookName, report: HookReport, ignored?: unknown) => void,
  ) {}

  /** @param key what was added under the same key is replaced */
  add(name: HookName, run: HookRun, options: HookOptions = {}, key: unknown = run): void {
    const others = (this.#entries.get(name) ?? []).filter((entry) => entry.key !== key);
    const onFailure = /^after|onError/.test(name) ? 'ignore' : 'fail';
    this.#entries.set(name, [...others, { timeoutMs: TIMEOUT_MS, onFailure, ...options, run, key }]);
  }

  /** Runs all of a name, one after the other. @throws what the first threw whose failure is not ignored */
  async run(name: HookName, subject: HookSubject = {}): Promise<void> {
    const entries = this.#entries.get(name) ?? [];
    for (const entry of name === 'afterStop' ? entries.toReversed() : entries) await this.#one(name, entry, subject);
  }

  async #one(name: HookName, entry: Entry, subject: HookSubject): Promise<void> {
    const { nowMs, random, sleep } = this.surroundings;
    const { onFailure } = entry;
    const startedMs = nowMs();
    const backoff = new Backoff(random);
    const most = typeof onFailure === 'object' ? 1 + onFailure.retry : 1;
    let attempts = 1;
    let failed = await this.#attempt(name, entry, subject);
    for (; failed && attempts < most; attempts++) {
      await sleep(backoff.next());
      failed = await this.#attempt(name, entry, subject);
    }
    const report: HookReport = { durationMs: Math.round(nowMs() - startedMs), outcome: 'done' };
    if (attempts > 1) report.attempts = attempts;
    if (!failed) return this.told(name, report);
    const { error } = failed;
    report.outcome = error instanceof HookTimeout ? 'timedOut' : 'failed';
    report.error = withoutSecrets(error instanceof Error ? error.message : String(error)).slice(0, MAX_ERROR);
    this.told(name, report, onFailure === 'ignore' ? error : undefined);
    if (onFailure !== 'ignore') throw error;
  }

  async #attempt(
    hook: HookName,
    { run, timeoutMs }: Entry,
    subject: HookSubject,
  ): Promise<{ error: unknown } | undefined> {
    const over = new AbortController();
    const done = new AbortController();
    const work = (async () => run({ ...subject, hook, signal: over.signal }))();
    const limit = async () => {
      await this.surroundings.sleep(timeoutMs, done.signal);
      if (!done.signal.aborted) throw new HookTimeout(`${hook} took longer than ${timeoutMs} ms`);
    };
    try {
      await (timeoutMs ? Promise.race([work, limit()]) : work);
      return undefined;
    } catch (error) {
      // What it does after its time is over is nobody's failure any more.
      work.catch(() => undefined);
      return { error };
    } finally {
      done.abort();
      over.abort();
    }
  }
}
