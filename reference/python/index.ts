import { spawnSync } from 'node:child_process';
import { cell, code, page, prose, table } from '../markdown.ts';

interface Told {
  name: string;
  kind: 'class' | 'constant' | 'function' | 'property';
  signature: string;
  doc: string;
  file: string;
  members?: Told[];
}

interface Module {
  name: string;
  file: string;
  doc: string;
  names: Told[];
}

const PAGE = 'docs/reference/python.md';
const MODULES = ['sdk/python/fleetgraph/__init__.py', 'sdk/python/fleetgraph_logging.py'];
const HEAD = `# The Python SDK

Made from its docstrings by \`npm run docs\`. Python 3.9 or newer, standard library only; what all SDKs do by themselves is in [the SDK](../sdk.md).
`;

/** A docstring as Markdown: what is indented is an example. */
function docText(doc: string): string {
  return doc
    .split(/((?:^ {4}.*\n?|^\n)+)/m)
    .map((part) => (/^ {4}/m.test(part) ? example(part) : prose(part)))
    .join('\n\n');
}

const example = (text: string) => `\`\`\`python\n${text.replace(/^ {4}/gm, '').trim()}\n\`\`\``;

function section({ name, kind, signature, doc, members = [] }: Told): string {
  const rows = members.map((each) => [code(each.signature.replace(/\|/g, '\\|')), cell(each.doc)]);
  return page(
    `### ${name}`,
    code(`${kind === 'class' ? 'class ' : ''}${signature}`),
    docText(doc),
    table(['member', 'what it is'], rows),
  );
}

function silentIn({ name, file, doc, names }: Module): string[] {
  return [
    ...(doc ? [] : [`${file}: ${name} has no docstring`]),
    ...names.flatMap((each) =>
      [each, ...(each.members ?? [])]
        .filter((one) => !one.doc)
        .map((one) => `${one.file}: ${one === each ? '' : `${each.name}.`}${one.name} has no docstring`),
    ),
  ];
}

/**
 * The page of the Python SDK, and what of it says nothing of itself.
 * @returns undefined where there is no python3 to read it with
 */
export function pythonPages(root: string): { pages: Record<string, string>; silent: string[] } | undefined {
  const { error, status, stdout, stderr } = spawnSync(
    'python3',
    ['-B', '-I', 'reference/python/docstrings.py', '.', ...MODULES],
    { cwd: root, encoding: 'utf8', maxBuffer: 1 << 24 },
  );
  if (error) return undefined;
  if (status !== 0) throw new Error(`reference/python/docstrings.py: ${stderr.trim()}`);
  const modules = JSON.parse(stdout) as Module[];
  const sections = modules.flatMap(({ name, doc, names }) => [`## ${name}`, docText(doc), ...names.map(section)]);
  return { pages: { [PAGE]: page(HEAD, ...sections) }, silent: modules.flatMap(silentIn) };
}
