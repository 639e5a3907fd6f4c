/** The anchor that a heading has on a page, as GitHub makes it. */
export function anchorOf(heading: string): string {
  return heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, '')
    .trim()
    .replace(/\s/g, '-');
}

/** Prose as it is written, with what would be read as a tag shown; what stands in backticks stays. */
export function prose(text: string): string {
  return text
    .split(/(`[^`]*`)/)
    .map((part, at) => (at % 2 ? part : part.replace(/</g, '&lt;')))
    .join('')
    .trim();
}

/** Text in one cell of a table. */
export function cell(text: string): string {
  return prose(text)
    .replace(/\s*\n\s*/g, ' ')
    .replace(/\|/g, '\\|');
}

/** Code in one cell of a table or in a line. */
export function code(text: string): string {
  return `\`${text.replace(/\s*\n\s*/g, ' ')}\``;
}

/** A table; nothing when it has no rows. Cells are given as they shall stand. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  if (!rows.length) return '';
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`.replace(/ {2,}/g, ' ');
  return `${line(head)}\n|${head.map(() => '---|').join('')}\n${rows.map(line).join('\n')}\n`;
}

/** Parts of a page, a blank line between those that are there. */
export function page(...parts: readonly string[]): string {
  return `${parts
    .map((part) => part.trimEnd())
    .filter(Boolean)
    .join('\n\n')}\n`;
}

/** Where a page leads to: targets of its links, without those to other sites. */
export function linksOf(text: string): string[] {
  const bare = text.replace(/^```[\s\S]*?^```/gm, '').replace(/`[^`\n]*`/g, '');
  return [...bare.matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, target]) => target as string)
    .filter((target) => !/^[a-z]+:/.test(target));
}

/** Anchors that a page offers. */
export function anchorsOf(text: string): Set<string> {
  const bare = text.replace(/^```[\s\S]*?^```/gm, '');
  const seen = new Map<string, number>();
  const anchors = [...bare.matchAll(/^#{1,6} (.+)$/gm)].map(([, heading]) => {
    const anchor = anchorOf((heading as string).replace(/\[([^\]]*)\]\([^)]*\)/g, '$1'));
    const times = seen.get(anchor) ?? 0;
    seen.set(anchor, times + 1);
    return times ? `${anchor}-${times}` : anchor;
  });
  return new Set(anchors);
}
