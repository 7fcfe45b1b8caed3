/** Numbers and tables as people read them, the same on a terminal and in Markdown. */

/** So many significant digits, never with an exponent. */
export function significant(value: number, digits = 3): string {
  if (value === 0 || !Number.isFinite(value)) return String(value);
  return Number(value.toPrecision(digits)).toLocaleString('en-US', { maximumFractionDigits: 20 });
}

export function dollars(usd: number, digits = 3): string {
  return `$${significant(usd, digits)}`;
}

const UNITS = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'] as const;

/** Powers of 1000. */
export function bytes(count: number): string {
  const power = count < 1 ? 0 : Math.min(UNITS.length - 1, Math.floor(Math.log10(count) / 3));
  return `${significant(count / 1000 ** power)} ${UNITS[power]}`;
}

/** Below a second in milliseconds. */
export function duration(seconds: number): string {
  return seconds < 1 ? `${significant(1000 * seconds, 2)} ms` : `${significant(seconds, 3)} s`;
}

/** F1 and shares as in the README: .876 */
export function score(share: number): string {
  return share.toFixed(3).replace(/^0\./, '.');
}

/** A Markdown table that is aligned as it stands. @param rows as many cells each as the head. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((cell, i) => Math.max(cell.length, 3, ...rows.map(row => row[i]?.length ?? 0)));
  const line = (cells: readonly string[]): string =>
    `| ${widths.map((width, i) => (cells[i] ?? '').padEnd(width)).join(' | ')} |`;
  return [line(head), `|${widths.map(width => '-'.repeat(width + 2)).join('|')}|`, ...rows.map(line)].join('\n');
}
