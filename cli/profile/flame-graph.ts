import { createHash } from 'node:crypto';
import type { Flame } from '../../lib/profile/index.ts';
import { BEHAVIOUR } from './flame-behaviour.ts';

export interface FlamePage {
  title: string;
  /** Below the title: when, how long, against what. */
  subtitle: string;
  /** Microseconds or bytes of the whole, in words for a share of it. */
  amount(share: number): string;
}

const WIDTH = 1200;
const ROW = 17;
/** Letters of this size are about so wide. */
const LETTER = 6.6;
const LEAST_WIDTH = 0.3;

const STYLE = `body{font:13px system-ui,sans-serif;margin:16px;background:#fff;color:#222}
h1{font-size:17px;margin:0 0 4px}p{margin:0 0 10px;color:#555}svg{width:100%;height:auto;font:11px ui-monospace,monospace}
g{cursor:pointer}rect{stroke:#fff;stroke-width:.6}g:hover rect{stroke:#000}g.hit rect{fill:#b26be0}g.above rect{opacity:.45}
text{pointer-events:none}input{font:inherit;padding:3px 6px;margin-right:8px}`;

/**
 * A flame graph as one page that needs nothing else: boxes in SVG, the callers below, a click enlarges. All that comes from the
 * profile is escaped, and the page's own policy lets nothing run or load but this style and this script, by their digests.
 */
export function flamePage(root: Flame, { title, subtitle, amount }: FlamePage): string {
  const boxes: string[] = [];
  const rows = draw(root, amount, boxes);
  const height = rows * ROW;
  // The root is at the foot, as flames have it.
  const policy = `default-src 'none'; style-src '${digest(STYLE)}'; script-src '${digest(BEHAVIOUR)}'; base-uri 'none'; form-action 'none'`;
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="${policy}">
<title>${escaped(title)}</title><style>${STYLE}</style></head><body>
<h1>${escaped(title)}</h1><p>${escaped(subtitle)}</p>
<p><input id="search" placeholder="find a function" autocomplete="off"><span id="found"></span></p>
<svg id="flames" viewBox="0 0 ${WIDTH} ${height}" data-width="${WIDTH}" data-letter="${LETTER}" role="img">
<g id="turned" transform="translate(0 ${height})">
${boxes.join('\n')}
</g></svg>
<script>${BEHAVIOUR}</script></body></html>
`;
}

/** Puts the boxes down, the widest child first. @returns how many rows they take */
function draw(root: Flame, amount: FlamePage['amount'], boxes: string[]): number {
  const whole = root.share || 1;
  const waiting = [{ flame: root, from: 0, depth: 0 }];
  let rows = 1;
  for (let next = waiting.pop(); next; next = waiting.pop()) {
    const { flame, from, depth } = next;
    rows = Math.max(rows, depth + 1);
    boxes.push(box(flame, from, flame.share / whole, depth, amount));
    let at = from;
    for (const child of flame.children) {
      if ((child.share / whole) * WIDTH >= LEAST_WIDTH) waiting.push({ flame: child, from: at, depth: depth + 1 });
      at += child.share / whole;
    }
  }
  return rows;
}

function box(flame: Flame, from: number, share: number, depth: number, amount: FlamePage['amount']): string {
  const x = from * WIDTH;
  const width = share * WIDTH;
  const y = -(depth + 1) * ROW;
  const place = flame.file ? ` ${flame.file}${flame.line ? `:${flame.line}` : ''}` : '';
  const change = flame.change === undefined ? '' : `, ${signed(flame.change)} of the whole`;
  const tip = `${flame.name}${place}\n${(flame.share * 100).toFixed(2)} % (${amount(flame.share)})${change}`;
  const letters = Math.floor((width - 6) / LETTER);
  const label = letters < 3 ? '' : flame.name.length <= letters ? flame.name : `${flame.name.slice(0, letters - 1)}…`;
  return `<g data-x="${x.toFixed(2)}" data-w="${width.toFixed(2)}" data-d="${depth}" data-n="${escaped(flame.name)}"><title>${escaped(tip)}</title><rect x="${x.toFixed(2)}" y="${y}" width="${width.toFixed(2)}" height="${ROW}" fill="${colourOf(flame)}"/><text x="${(x + 3).toFixed(2)}" y="${y + 12}">${escaped(label)}</text></g>`;
}

/** Red for what grew, blue for what shrank, the stronger the more; without a baseline warm colours, one for each file. */
export function colourOf({ name, file, change }: Flame): string {
  if (change !== undefined) {
    const strength = Math.min(1, Math.abs(change) * 5);
    const faint = Math.round(245 - 170 * strength);
    if (Math.abs(change) < 0.001) return 'rgb(240,240,240)';
    return change > 0 ? `rgb(255,${faint},${faint})` : `rgb(${faint},${faint},255)`;
  }
  if (!file) return name === '(garbage collector)' ? 'rgb(150,170,190)' : 'rgb(200,200,190)';
  let hash = 7;
  for (const sign of file) hash = (hash * 31 + (sign.codePointAt(0) ?? 0)) >>> 0;
  return `hsl(${10 + (hash % 45)},${70 + ((hash >> 8) % 25)}%,${58 + ((hash >> 4) % 14)}%)`;
}

function signed(change: number): string {
  return `${change < 0 ? '−' : '+'}${(Math.abs(change) * 100).toFixed(2)} %`;
}

const ESCAPES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

/** As text or as a quoted attribute; controls that XML has no place for become a sign that one sees. */
export function escaped(text: string): string {
  return text
    .replace(/[&<>"']/g, (sign) => ESCAPES[sign] as string)
    .replace(/\p{Cc}/gu, (sign) => (sign === '\n' ? '&#10;' : '\ufffd'));
}

function digest(text: string): string {
  return `sha256-${createHash('sha256').update(text).digest('base64')}`;
}
