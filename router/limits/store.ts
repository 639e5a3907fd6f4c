import type { Drawn, Meter } from './bucket.ts';

/** Where buckets are kept. */
export interface LimitStore {
  /**
   * Draws on all buckets of a meter, or on none; atomic over all routers that share the store.
   * @param isForced draws into debt and is always admitted
   * @throws anything when the store is away
   */
  draw(meter: Meter, costs: readonly number[], isForced: boolean): Drawn | Promise<Drawn>;
  /** Lets go of connections. */
  close(): void;
}
