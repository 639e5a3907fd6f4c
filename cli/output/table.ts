/** A column: its heading, what stands in it, and whether it is set to the right. */
export interface Column<Row> {
  title: string;
  text: (row: Row) => string;
  right?: boolean;
}

const GAP = '  ';

/** Control characters would let a log line move the reader's cursor or change colours. */
export function plain(text: string): string {
  return [...text].map((sign) => (isControl(sign.codePointAt(0) as number) ? ' ' : sign)).join('');
}

function isControl(point: number): boolean {
  return point < 0x20 || (point >= 0x7f && point < 0xa0) || point === 0x2028 || point === 0x2029;
}

/** Rows under headings, aligned; the last column is cut to the width, if there is one. */
export function table<Row>(
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  width = Number.POSITIVE_INFINITY,
): string {
  const cells = [columns.map(({ title }) => title), ...rows.map((row) => columns.map(({ text }) => plain(text(row))))];
  const widths = columns.map((_, at) => Math.max(...cells.map((line) => (line[at] as string).length)));
  return cells
    .map((line) =>
      cut(
        line
          .map((cell, at) => pad(cell, widths[at] as number, columns[at]?.right))
          .join(GAP)
          .trimEnd(),
        width,
      ),
    )
    .join('\n');
}

function pad(cell: string, width: number, right = false): string {
  return right ? cell.padStart(width) : cell.padEnd(width);
}

export function cut(line: string, width: number): string {
  return line.length > width ? `${line.slice(0, width - 1)}…` : line;
}
