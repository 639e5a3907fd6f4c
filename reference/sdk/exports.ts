import path from 'node:path';
import type { Node, SourceFile, SyntaxKind } from 'typescript/unstable/ast';
import type { Checker, Project, Symbol as Sign } from 'typescript/unstable/sync';
import { type DocComment, docCommentBefore, readDocComment } from './doc-comment.ts';

/** A member of a class or an interface that its users see. */
export interface Member {
  name: string;
  signature: string;
  doc: DocComment;
  isStatic: boolean;
}

/** What a module gives out under a name. */
export interface Exported {
  name: string;
  /** How it is written, without bodies and comments. */
  signature: string;
  doc: DocComment;
  members: Member[];
  /** Where it stands, from the root. */
  file: string;
}

/** Parts of declarations that the compiler's types tell apart and we do not. */
type Loose = Node & {
  name?: Node;
  type?: Node;
  body?: Node;
  initializer?: Node;
  modifiers?: readonly Node[];
  members?: readonly Node[];
  heritageClauses?: readonly Node[];
  typeParameters?: readonly Node[];
};

/** Without comments, its lines drawn to the left. */
const bare = (text: string) => text.replace(/\s*\/\*\*[\s\S]*?\*\//g, '').trim();

/** In one line, as a table wants it. */
function flat(text: string): string {
  return bare(text)
    .replace(/\s+/g, ' ')
    .replace(/([([]) /g, '$1')
    .replace(/,? ([)\]])/g, '$1')
    .replace(/^(public |async )+/, '')
    .replace(/^(static )?async /, '$1')
    .replace(/^get (\w+)\(\)/, 'readonly $1')
    .replace(/;$/, '');
}

/** Reads what modules of a project give out. One for each run: the compiler is a process of its own, ended by `close`. */
export class ExportReader {
  readonly #root: string;
  readonly #project: Project;
  readonly #checker: Checker;
  readonly #kinds: typeof SyntaxKind;
  readonly close: () => void;

  private constructor(root: string, project: Project, kinds: typeof SyntaxKind, close: () => void) {
    this.#root = root;
    this.#project = project;
    this.#checker = project.checker;
    this.#kinds = kinds;
    this.close = close;
  }

  /** @param config the project's configuration, from the root */
  static async open(root: string, config: string): Promise<ExportReader> {
    // Modules only, and the compiler's newest interface: nothing else of ours speaks to it.
    const { API } = await import('typescript/unstable/sync');
    const { SyntaxKind: kinds } = await import('typescript/unstable/ast');
    const api = new API({ cwd: root });
    const file = path.join(root, config);
    const project = api.updateSnapshot({ openProjects: [file] }).getProject(file);
    if (!project) throw new Error(`${config} is no project`);
    return new ExportReader(root, project, kinds, () => api.close());
  }

  /** What a module gives out, by name. */
  read(file: string): Exported[] {
    const source = this.#project.program.getSourceFile(path.join(this.#root, file));
    const module = source && this.#checker.getSymbolAtLocation(source);
    if (!module) throw new Error(`${file} is no module`);
    return this.#checker
      .getExportsOfModule(module)
      .map((sign) => this.#exported(sign))
      .sort((one, two) => (one.name.toLowerCase() < two.name.toLowerCase() ? -1 : 1));
  }

  /** Types that the project declares, whether anybody gives them out or not. */
  declared(): Set<string> {
    const files = this.#project.program.getSourceFileNames().filter((file) => file.startsWith(`${this.#root}/sdk/`));
    const types = new Set<string>();
    const { ClassDeclaration, InterfaceDeclaration, TypeAliasDeclaration } = this.#kinds;
    for (const file of files)
      for (const node of this.#project.program.getSourceFile(file)?.statements ?? [])
        if ([ClassDeclaration, InterfaceDeclaration, TypeAliasDeclaration].includes(node.kind))
          types.add((node as Loose).name?.getText() ?? '');
    return types;
  }

  #exported(given: Sign): Exported {
    const isAlias = given.declarations.some(
      (handle) => handle.resolve(this.#project)?.kind === this.#kinds.ExportSpecifier,
    );
    const sign = isAlias ? this.#checker.getAliasedSymbol(given) : given;
    const node = sign.declarations[0]?.resolve(this.#project) as Loose | undefined;
    if (!node) throw new Error(`${given.name} is declared nowhere`);
    const stated = node.kind === this.#kinds.VariableDeclaration ? node.parent.parent : node;
    return {
      name: given.name === 'default' ? (node.name?.getText() ?? 'default') : given.name,
      signature: this.#signature(node, sign),
      doc: docOf(stated),
      members: node.members ? this.#members(sign, node) : [],
      file: path.relative(this.#root, node.getSourceFile().fileName),
    };
  }

  /** A declaration without its body; of a class or an interface only its head. */
  #signature(node: Loose, sign: Sign): string {
    const source = node.getSourceFile();
    if (node.kind === this.#kinds.VariableDeclaration) {
      const type = this.#checker.getTypeOfSymbol(sign);
      return `const ${node.name?.getText()}: ${node.type?.getText() ?? (type && this.#checker.typeToString(type, node))}`;
    }
    const text = source.text.slice(node.getStart(), this.#end(node, source));
    return bare(text.replace(/^export (default )?(async )?/, '')).replace(/;$/, '');
  }

  /** Where what is shown of a declaration ends. */
  #end(node: Loose, source: SourceFile): number {
    if (node.body) return node.body.getStart();
    if (node.members) return source.text.lastIndexOf('{', node.members[0]?.getStart(source, true) ?? node.end);
    return node.end;
  }

  /** What makes it, what stands on the class, then what an instance has: its own before what it inherits, as they are written. */
  #members(sign: Sign, node: Loose): Member[] {
    const own = this.#checker.getPropertiesOfType(this.#checker.getDeclaredTypeOfSymbol(sign));
    const statics = node.kind === this.#kinds.ClassDeclaration ? [...sign.getExports().values()] : [];
    const made = (node.members ?? []).filter(({ kind }) => kind === this.#kinds.Constructor);
    return [
      ...made.flatMap((each) => this.#member(sign.name, each as Loose, false)),
      ...this.#asWritten(statics, node).flatMap(([name, each]) => this.#member(name, each, true)),
      ...this.#asWritten(own, node).flatMap(([name, each]) => this.#member(name, each, false)),
    ];
  }

  /** The compiler gives members in no order that lasts. */
  #asWritten(signs: readonly Sign[], of: Loose): [string, Loose][] {
    const home = of.getSourceFile().fileName;
    const rank = ([, node]: [string, Loose]) => {
      const { fileName } = node.getSourceFile();
      return `${fileName === home ? '' : fileName} ${String(node.pos).padStart(9, '0')}`;
    };
    return signs
      .flatMap((sign): [string, Loose][] => {
        const node = sign.declarations[0]?.resolve(this.#project) as Loose | undefined;
        // What comes from Node's or the language's own types is told there.
        return node?.getSourceFile().fileName.startsWith(`${this.#root}/sdk/`) ? [[sign.name, node]] : [];
      })
      .sort((one, two) => (rank(one) < rank(two) ? -1 : 1));
  }

  #member(name: string, node: Loose, isStatic: boolean): Member[] {
    const hidden = node.modifiers?.some(
      ({ kind }) => kind === this.#kinds.PrivateKeyword || kind === this.#kinds.ProtectedKeyword,
    );
    if (hidden || node.name?.getText().startsWith('#')) return [];
    if (docOf(node).isInternal) return [];
    const isMade = node.kind === this.#kinds.Constructor;
    return [
      {
        name: isMade ? 'constructor' : name,
        signature: this.#memberSignature(node),
        doc: this.#memberDoc(node),
        isStatic,
      },
    ];
  }

  #memberSignature(node: Loose): string {
    const source = node.getSourceFile();
    if (!node.initializer || node.body) return flat(source.text.slice(node.getStart(), this.#end(node, source)));
    const head = flat(source.text.slice(node.getStart(), (node.type ?? node.name ?? node).end));
    const type = node.type ? undefined : this.#checker.getTypeAtLocation(node);
    return type ? `${head}: ${this.#checker.typeToString(type, node)}` : head;
  }

  /** Of a property that a constructor's parameter declares, what the constructor says of it. */
  #memberDoc(node: Loose): DocComment {
    const doc = docOf(node);
    if (doc.what || node.kind !== this.#kinds.Parameter) return doc;
    const said = docOf(node.parent).params.find(({ name }) => name === node.name?.getText());
    return { ...doc, what: said?.what ?? '' };
  }
}

function docOf(node: Node): DocComment {
  return readDocComment(docCommentBefore(node.getSourceFile().text, node.getStart()));
}
