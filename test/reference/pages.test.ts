import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { ERROR_CODES } from '../../lib/errors.ts';
import { readContract } from '../../reference/api/contract.ts';
import { areaPage } from '../../reference/api/page.ts';
import { silentParts } from '../../reference/api/silent.ts';
import { commandPages } from '../../reference/commands.ts';
import { faultsOf } from '../../reference/documents.ts';
import { errorPages, untoldCodes } from '../../reference/errors.ts';
import { kindPages } from '../../reference/kinds.ts';
import { brokenLinks } from '../../reference/links.ts';
import { anchorOf } from '../../reference/markdown.ts';
import { unknownNames } from '../../reference/names.ts';
import { pythonPages } from '../../reference/python/index.ts';
import { docCommentBefore, readDocComment } from '../../reference/sdk/doc-comment.ts';
import { silentIn } from '../../reference/sdk/page.ts';
import { typeLinks, unnamedTypes } from '../../reference/sdk/types.ts';

const SUPERGRAPH = `
enum join__Graph { SHOP STOCK }
type Query @join__type(graph: SHOP) @join__type(graph: STOCK) {
  """Goods, the newest first."""
  goods("How many; 1 to 100." first: Int = 50): [Good!] @join__field(graph: SHOP) @access(scopes: ["viewer"])
    @listSize(assumedSize: 50, slicingArguments: ["first"])
}
"What is sold."
type Good @join__type(graph: SHOP, key: "id") @join__type(graph: STOCK, key: "id") {
  "Opaque, stable for life."
  id: ID! @access(scopes: ["viewer"])
  "Cents | of a euro."
  price: Int! @join__field(graph: SHOP) @access(scopes: ["viewer"]) @cost(weight: 3)
  "What it was once."
  formerPrice: Int @join__field(graph: SHOP) @access(scopes: ["viewer"]) @deprecated(reason: "Use price. Removal 2027-03-01")
  "How many lie there."
  left(where: String): Int @join__field(graph: STOCK) @access(scopes: ["operator"])
  "The colour."
  colour: String @join__field(graph: SHOP) @access(scopes: ["viewer"])
}
`;
const types = readContract(SUPERGRAPH);
const book = { types, areas: new Map([['Good', 'shop']]), examples: new Map([['goods', 'goods.graphql']]) };

describe('the reference of the API', () => {
  test('tells of each field its arguments, scopes, cost, deprecation and subgraph, and links its type', () => {
    const page = areaPage('shop', 'What is sold.', book);
    expect(page).toContain('Gives [`[Good!]`](#good). Scopes: `viewer`. Counts as `first` items, 50 without.');
    expect(page).toContain('Example: [goods.graphql](../../../schema/operations/goods.graphql).');
    expect(page).toContain('| `first` | `Int` | `50` | How many; 1 to 100. |');
    expect(page).toContain('Found by `id`. Given by [`query goods`](#query-goods).');
    expect(page).toContain('| `price` | `Int!` | Cents \\| of a euro. Costs 3 points. |');
    expect(page).toContain('| **Deprecated**: Use price. Removal 2027-03-01 What it was once. |');
    expect(page).toContain('How many lie there. From stock. Scopes: `operator`.<br>`where` `String`: |');
  });

  test('names what has no description, and what has only its own name as one', () => {
    expect(silentParts(types)).toEqual(['Good.left(where)', 'Good.colour']);
  });
});

