import type { Call } from '../call/signing.ts';
import { argumentsHash } from './canonical.ts';

/**
 * The name of a batch of telemetry, by which a repeat is stored once: the one its sender gave it, or one made of the request's
 * `Idempotency-Key` and of all that is in it, so that two batches under one key are both stored.
 */
export function batchIdOf(input: { batchId?: string | null | undefined }, call: Call): string | undefined {
  if (input.batchId != null) return input.batchId;
  const { idempotencyKey } = call;
  return idempotencyKey === undefined ? undefined : argumentsHash({ idempotencyKey, input });
}
