/** The code's part of a change of state. What it throws leaves the agent FAILED. */
export type Hook = () => Promise<void> | void;

/** Takes over a configuration. What it throws refuses it; it is tried again with the next beat. */
export type ConfigHook = (config: Record<string, unknown>, version: number) => Promise<void> | void;

/** Says whether one thing that the agent needs is well, and if not what is wrong; asked before every beat, so it must not wait. */
export type Check = () => { ok: boolean; message?: string };

/** What an agent is asked to become (the command `upgrade`). */
export interface Upgrade {
  /** The version to become, a semantic version. */
  version: string;
  /** The version that runs. */
  from: string;
  /** The configuration that goes with the version, where the platform has migrated it. */
  config?: Record<string, unknown>;
  /** The version of that configuration. */
  configVersion?: number;
}

/** Becomes another version in place. What it throws ends the command as FAILED: the version before goes on. */
export type UpgradeHandler = (upgrade: Upgrade) => Promise<void> | void;