describe('doc comments', () => {
  test('have tags wherever they stand', () => {
    const comment =
      '/** Sends it. @param first, second what is sent\n * @returns whether it came\n * @throws NOT_FOUND\n */';
    expect(readDocComment(comment)).toEqual({
      what: 'Sends it.',
      params: [{ name: 'first, second', what: 'what is sent' }],
      returns: 'whether it came',
      throws: 'NOT_FOUND',
      isInternal: false,
    });
    expect(readDocComment('/** For the link. @internal */')).toMatchObject({ what: 'For the link.', isInternal: true });
  });

  test('are those right before a declaration only', () => {
    const source = '/** One. */\nconst one = 1;\n/* no doc */\nconst two = 2;';
    expect(docCommentBefore(source, source.indexOf('const one'))).toBe('/** One. */');
    expect(docCommentBefore(source, source.indexOf('const two'))).toBe('');
  });

  test('that are missing are named by file and symbol', () => {
    const doc = { what: '', params: [], returns: '', throws: '', isInternal: false };
    const member = { name: 'send', signature: 'send(): void', doc, isStatic: false };
    const made = { ...member, name: 'constructor' };
    const told = { ...member, name: 'close', doc: { ...doc, returns: 'when' } };
    const exported = { name: 'Link', signature: 'class Link', doc, members: [made, member, told], file: 'sdk/link.ts' };
    expect(silentIn([exported])).toEqual([
      'sdk/link.ts: Link has no doc comment',
      'sdk/link.ts: Link.send has no doc comment',
    ]);
  });
});

describe('types that signatures name', () => {
  const places = new Map([
    ['Agent', 'core.md#agent'],
    ['Kind', 'factory.md#kind'],
  ]);

  test('are linked, also to another module', () => {
    const signature = "create(kind: Kind, name: 'Agent'): Promise<Agent>";
    expect(typeLinks(signature, 'Factory', 'core.md', places)).toBe('[`Kind`](factory.md#kind) [`Agent`](#agent)');
    expect(typeLinks(signature, 'Agent', 'core.md', places)).toBe('[`Kind`](factory.md#kind)');
  });

  test('and that no module gives out are named; type parameters are none', () => {
    const doc = { what: 'x', params: [], returns: '', throws: '', isInternal: false };
    const member = { name: 'link', signature: 'readonly link: Link | Task | Promise<Agent>', doc, isStatic: false };
    const exported = {
      name: 'Factory',
      signature: 'class Factory<Task> extends Link',
      doc,
      members: [member],
      file: 'f.ts',
    };
    const alias = { ...exported, name: 'Run', signature: 'type Run<Link> = (link: Link) => Task', members: [] };
    const declared = new Set(['Agent', 'Link', 'Task']);
    expect(unnamedTypes([exported, alias], declared, places)).toEqual([
      'f.ts: Factory.link names the type Link, which no module gives out',
      'f.ts: Run names the type Task, which no module gives out',
    ]);
  });
});

describe('the other pages', () => {
  test('the errors have a row for each code, with its status', () => {
    const page = errorPages()['docs/errors.md'] as string;
    const rows = [...page.matchAll(/^\| `([A-Z_]+)` \| (\d{3}) \|/gm)];
    expect(rows.map(([, code]) => code)).toEqual(Object.keys(ERROR_CODES));
    expect(rows.find(([, code]) => code === 'RATE_LIMITED')?.[2]).toBe('429');
  });

  test('a code that sources give and no page tells of is named', () => {
    const text =
      "throw new FleetError(\n  'BAD_INPUT', x); return { code: 'NO_LUCK' }; raise FleetFailure(\"UNREACHABLE\")";
    expect(untoldCodes({ 'lib/a.ts': text })).toEqual(['lib/a.ts: the code NO_LUCK is not in lib/errors.ts']);
  });

  test('commands and kinds of the fleet all say what they are', () => {
    expect([...commandPages().silent, ...kindPages().silent]).toEqual([]);
    expect(commandPages().pages['docs/reference/commands.md']).toContain('## fleet rollout start');
    expect(kindPages().pages['docs/reference/fleet.md']).toContain('| agents | 14: `coder-01` to `coder-14` |');
  });
});

