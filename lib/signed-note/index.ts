export { type AddCheckpoint, addCheckpointText, readAddCheckpoint, SIZE_TYPE } from './add-checkpoint.ts';
export { type Checkpoint, checkpointText, readCheckpoint } from './checkpoint.ts';
export { type Cosignature, cosign, cosignatureIn } from './cosignature.ts';
export { type NoteSigner, type NoteVerifier, openNote, readVerifierKey, signNote, verifierKey } from './note.ts';
