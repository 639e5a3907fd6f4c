export { CosignatureStore, type StoredCosignature } from './cosignatures.ts';
export type { Criteria } from './criteria.ts';
export {
  ARRIVED,
  CONFIGURATION_TYPES,
  type EntryFacts,
  EntryStore,
  keyOf,
  type NewEntry,
  type PageQuery,
  PLACED,
} from './entries.ts';
export { LeafStore, type StoredLeaf } from './leaves.ts';
export { type Claim, ProgressStore, type Stretch } from './progress.ts';
export { ENTRY_SEARCH, storedWords } from './search.ts';
export { SinkStore, type StoredRetention } from './sinks.ts';
export { type StoredKey, type TreeState, TreeStore } from './tree.ts';
export { Witness } from './witness.ts';
export { type WitnessedLog, WitnessedLogStore, type WitnessKey } from './witnessed-logs.ts';
