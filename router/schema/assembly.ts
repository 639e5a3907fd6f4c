import { createEngine } from '../core.ts';
import type { SubgraphCaller } from '../engine.ts';
import type { RouterOptions } from '../options.ts';
import { LiveEngine } from './live-engine.ts';

/** The router's engine, whose schema can be changed. @throws Error when the supergraph is none */
export function assembleEngine(options: RouterOptions, caller: SubgraphCaller): LiveEngine {
  const { clock, log, callers, supergraphSdl } = options;
  const isOpen = callers === undefined;
  return new LiveEngine({
    supergraphSdl,
    make: (sdl) =>
      createEngine({
        ...options.core,
        supergraphSdl: sdl,
        caller,
        clock,
        ...(options.flags ? { flags: options.flags } : {}),
        enforceAccess: options.enforceAccess ?? !isOpen,
        gateIntrospection: !isOpen,
        reportFault: (fault) => log.warn('subgraph.fault', { ...fault }),
      }),
    nowMs: () => clock.nowMs(),
  });
}
