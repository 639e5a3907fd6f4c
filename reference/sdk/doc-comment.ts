/** What a doc comment says, by its tags. */
export interface DocComment {
  /** What it is: all before the first tag. */
  what: string;
  params: { name: string; what: string }[];
  returns: string;
  throws: string;
  /** Says that it is public for the SDK's own parts only (`@internal`). */
  isInternal: boolean;
}

const INTERNAL = /\s*@internal\b/;
const TAG = /(?:^|\s)@(param|returns|throws)\s+/;

/** The text between the marks of a comment, without what begins its lines. */
function bareText(comment: string): string {
  return comment
    .replace(/^\/\*\*/, '')
    .replace(/\*\/$/, '')
    .split('\n')
    .map((line) => line.replace(/^\s*\* ?/, '').trim())
    .join('\n')
    .trim();
}

/** Reads a doc comment; a tag may stand anywhere, also behind the first sentence. */
export function readDocComment(comment: string): DocComment {
  const text = bareText(comment);
  const [what = '', ...tagged] = text.replace(INTERNAL, '').split(TAG);
  const doc: DocComment = { what: what.trim(), params: [], returns: '', throws: '', isInternal: INTERNAL.test(text) };
  for (let at = 0; at < tagged.length; at += 2) {
    const said = (tagged[at + 1] ?? '').replace(/\s*\n\s*/g, ' ').trim();
    if (tagged[at] === 'param') {
      const [, name = '', of = ''] = /^(\w+(?:, \w+)*)\s*(.*)$/s.exec(said) ?? [];
      doc.params.push({ name, what: of });
    } else doc[tagged[at] as 'returns' | 'throws'] = said;
  }
  return doc;
}

/** The doc comment right before a place of a source, empty when none is there. */
export function docCommentBefore(source: string, at: number): string {
  const before = source.slice(0, at).trimEnd();
  if (!before.endsWith('*/')) return '';
  const from = before.lastIndexOf('/*');
  return before.startsWith('/**', from) ? before.slice(from) : '';
}
