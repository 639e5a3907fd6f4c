/** What is known of one subgraph by now. */
export interface Found {
  /** Its schema, where its source tells it. */
  readonly sdl?: string;
  /** Addresses of its replicas: http://host:port/path. */
  readonly urls: readonly string[];
}

/** Subgraph → what is known of it. */
export type Findings = Readonly<Record<string, Found>>;

/** Where subgraphs and their replicas are looked for. */
export interface Discovery {
  /**
   * Tells what it finds, whole, now and after each change. While its source is away it tells nothing: what was known last
   * holds.
   * @returns ends it
   */
  watch(onChange: (findings: Findings) => void): () => void;
}

/** How many subgraphs and replicas one source may tell of. */
export const DISCOVERY_LIMITS = { subgraphs: 200, replicas: 100, sdlBytes: 2_000_000 };
