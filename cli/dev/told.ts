import type { ShownTrace } from '../output/waterfall.ts';

/** What `fleet dev` tells: lines for people, objects for --json. */
export type Told =
  | { event: 'platform.starting' }
  | { event: 'platform.ready'; url: string; isJoined: boolean; tookMs: number }
  | { event: 'platform.lost'; reason: string }
  | { event: 'platform.away'; reason: string }
  | { event: 'platform.back' }
  | { event: 'seeded'; what: string }
  | { event: 'seeds.failed'; reason: string }
  | { event: 'no-program'; folder: string }
  | { event: 'watch.failed'; folder: string; reason: string }
  | { event: 'program.started'; program: string; pid: number; files: readonly string[]; tookMs: number | null }
  | { event: 'program.broken'; program: string; reason: string; said: string }
  | { event: 'program.ended'; program: string }
  | { event: 'line'; program: string; text: string; isError: boolean }
  | { event: 'agent'; name: string; state: string; presence: string; health: number }
  | { event: 'houses'; houses: readonly House[] }
  | { event: 'compile.failed'; files: readonly string[]; said: string }
  | { event: 'compiled'; files: readonly string[]; tookMs: number; restarted: readonly string[] }
  | { event: 'by-hand'; files: readonly string[] }
  | { event: 'request'; trace: ShownTrace }
  | { event: 'stopping' }
  | { event: 'stopped' };

/** A house as the router sees it. */
export interface House {
  name: string;
  breaker: string;
  isHealthy: boolean;
}

export type Tell = (told: Told) => void;
