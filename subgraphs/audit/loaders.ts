import DataLoader from 'dataloader';
import type { Page } from '../../lib/page.ts';
import type { AuditEntry, AuditProof, NewestEntriesArgs } from './entity/index.ts';
import type { AuditService } from './service/index.ts';

/** Batches of one request. */
export interface AuditLoaders {
  /** By uuid; null when there is none. */
  entry: DataLoader<string, AuditEntry | null>;
  proof: DataLoader<AuditEntry, AuditProof, string>;
  /** The page of entries about one target, for these arguments. */
  ofTarget(args: NewestEntriesArgs): DataLoader<string, Page<AuditEntry>>;
}

export function auditLoaders(service: AuditService): AuditLoaders {
  const byArguments = new Map<string, DataLoader<string, Page<AuditEntry>>>();
  return {
    entry: new DataLoader<string, AuditEntry | null>((uuids) => service.find(uuids)),
    proof: new DataLoader<AuditEntry, AuditProof, string>((entries) => service.prove(entries), {
      cacheKeyFn: ({ uuid }) => uuid,
    }),
    ofTarget(args) {
      const key = JSON.stringify(args);
      const known = byArguments.get(key);
      if (known) return known;
      const made = new DataLoader((targetIds: readonly string[]) => service.pagesOfTargets(targetIds, args));
      byArguments.set(key, made);
      return made;
    },
  };
}
