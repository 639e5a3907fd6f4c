export { binder, type Criteria } from './criteria.ts';
export { ARRIVED, type EntryFacts, EntryStore, keyOf, type NewEntry, PLACED, type PageQuery } from './entries.ts';
export { type StoredKey, type TreeState, TreeStore } from './tree.ts';
