import { type BigIntStats, readFileSync, stat, statSync } from 'node:fs';
import { z } from 'zod';
import { messageOf } from '../errors.ts';
import type { Log } from '../log.ts';
import type { Settings } from '../settings/index.ts';
import { type FlagName, isFlagName } from './catalogue.ts';
import { type Hold, RuledFlags } from './flags.ts';
import { FLAG_RULE, type FlagRule } from './rule.ts';

/** How often the file is looked at, milliseconds; a change is in effect within twice that. */
const LOOK_MS = 400;
const MAX_BYTES = 1_000_000;

const FILE = z.strictObject({ flags: z.record(z.string(), FLAG_RULE).default({}) });

export type FlagRules = Partial<Record<FlagName, FlagRule>>;

/** A flags file that cannot be used: one line with cause and mend. */
export class FlagsError extends Error {}

/**
 * Reads `{ "flags": { "router.dedup": { "defaultVariant": "off" } } }`. No file is a file without flags.
 * @throws FlagsError when it is none, or names a flag that is not in the catalogue
 */
export function readFlagsFile(file: string): FlagRules {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {};
    throw new FlagsError(`the flags file cannot be read: ${messageOf(error)}`);
  }
  return parseFlags(text);
}

/** @throws FlagsError */
export function parseFlags(text: string): FlagRules {
  if (text.length > MAX_BYTES) throw new FlagsError(`the flags file is over ${MAX_BYTES} bytes`);
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new FlagsError(`the flags file is no JSON: ${messageOf(error)}`);
  }
  const read = FILE.safeParse(json);
  if (!read.success) {
    const [issue] = read.error.issues;
    throw new FlagsError(`the flags file is wrong at ${issue?.path.join('.') || 'its root'}: ${issue?.message}`);
  }
  const unknown = Object.keys(read.data.flags).find((name) => !isFlagName(name));
  if (unknown !== undefined) throw new FlagsError(`${unknown} is no flag: docs/flags.md lists them`);
  return read.data.flags as FlagRules;
}

/** What FLEET_FLAGS says. */
export function holdOf({ FLEET_FLAGS }: Pick<Settings, 'FLEET_FLAGS'>): Hold | undefined {
  return FLEET_FLAGS === 'file' ? undefined : FLEET_FLAGS;
}

export interface FileFlagsOptions {
  /** The file; every process of the fleet reads the same. */
  file: string;
  hold?: Hold | undefined;
  log: Log;
}

/** Flags of a file that is watched: a change is in effect within a second; a bad file changes nothing and is logged. */
export class FileFlags extends RuledFlags {
  readonly file: string;
  #rules: FlagRules;
  readonly #changed = new Set<(names: readonly FlagName[]) => void>();
  readonly #log: Log;
  readonly #timer: NodeJS.Timeout;
  /** Which file was read last. */
  #seen: string;

  /** @throws FlagsError for a bad file: a process does not start on flags it cannot read */
  constructor({ file, hold, log }: FileFlagsOptions) {
    // Before it is read: what is changed meanwhile is another file at the first look.
    const seen = identityOf(statSync(file, { bigint: true, throwIfNoEntry: false }));
    const rules = readFlagsFile(file);
    super(rules, hold);
    this.file = file;
    this.#rules = rules;
    this.#log = log;
    this.#seen = seen;
    this.#timer = setInterval(() => this.#look(), LOOK_MS);
    this.#timer.unref();
  }

  /** The rules in effect. */
  get rules(): Readonly<FlagRules> {
    return this.#rules;
  }

  /** Takes what the file says now. False when it cannot be read: then all stays as it was. */
  reload(): boolean {
    let rules: FlagRules;
    try {
      rules = readFlagsFile(this.file);
    } catch (error) {
      this.#log.error('flags.refused', { file: this.file, error: messageOf(error) });
      return false;
    }
    const names = changedNames(this.#rules, rules);
    if (names.length === 0) return true;
    this.#rules = rules;
    this.exchange(rules);
    this.#log.info('flags.changed', { flags: names });
    for (const listener of this.#changed) listener(names);
    return true;
  }

  /** Told of each change after it took effect. */
  onChange(listener: (names: readonly FlagName[]) => void): void {
    this.#changed.add(listener);
  }

  /** Node's own watching takes the first look for granted, and would miss a change before it. */
  #look(): void {
    stat(this.file, { bigint: true }, (_error, stats) => {
      const now = identityOf(stats);
      if (now === this.#seen) return;
      this.#seen = now;
      this.reload();
    });
  }

  close(): void {
    clearInterval(this.#timer);
    this.#changed.clear();
  }
}

function changedNames(before: FlagRules, after: FlagRules): FlagName[] {
  const names = new Set([...Object.keys(before), ...Object.keys(after)]) as Set<FlagName>;
  return [...names].filter((name) => JSON.stringify(before[name]) !== JSON.stringify(after[name]));
}

/** Tells one state of a file from another; a file that is away is one too. */
function identityOf(stats: BigIntStats | undefined): string {
  return stats ? `${stats.ino} ${stats.mtimeNs} ${stats.ctimeNs} ${stats.size}` : '';
}