describe('a tree', () => {
  let root: string;
  beforeEach(() => {
    root = mkdtempSync(path.join(tmpdir(), 'fleetgraph-reference-'));
    mkdirSync(path.join(root, 'docs/reference'), { recursive: true });
  });
  afterEach(() => rmSync(root, { recursive: true }));
  const put = (file: string, text: string) => writeFileSync(path.join(root, file), text);

  test('a page that differs, is missing, or is made no longer is named with the command that mends it', () => {
    put('docs/reference/same.md', 'same');
    put('docs/reference/old.md', 'old');
    put('docs/reference/gone.md', '');
    const pages = Object.fromEntries(['same', 'old', 'new'].map((name) => [`docs/reference/${name}.md`, name]));
    pages['docs/reference/old.md'] = 'new';
    const silent = ['sdk/a.ts: a has no doc comment'];
    mkdirSync(path.join(root, 'schema'));
    put('schema/supergraph.graphql', SUPERGRAPH);
    put('package.json', '{}');
    put('lib.ts', "const a = { code: 'NO_LUCK' };");
    put('README.md', 'Run npm run nothing.');
    execFileSync('git', ['init', '-q'], { cwd: root });
    expect(faultsOf(root, { pages, silent, leftOut: [] })).toEqual([
      'sdk/a.ts: a has no doc comment',
      'lib.ts: the code NO_LUCK is not in lib/errors.ts',
      'docs/reference/old.md is not what the code makes: npm run docs',
      'docs/reference/new.md is missing: npm run docs',
      'docs/reference/gone.md is made by nothing any longer: npm run docs',
      'README.md names nothing: no such script',
    ]);
  });

  test('links to a file or a heading that is not there are named; code is no link', () => {
    put('docs/other.md', '# Here\n## Twice\n## Twice\n');
    const page = '[a](other.md#here) [b](other.md#twice-1) [c](other.md#no) [d](no.md) `[e](no.md)` [f](#own)\n# Own\n';
    expect(anchorOf('What `fleet run` does, and why')).toBe('what-fleet-run-does-and-why');
    expect(brokenLinks(root, { 'docs/page.md': page })).toEqual([
      'docs/page.md links to other.md#no: the page has no such heading',
      'docs/page.md links to no.md: there is no such file',
    ]);
  });

  test('what pages name and is not there any longer is named', () => {
    const known = {
      isThere: (place: string) => ['lib/a.ts', 'test/lib/b.test.ts'].includes(place),
      ...{ scripts: new Set(['docs']), api: new Set(['Agent', 'Agent.id']) },
      isInSources: (word: string) => ['FLEET_A', 'cache_entries'].includes(word),
    };
    const page = `npm run docs, npm run doc; (lib/a.ts, lib/a, lib/b, lib/*.ts, lib/c), [x](lib/d.md); \`Agent.id\` \`Agent.ids\`
      \`Node.js\` FLEET_A FLEET_B FLEET_LOG_…; \`fleet_router_cache_entries\` \`fleet_router_gone\``;
    expect(unknownNames({ 'a.md': page }, known)).toEqual([
      'a.md names doc: no such script',
      'a.md names lib/c: no such file',
      'a.md names FLEET_B: no such setting',
      'a.md names fleet_router_gone: no such metric',
      'a.md names Agent.ids: no such field',
    ]);
  });

  test('Python without docstrings is named; examples in docstrings are shown as such', () => {
    const from = path.resolve(__dirname, '../../reference/python');
    cpSync(from, path.join(root, 'reference/python'), { recursive: true });
    mkdirSync(path.join(root, 'sdk/python/fleetgraph'), { recursive: true });
    put(
      'sdk/python/fleetgraph/__init__.py',
      '"""A package.\n\n    import a\n\n    a.run()\n"""\n__all__ = ["A", "B"]\n',
    );
    put(
      'sdk/python/fleetgraph/_a.py',
      'class A:\n    """A thing."""\n    def __init__(self, b: int = 1): ...\n    @property\n    def c(self) -> int: ...\n    def d(self, *, e: str) -> None:\n        """Does."""\n\nB: int = 1\n"""How many."""\n',
    );
    put('sdk/python/fleetgraph_logging.py', '"""Lines."""\n__all__ = []\n');
    const made = pythonPages(root);
    expect(made?.silent).toEqual(['sdk/python/fleetgraph/_a.py: A.c has no docstring']);
    const page = made?.pages['docs/reference/python.md'];
    expect(page).toContain('A package.\n\n```python\nimport a\n\na.run()\n```');
    expect(page).toContain('`class A(b: int=1)`');
    expect(page).toContain('### B\n\n`B: int`\n\nHow many.');
    expect(page).toContain('| `c: int` | |\n| `d(*, e: str) -> None` | Does. |');
  });
});
