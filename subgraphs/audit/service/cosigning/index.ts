import path from 'node:path';
import { Counter, Gauge } from 'prom-client';
import { FleetError } from '../../../../lib/errors.ts';
import type { HouseRuntime } from '../../../../lib/house.ts';
import { isLoopback } from '../../../../lib/settings/index.ts';
import { readVerifierKey } from '../../../../lib/signed-note/index.ts';
import { type CosignatureStore, Witness, type WitnessedLogStore } from '../../store/index.ts';
import type { MerkleLog } from '../merkle-log.ts';
import { askWitness } from './ask-witness.ts';
import { Cosigner } from './cosigner.ts';
import { WitnessDesk } from './witness-desk.ts';

export { cosignedOf } from './cosigned.ts';
export { Cosigner } from './cosigner.ts';
export { type Seen, WitnessDesk } from './witness-desk.ts';

/** The witnesses that the settings name. */
export function cosignersOf(
  { settings, clock, log: notes, registry }: HouseRuntime,
  rooms: { log: MerkleLog; cosignatures: CosignatureStore },
): Cosigner[] {
  const named = settings.FLEET_AUDIT_WITNESSES;
  if (!named.length) return [];
  const common = { labelNames: ['witness'] as const, registers: [registry] };
  const metrics = {
    size: new Gauge({ name: 'fleet_audit_cosigned_size', help: 'Entries that a witness has cosigned.', ...common }),
    failed: new Counter({
      name: 'fleet_audit_cosign_failed_total',
      help: 'Tries to have the log cosigned that came to nothing.',
      ...common,
    }),
  };
  return named.map(({ key, url }) => {
    const prefix = new URL(url);
    if (prefix.protocol === 'http:' && !isLoopback(prefix.hostname) && !settings.FLEET_WEBHOOK_PRIVATE) {
      throw new FleetError('BAD_INPUT', `the witness ${prefix.host} is not encrypted: it needs FLEET_WEBHOOK_PRIVATE`);
    }
    const witness = readVerifierKey(key, 'cosignature');
    const ask = askWitness(prefix, settings.FLEET_AUDIT_WITNESS_TOKEN);
    return new Cosigner(witness, ask, { ...rooms, clock, notes, metrics });
  });
}

/** The witness that this instance is for the logs that the settings name. */
export function witnessDeskOf({ settings, clock }: HouseRuntime, store: WitnessedLogStore): WitnessDesk {
  const logs = settings.FLEET_AUDIT_WITNESS_OF.map((key) => readVerifierKey(key));
  const files = new Witness(path.resolve(settings.FLEET_DATA, 'audit', 'witnessed'));
  return new WitnessDesk(logs, store, files, clock);
}
