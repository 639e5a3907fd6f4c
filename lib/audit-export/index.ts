export { Damage, type Fault } from './damage.ts';
export { type Kept, keptIn, verifyFile } from './file.ts';
export { checkpointLine, entryLine, headerLine } from './lines.ts';
export { type ExportedEntry, ocsfOf } from './ocsf.ts';
export { Splitter } from './splitter.ts';
export { ExportVerifier, type Verified, type VerifierOptions } from './verifier.ts';
