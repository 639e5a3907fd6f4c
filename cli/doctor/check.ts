/** What stands in the way, and what to do about it. */
export interface Finding {
  /** Stable, for scripts: kebab-case. */
  fault: string;
  /** `error`: something will not work; `warning`: it works, and will not for long or for all. */
  severity: 'error' | 'warning';
  what: string;
  /** What to do: a command or a setting wherever one does it. */
  mend: string;
}

/** Where the platform is, or is to be, as far as checks look at it; tests furnish their own. */
export interface Place {
  env: Readonly<Record<string, string | undefined>>;
  /** The package's folder. */
  root: string;
  /** The data folder. */
  data: string;
  /** Address of the platform. */
  url: string;
  /** What callers here prove themselves with; undefined: nothing. */
  token: string | undefined;
  /** Version of the Node that runs this. */
  nodeVersion: string;
  isRoot: boolean;
  /** Files and sockets that one process may hold open; undefined where the system does not tell. */
  openFiles: number | undefined;
  memoryBytes: number;
  /** Room left on the disk of a folder, bytes; undefined where it cannot be told. */
  freeBytes(folder: string): number | undefined;
  nowMs(): number;
}

/** One thing to look at. Throws nothing: what it cannot look at is a finding too. */
export type Check = (place: Place) => Promise<Finding[]> | Finding[];

export const error = (fault: string, what: string, mend: string): Finding => ({
  fault,
  severity: 'error',
  what,
  mend,
});

export const warning = (fault: string, what: string, mend: string): Finding => ({
  fault,
  severity: 'warning',
  what,
  mend,
});
