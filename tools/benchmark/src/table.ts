/** What a benchmark says: one row a case, with the goal, what was measured and the ratio. */

export interface Row {
  name: string;
  /** As stated beforehand: `>= 0.95 of raw`. */
  goal: string;
  measured: string;
  /** What it was measured against in the same run. */
  reference: string;
  ratio: string;
  /** `undefined` for rows that have no goal: they are there to compare with. */
  met?: boolean;
}

const HEADINGS = ['case', 'goal', 'measured', 'beside it', 'ratio', ''] as const;

export function renderTable(rows: readonly Row[]): string {
  const lines = [
    [...HEADINGS],
    ...rows.map(({ name, goal, measured, reference, ratio, met }) => [
      name,
      goal,
      measured,
      reference,
      ratio,
      met === undefined ? '' : met ? 'met' : 'MISSED',
    ]),
  ];
  const widths = HEADINGS.map((_, column) => Math.max(...lines.map((line) => line[column].length)));
  const render = (line: readonly string[]) =>
    `| ${line.map((cell, column) => cell.padEnd(widths[column])).join(' | ')} |`;
  const rule = `|${widths.map((width) => '-'.repeat(width + 2)).join('|')}|`;
  return [render(lines[0]), rule, ...lines.slice(1).map(render)].join('\n');
}

export function perSecond(count: number): string {
  if (count >= 1e6) return `${(count / 1e6).toFixed(2)} M/s`;
  if (count >= 1e4) return `${(count / 1e3).toFixed(1)} k/s`;
  return `${count.toFixed(0)} /s`;
}

export function bytesPerSecond(count: number): string {
  return count >= 1e9 ? `${(count / 1e9).toFixed(2)} GB/s` : `${(count / 1e6).toFixed(0)} MB/s`;
}

export function milliseconds(ms: number): string {
  return ms < 1 ? `${(ms * 1000).toFixed(0)} us` : `${ms.toFixed(2)} ms`;
}

/** A ratio with the middle half of what it is the median of. */
export function ratioOf({ ratio, spread }: { ratio: number; spread: readonly [number, number] }) {
  const digits = ratio >= 10 ? 1 : 2;
  return `${ratio.toFixed(digits)} (${spread.map((each) => each.toFixed(digits)).join(' to ')})`;
}
