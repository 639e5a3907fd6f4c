export { type Checkpoint, checkpointText, readCheckpoint } from './checkpoint.ts';
export { type NoteSigner, type NoteVerifier, openNote, readVerifierKey, signNote, verifierKey } from './note.ts';
