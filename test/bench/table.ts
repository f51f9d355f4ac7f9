/** Tables of docs/performance.md. */
export type Cell = string | number | undefined;

const row = (cells: Cell[]) => `| ${cells.map((cell) => cell ?? '').join(' | ')} |`;

/** The first column is text, the others are figures. */
export function markdownTable(header: string[], rows: Cell[][]): string {
  return [
    row(header),
    row(header.map((_, at) => (at === 0 ? '---' : '--:'))),
    ...rows.map(row),
  ].join('\n');
}
