import { statSync } from 'node:fs';
import { HouseClient } from '../../lib/call/house-client.ts';
import { systemPrincipal } from '../../lib/call/principal.ts';
import { deriveKey } from '../../lib/call/signing.ts';
import { type Clock, systemClock } from '../../lib/clock.ts';
import { FleetError, messageOf } from '../../lib/errors.ts';
import { type FileFlags, FLAG_NAMES } from '../../lib/flags/index.ts';
import type { Log } from '../../lib/log.ts';
import { describeSettings, type Settings } from '../../lib/settings/index.ts';
import { Worker } from '../../lib/worker.ts';
import { CONFIGURATION_ROUTE, type ConfigurationReport } from '../../lib/write/configuration.ts';
import { redact } from '../../lib/write/redaction.ts';
import { housesOf, MADE_BY_SUPERVISOR } from './processes.ts';
import { packageVersion } from './surroundings.ts';

const POLL_MS = 1_000;
/** A flags file that was changed so lately may still be told of by the router that changed it, or that saw it, milliseconds. */
const QUIET_MS = 5_000;

export interface ReporterOptions {
  /** Whose settings they are. */
  process: string;
  settings: ConfigurationReport['parts'][number]['value'];
  flags: FileFlags;
  audit: HouseClient;
  clock: Clock;
  log: Log;
}

/**
 * The reporter of a process: of one that runs alone, its own; under a supervisor, which gives all the same, only where the audit
 * house is, for all of them.
 */
export function reporterOf(
  name: string,
  env: Readonly<Record<string, string | undefined>>,
  { settings, secret, flags, log }: { settings: Settings; secret: string; flags: FileFlags; log: Log },
): ConfigurationReporter | undefined {
  const isSupervised = env[MADE_BY_SUPERVISOR] !== undefined;
  const address = settings.FLEET_HOUSES['audit'];
  if (!address || (isSupervised && !housesOf(name)?.includes('audit'))) return undefined;
  return new ConfigurationReporter({
    process: isSupervised ? 'platform' : name,
    settings: givenSettings(env, deriveKey(secret, 'redaction:audit')),
    flags,
    audit: new HouseClient('audit', address, deriveKey(secret, 'call:audit'), () => systemClock.nowMs()),
    clock: systemClock,
    log,
  });
}

/** Tells the audit house once, at the start, what a process runs with: what was changed while nothing ran is found out there. */
export class ConfigurationReporter {
  #due: (() => ConfigurationReport['parts'] | undefined)[];
  readonly #worker: Worker;

  constructor(private readonly options: ReporterOptions) {
    this.#due = [() => this.#settings(), () => this.#flags()];
    this.#worker = new Worker(
      async () => {
        await this.report();
        return false;
      },
      POLL_MS,
      (error) => options.log.debug('configuration.report.waits', { error: messageOf(error) }),
    );
  }

  start(): void {
    this.#worker.start();
  }

  async stop(): Promise<void> {
    await this.#worker.stop();
    this.options.audit.close();
  }

  /** Tells what is ready to be told. @returns whether all was told. @throws AUDIT_UNAVAILABLE */
  async report(): Promise<boolean> {
    for (const part of this.#due) {
      const parts = part();
      if (!parts) continue;
      await this.#send(parts);
      this.#due = this.#due.filter((each) => each !== part);
    }
    if (!this.#due.length) void this.#worker.stop();
    return !this.#due.length;
  }

  #settings(): ConfigurationReport['parts'] {
    const { process, settings } = this.options;
    return [{ targetType: 'Settings', targetId: process, value: settings }];
  }

  /** Undefined while a change of the file is under way, or so fresh that whoever made it is to tell it. */
  #flags(): ConfigurationReport['parts'] | undefined {
    const { flags, clock } = this.options;
    const changedMs = [flags.file, `${flags.file}.next`].map(
      (file) => statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0,
    );
    if (clock.nowMs() - Math.max(...changedMs) < QUIET_MS) return undefined;
    return FLAG_NAMES.map((name) => ({
      targetType: 'FeatureFlag',
      targetId: name,
      value: flags.rules[name] ?? null,
    }));
  }

  async #send(parts: ConfigurationReport['parts']): Promise<void> {
    const { process, audit, clock } = this.options;
    const answer = await audit.send(CONFIGURATION_ROUTE, {
      call: { principal: systemPrincipal(process), requestId: clock.uuid() },
      body: JSON.stringify({ process, parts }),
      timeoutMs: 5_000,
    });
    if (answer.status !== 200) throw new FleetError('AUDIT_UNAVAILABLE', `the audit house answered ${answer.status}`);
  }
}

/** The settings that were given, as text, and the version they are read by; secrets are marks. */
export function givenSettings(env: Readonly<Record<string, string | undefined>>, key: Buffer): object {
  const made = env[MADE_BY_SUPERVISOR]?.split(',') ?? [];
  const names = describeSettings()
    .map(({ name }) => name)
    .filter((name) => env[name] && !made.includes(name));
  return redact(
    { version: packageVersion(), ...Object.fromEntries(names.map((name) => [name, env[name]])) },
    key,
  ) as object;
}
