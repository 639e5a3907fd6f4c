/** Folders of what is made, installed or kept, by name; beside them every folder that begins with a dot. */
const LEFT_OUT = new Set([
  ...['node_modules', 'dist', 'build', 'out', 'coverage', 'target', 'tmp', 'logs'],
  ...['__pycache__', 'venv', 'site-packages'],
]);
/** What a program is made of, prompts and settings included. What it writes while it runs is seldom of these kinds. */
const SOURCE =
  /\.(?:[cm]?[jt]sx?|json5?|py|pyi|toml|ya?ml|graphql|sql|md|txt|prompt|j2|jinja2?|tmpl|hbs|html|wasm)$|^\.env(?:\.|$)/i;
/** Editors' own: locks, copies, swap files, and what vim writes to see whether it may. */
const EDITORS = /^\.#|^#.*#$|~$|^4913$|\.sw[a-px]$|^\.tmp|___jb_(?:tmp|old)___$/;

/** Whether what is in a folder of this name is watched at all. */
export function isFolderWatched(name: string): boolean {
  return !name.startsWith('.') && !LEFT_OUT.has(name) && !name.endsWith('.egg-info');
}

/**
 * Whether a change of this file is one of the program.
 * @param file its path below the watched folder, with `/`
 * @param ignored globs of files that are left out too
 */
export function isFileWatched(file: string, ignored: readonly RegExp[] = []): boolean {
  const parts = file.split('/');
  const name = parts.pop() as string;
  if (!parts.every(isFolderWatched) || EDITORS.test(name) || !SOURCE.test(name)) return false;
  return !ignored.some((glob) => glob.test(file));
}

/**
 * A glob as a regular expression over whole paths: `*` and `?` within a name, `**` over folders, `{a,b}` either.
 * @throws SyntaxError for braces that do not close
 */
export function globOf(glob: string): RegExp {
  let depth = 0;
  const text = glob.replace(/\*\*\/|\*\*|[*?{},]|[.+^$()|[\]\\]/g, (sign) => {
    if (sign === '**/') return '(?:[^/]+/)*';
    if (sign === '**') return '.*';
    if (sign === '*') return '[^/]*';
    if (sign === '?') return '[^/]';
    if (sign === '{') depth += 1;
    if (sign === '{') return '(?:';
    if (sign === ',') return depth ? '|' : ',';
    if (sign === '}' && depth) {
      depth -= 1;
      return ')';
    }
    return `\\${sign}`;
  });
  return new RegExp(`^${text}$`);
}

/** Changes that are gathered until they make a whole. */
export interface Gathering {
  files: readonly string[];
  /** When the first and the last of them came, epoch milliseconds. */
  firstMs: number;
  lastMs: number;
}

/** An editor that saves all, a checkout or a formatter writes many files: one change when it has been quiet for so long. */
export const QUIET_MS = 80;
/** Yet no later than this after the first, milliseconds. */
export const LATEST_MS = 1_000;

/** Takes in one more changed file. */
export function gather(gathered: Gathering | undefined, file: string, nowMs: number): Gathering {
  if (!gathered) return { files: [file], firstMs: nowMs, lastMs: nowMs };
  const files = gathered.files.includes(file) ? gathered.files : [...gathered.files, file];
  return { ...gathered, files, lastMs: nowMs };
}

/** When what was gathered is to be told, epoch milliseconds. */
export function dueMs({ firstMs, lastMs }: Gathering): number {
  return Math.min(lastMs + QUIET_MS, firstMs + LATEST_MS);
}
