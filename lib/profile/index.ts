/** Profiles in Chrome's formats: read, summed up, compared. Nothing of it needs a server. */
export { type CostShare, type Flame, flameOf, sharesOf } from './difference.ts';
export { costsOf, type FunctionCost } from './top.ts';
export { BadProfile, kindOf, type ProfileKind, type ProfileNode, type ProfileTree, readProfile } from './tree.ts';
