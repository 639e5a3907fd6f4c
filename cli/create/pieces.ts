import { readFileSync } from 'node:fs';
import path from 'node:path';
import { packageRoot } from '../package-root.ts';
import type { Files } from './merge/merge-files.ts';
import { pythonPackage } from './names.ts';
import { pythonSdk, SDK_VERSION, typescriptSdk } from './sdk.ts';
import { render } from './template.ts';

/** What is written at once, with all that its templates ask. */
export type Piece =
  | { what: 'agent'; answers: { name: string; kind: string; lang: string } }
  | { what: 'kind'; answers: { name: string; kind: string; lang: string } }
  | {
      what: 'migration';
      answers: { kind: string; from: string; to: string; configSchema: string; defaults: string };
    }
  | { what: 'rule'; answers: { name: string; kind: string; on: string; severity: string } };

/** A piece by its name in the project’s record. */
export function idOf(piece: Piece): string {
  const { what, answers } = piece;
  if (what === 'agent') return 'agent';
  if (what === 'kind') return `kind ${answers.kind}`;
  return what === 'rule' ? `rule ${answers.name}` : `migration ${answers.kind} ${answers.to}`;
}

/** The piece of a name in a project’s record. */
export function pieceOf(id: string, answers: Record<string, string>): Piece {
  return { what: id.split(' ')[0], answers } as Piece;
}

/** What is written for a piece today. */
export function filesOf(piece: Piece): Files {
  const { what, answers } = piece;
  if (what === 'rule') return render([`rule/${answers.on}`], answers);
  if (what === 'migration') return render(['migration'], answers);
  const folders = [`${what}/any`, `${what}/${answers.lang}`];
  if (answers.lang === 'python') {
    const words = { ...answers, package: pythonModule(answers.name), module: snake(answers.kind) };
    return new Map([...render(folders, words), ...(what === 'agent' ? pythonSdk() : [])]);
  }
  if (what === 'kind') return render(folders, answers);
  const { path: archive, bytes, integrity } = typescriptSdk();
  const words = { ...answers, sdkVersion: SDK_VERSION, sdkPath: archive, sdkIntegrity: integrity };
  return new Map([...render(folders, words), [archive, bytes]]);
}

/** What `python -m` runs an agent by. */
export const pythonModule = (name: string) => pythonPackage(name, pythonNames());

const snake = (name: string) => name.replaceAll('-', '_');

/** Python’s keywords and the modules that come with it, 3.9 to 3.14. */
function pythonNames(): ReadonlySet<string> {
  const file = path.join(packageRoot(), 'cli/create/python-names.json');
  return new Set(JSON.parse(readFileSync(file, 'utf8')) as string[]);
}
