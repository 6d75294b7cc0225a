/** Lays out text for terminals: styles, columns, amounts. Pure; main thread. */

export type Style = 'plain' | 'bold' | 'dim' | 'green' | 'yellow' | 'red' | 'cyan';

/** Text in one style; a line is several. */
export interface Span {
  readonly text: string;
  readonly style: Style;
}

const ESCAPES: Readonly<Record<Style, string>> = {
  plain: '',
  bold: '\u001b[1m',
  dim: '\u001b[2m',
  green: '\u001b[32m',
  yellow: '\u001b[33m',
  red: '\u001b[31m',
  cyan: '\u001b[36m',
};
const RESET = '\u001b[0m';

export function span(text: string, style: Style = 'plain'): Span {
  return { text: sanitize(text), style };
}

/**
 * Names and reasons come from venues too: none of them may move the cursor, hide what follows or take two columns. What is
 * left is Latin text, one column a character.
 */
export function sanitize(text: string): string {
  return text.replace(/[^\x20-\x7e\xa1-\xac\xae-\u024f…]/gu, '?');
}

/** Returns the line cut to so many columns, with an ellipsis where something is missing. */
export function paint(line: readonly Span[], columns: number, isColored: boolean): string {
  const spans = withoutTrailingBlanks(line);
  const length = spans.reduce((sum, { text }) => sum + text.length, 0);
  let left = columns;
  let painted = '';
  for (const { text, style } of spans) {
    if (left <= 0) break;
    const isCut = length > columns && text.length >= left;
    const shown = isCut ? `${text.slice(0, left - 1)}…` : text;
    painted += isColored && style !== 'plain' && shown.trim() !== '' ? `${ESCAPES[style]}${shown}${RESET}` : shown;
    left -= shown.length;
  }
  return painted;
}

function withoutTrailingBlanks(line: readonly Span[]): readonly Span[] {
  const lastAt = line.findLastIndex(({ text }) => text.trimEnd() !== '');
  return line.slice(0, lastAt + 1).map((part, at) => (at === lastAt ? { ...part, text: part.text.trimEnd() } : part));
}

export interface Column {
  readonly title: string;
  readonly align: 'left' | 'right';
  /** When the table is too wide, columns with the highest number go first; 0 stays. */
  readonly sacrifice: number;
  /** The last column may be cut instead of going, down to `TEXT_COLUMNS_MIN`. Default false. */
  readonly isText?: boolean;
}

/** Less of a sentence than this is not worth its place. */
const TEXT_COLUMNS_MIN = 20;

/** Returns the heading and the rows, each column as wide as its widest cell; two spaces in between, two in front. */
export function table(
  columns: readonly Column[],
  rows: readonly (readonly Span[])[],
  columnsMax: number,
): readonly (readonly Span[])[] {
  const titles = columns.map(({ title }) => span(title, 'dim'));
  const widths = columns.map((_, at) => Math.max(...[titles, ...rows].map((row) => row[at]?.text.length ?? 0)));
  const kept = new Set(columns.keys());
  const least = (at: number): number =>
    columns[at]?.isText === true ? Math.min(TEXT_COLUMNS_MIN, widths[at] ?? 0) : (widths[at] ?? 0);
  const needed = (): number => [...kept].reduce((sum, at) => sum + least(at) + 2, 0);
  const bySacrifice = [...columns.entries()].sort(([, a], [, b]) => b.sacrifice - a.sacrifice);
  for (const [at, { sacrifice }] of bySacrifice) if (sacrifice > 0 && needed() > columnsMax) kept.delete(at);
  const last = Math.max(...kept);
  return [titles, ...rows].map((row) =>
    [...kept].map((at) => {
      const { text, style } = row[at] ?? span('');
      const gap = ' '.repeat(Math.max(0, (widths[at] ?? 0) - text.length));
      if (columns[at]?.align === 'right') return { text: `  ${gap}${text}`, style };
      // Nothing follows the last one: blanks behind it would only be cut off again.
      return { text: at === last ? `  ${text}` : `  ${text}${gap}`, style };
    }),
  );
}

/** Returns quote money with its sign: four decimals below 100, two above, thousands apart. Rounds half away from zero. */
export function formatMoney(micro: bigint): string {
  const sign = micro < 0n ? '-' : micro > 0n ? '+' : '';
  const absolute = micro < 0n ? -micro : micro;
  return `${sign}${formatAmount(absolute)}`;
}

/** The same for what has no sign: balances, notionals. */
export function formatAmount(micro: bigint): string {
  if (micro < 0n) return `-${formatAmount(-micro)}`;
  const decimals = micro < 100_000_000n ? 4 : 2;
  const unit = decimals === 4 ? 100n : 10_000n;
  const rounded = (micro + unit / 2n) / unit;
  const scale = 10n ** BigInt(decimals);
  return `${formatCount(rounded / scale)}.${String(rounded % scale).padStart(decimals, '0')}`;
}

/** Returns a whole number with its thousands apart. */
export function formatCount(count: number | bigint): string {
  return String(count).replace(/\B(?=(\d{3})+$)/g, ',');
}

/** Returns two units at most, for example `3 h 12 m`. */
export function formatAge(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1_000));
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} m ${String(seconds % 60).padStart(2, '0')} s`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return `${hours} h ${String(minutes % 60).padStart(2, '0')} m`;
  return `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

export function moneyStyle(micro: bigint): Style {
  return micro > 0n ? 'green' : micro < 0n ? 'red' : 'dim';
}
