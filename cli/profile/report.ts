import type { CostShare, ProfileTree } from '../../lib/profile/index.ts';
import type { Printer } from '../output/printer.ts';

const NAMED = 48;

/** Prints the costliest functions; against a baseline those that changed most. */
export function printTop(printer: Printer, tree: ProfileTree, shares: readonly CostShare[], count: number): void {
  const compared = shares.some(({ selfChange }) => selfChange !== undefined);
  printer.line(
    `${amountOf(tree.kind, tree.total)} ${tree.kind === 'CPU' ? 'ran' : 'allocated'}, ${tree.samples} samples`,
  );
  printer.table<CostShare>(
    [
      { title: 'SELF', text: ({ self }) => percent(self), right: true },
      ...(compared
        ? [{ title: 'CHANGE', text: ({ selfChange = 0 }: CostShare) => signed(selfChange), right: true }]
        : []),
      { title: 'TOTAL', text: ({ total }) => percent(total), right: true },
      ...(compared
        ? [{ title: 'CHANGE', text: ({ totalChange = 0 }: CostShare) => signed(totalChange), right: true }]
        : []),
      { title: 'FUNCTION', text: ({ name }) => cut(name) },
      { title: 'WHERE', text: ({ file, line }) => (file ? `${file}${line ? `:${line}` : ''}` : '-') },
    ],
    shares.slice(0, count),
  );
}

/** Microseconds or bytes for people. */
export function amountOf(kind: ProfileTree['kind'], amount: number): string {
  const units = kind === 'CPU' ? ['µs', 'ms', 's'] : ['B', 'kB', 'MB', 'GB'];
  let [value, at] = [amount, 0];
  for (; value >= 1_000 && at < units.length - 1; at++) value /= 1_000;
  return `${value >= 100 || at === 0 ? Math.round(value) : value.toFixed(1)} ${units[at]}`;
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)}%`;
}

function signed(change: number): string {
  const text = (Math.abs(change) * 100).toFixed(1);
  return text === '0.0' ? '=' : `${change < 0 ? '-' : '+'}${text}`;
}

function cut(name: string): string {
  return name.length > NAMED ? `${name.slice(0, NAMED - 1)}…` : name;
}
