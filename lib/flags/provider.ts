import {
  ErrorCode,
  type EvaluationContext,
  FlagNotFoundError,
  OpenFeatureEventEmitter,
  type Provider,
  ProviderEvents,
  type ResolutionDetails,
  StandardResolutionReasons,
} from '@openfeature/server-sdk';
import { FLAG_NAMES, isFlagName } from './catalogue.ts';
import type { FileFlags } from './file.ts';

/**
 * Our flags as an OpenFeature provider: whatever speaks OpenFeature in this process is told the same as `isOn` says.
 * Its `targetingKey` is the caller's id. Source: OpenFeature specification 0.8, sections 2 and 5.
 */
export class FlagProvider implements Provider {
  readonly metadata = { name: 'fleetgraph-file' } as const;
  readonly runsOn = 'server';
  readonly events = new OpenFeatureEventEmitter();

  constructor(private readonly flags: FileFlags) {
    flags.onChange((names) => this.events.emit(ProviderEvents.ConfigurationChanged, { flagsChanged: [...names] }));
  }

  async resolveBooleanEvaluation(
    flagKey: string,
    _standard: boolean,
    { targetingKey }: EvaluationContext,
  ): Promise<ResolutionDetails<boolean>> {
    if (!isFlagName(flagKey)) throw new FlagNotFoundError(`${flagKey} is none of ${FLAG_NAMES.length} flags`);
    const value = this.flags.isOn(flagKey, targetingKey === undefined ? undefined : { id: targetingKey });
    const rule = this.flags.rules[flagKey];
    const isByCaller = rule !== undefined && (rule.percentage !== undefined || rule.clients.length > 0);
    const reason = isByCaller ? StandardResolutionReasons.TARGETING_MATCH : StandardResolutionReasons.STATIC;
    return { value, variant: value ? 'on' : 'off', reason };
  }

  resolveStringEvaluation(_name: string, standard: string) {
    return Promise.resolve(mismatch(standard));
  }

  resolveNumberEvaluation(_name: string, standard: number) {
    return Promise.resolve(mismatch(standard));
  }

  resolveObjectEvaluation<T>(_name: string, standard: T) {
    return Promise.resolve(mismatch(standard));
  }
}

function mismatch<T>(value: T): ResolutionDetails<T> {
  return { value, errorCode: ErrorCode.TYPE_MISMATCH, errorMessage: 'a flag is on or off', reason: 'ERROR' };
}
