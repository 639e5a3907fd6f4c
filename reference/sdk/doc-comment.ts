/** What a doc comment says, by its tags. */
export interface DocComment {
  /** What it is: all before the first tag. */
  what: string;
  params: { name: string; what: string }[];
  returns: string;
  throws: string;
}

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
  const [what = '', ...tagged] = bareText(comment).split(TAG);
  const doc: DocComment = { what: what.trim(), params: [], returns: '', throws: '' };
  for (let at = 0; at < tagged.length; at += 2) {
    const text = (tagged[at + 1] ?? '').replace(/\s*\n\s*/g, ' ').trim();
    if (tagged[at] === 'param') {
      const [, name = '', said = ''] = /^(\w+(?:, \w+)*)\s*(.*)$/s.exec(text) ?? [];
      doc.params.push({ name, what: said });
    } else doc[tagged[at] as 'returns' | 'throws'] = text;
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
