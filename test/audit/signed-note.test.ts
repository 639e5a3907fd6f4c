import { createPrivateKey, generateKeyPairSync } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { EMPTY_ROOT } from '../../lib/merkle/index.ts';
import {
  checkpointText,
  openNote,
  readCheckpoint,
  readVerifierKey,
  signNote,
  verifierKey,
} from '../../lib/signed-note/index.ts';

const FOLDER = path.join(__dirname, '../../../shared/data/rfc6962');
const vectors = existsSync(FOLDER) ? describe : describe.skip;
const { privateKey } = generateKeyPairSync('ed25519');
const signer = { name: 'audit.example/log', privateKey };

vectors('the published notes', () => {
  const read = () => JSON.parse(readFileSync(path.join(FOLDER, 'signed-note.json'), 'utf8'));

  test('each is accepted or refused as published', () => {
    const verdicts = read().spec_examples.map(({ vkey, note, valid, why }: Record<string, string>) => {
      const opens = () => openNote(note as string, [readVerifierKey(vkey as string)]) !== undefined;
      return { why, valid, as: accepts(opens) };
    });
    expect(verdicts.filter(({ valid, as }: { valid: boolean; as: boolean }) => valid !== as)).toEqual([]);
  });

  test('our signatures are byte for byte those published', () => {
    const { generated } = read();
    const pkcs8 = Buffer.concat([
      Buffer.from('302e020100300506032b657004220420', 'hex'),
      Buffer.from(generated.ed25519_seed_hex, 'hex'),
    ]);
    const published = {
      name: 'audit.fleet.example/log1',
      privateKey: createPrivateKey({ key: pkcs8, format: 'der', type: 'pkcs8' }),
    };
    expect(verifierKey(published)).toBe(generated.vkey);
    for (const note of generated.checkpoints as string[]) {
      const text = openNote(note, [readVerifierKey(generated.vkey)]) as string;
      const checkpoint = readCheckpoint(text);
      expect(checkpoint).toBeDefined();
      expect(checkpoint && signNote(checkpointText(checkpoint), published)).toBe(note);
    }
  });

  test('the checkpoint of the specification is read', () => {
    const example: string = read().checkpoint_example_text;
    expect(readCheckpoint(example.slice(0, example.indexOf('\n\n') + 1))).toEqual({
      origin: 'example.com/behind-the-sofa',
      size: 20852163,
      rootHash: Buffer.from('CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=', 'base64'),
    });
  });
});

test('a note opens with its key, not with another’s, and not when altered', () => {
  const text = checkpointText({ origin: 'audit.example/log', size: 0, rootHash: EMPTY_ROOT });
  const note = signNote(text, signer);
  const other = { name: signer.name, privateKey: generateKeyPairSync('ed25519').privateKey };
  expect(openNote(note, [readVerifierKey(verifierKey(signer))])).toBe(text);
  expect(openNote(note, [readVerifierKey(verifierKey(other))])).toBeUndefined();
  expect(openNote(note.replace('\n0\n', '\n1\n'), [readVerifierKey(verifierKey(signer))])).toBeUndefined();
  expect(openNote(`${note}not a signature\n`, [readVerifierKey(verifierKey(signer))])).toBeUndefined();
  expect(
    openNote(`${note}${'— other AAAAAAAA\n'.repeat(100)}`, [readVerifierKey(verifierKey(signer))]),
  ).toBeUndefined();
  expect(() => signNote('no newline', signer)).toThrow('ends in a newline');
});

test('what is no verifier key or no checkpoint is refused', () => {
  expect(() => readVerifierKey('nothing')).toThrow('name+id+key');
  expect(() => readVerifierKey(verifierKey(signer).replace('+', '+0'))).toThrow('name+id+key');
  expect(() => readVerifierKey(verifierKey(signer).replace(/\+[0-9a-f]{8}\+/, '+00000000+'))).toThrow(
    'not that of its key',
  );
  expect(readCheckpoint('origin\n01\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n')).toBeUndefined();
  expect(readCheckpoint('origin\n1\nAAAA\n')).toBeUndefined();
});

function accepts(work: () => boolean): boolean {
  try {
    return work();
  } catch {
    return false;
  }
}
