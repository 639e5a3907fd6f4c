export { FLAG_NAMES, FLAGS, type FlagFacts, type FlagName, isFlagName } from './catalogue.ts';
export { FlagsEdit, type LeftBehind, leftBehind } from './edit.ts';
export { FileFlags, type FileFlagsOptions, type FlagRules, FlagsError, holdOf, readFlagsFile } from './file.ts';
export { type Flags, fixedFlags, type Hold, heldFlags, holdStandardFlags, standardFlags } from './flags.ts';
export type { FlagRule } from './rule.ts';
