/** Reads recorded funding and candle rows from CSV text; a row that breaks the schema stops with its exact place. Any thread. */
import { canonicalUnderlying } from '../market/instrument-match.ts';

const HOUR_MS = 3_600_000;
const NUMBER = /^-?\d+(\.\d+)?(e[+-]?\d+)?$/i;
const FUNDING_HEADER = 'venue,base,venue_symbol,settle_ms,rate,interval_h,mark_price,premium,source';
const CANDLE_HEADER = 'base,venue_symbol,open_ms,open,high,low,close,volume,source';
/** Files of one venue whose symbols are its markets, hourly. */
const FUNDING_HEADER_OF_ONE_VENUE = 'base,settle_ms,rate';
const CANDLE_HEADER_OF_ONE_VENUE = 'base,open_ms,open,high,low,close,volume';
const INTERVAL_HOURS: readonly string[] = ['', '1', '2', '4', '8'];

/** One file of rows: its name is only for messages. */
export interface TapeFile {
  readonly name: string;
  readonly text: string;
}

/** A settled rate: fraction per its interval in 1e-12, at the settlement instant rounded to the hour. */
export interface FundingRow {
  /** Absent where the file has no such column: then all of it is one venue's. */
  readonly venue: string | undefined;
  /** Canonical: rows of kPEPE are of PEPE. */
  readonly base: string;
  /** The venue's own market: one base may have several, for example BTCUSDT and BTCUSDC. */
  readonly venueSymbol: string;
  readonly settleAtMs: number;
  readonly ratePico: number;
  /** Gap to the row before, when the recording states it: 1, 2, 4 or 8 hours. */
  readonly intervalHours: number | undefined;
}

/** One hour of prices per unit of the canonical base, `volume` in such units: of a contract of a thousand, a thousandth. */
export interface CandleRow {
  readonly base: string;
  readonly openAtMs: number;
  readonly open: number;
  readonly high: number;
  readonly low: number;
  readonly close: number;
  readonly volume: number;
}

/** Recorded data that must not be played: names file, line, column, rule and value. Needs a person. */
export class TapeError extends Error {
  readonly code = 'TAPE_INVALID';
  constructor(message: string) {
    super(message);
    this.name = 'TapeError';
  }
}

/** Returns all rows of a funding file. Rows of one venue's market are ascending in time, without two for one instant. */
export function parseFundingRows(file: TapeFile): FundingRow[] {
  const lastAtMs = new Map<string, number>();
  return parseRows(file, [FUNDING_HEADER, FUNDING_HEADER_OF_ONE_VENUE], (cell) => {
    const venue = cell.has('venue') ? cell.text('venue') : undefined;
    const name = cell.text('base');
    const venueSymbol = cell.has('venue_symbol') ? cell.text('venue_symbol') : name;
    const settleAtMs = Math.round(cell.integer('settle_ms') / HOUR_MS) * HOUR_MS;
    const market = venue === undefined ? venueSymbol : `${venue} ${venueSymbol}`;
    cell.requireLater('settle_ms', lastAtMs, market, settleAtMs);
    const interval = cell.has('interval_h') ? cell.oneOf('interval_h', INTERVAL_HOURS) : '1';
    cell.optionalNumber('mark_price');
    cell.optionalNumber('premium');
    return {
      venue,
      base: canonicalUnderlying(name).base,
      venueSymbol,
      settleAtMs,
      // Recorded doubles carry noise in their last digits; 1e-12 is finer than any venue states.
      ratePico: Math.round(cell.within('rate', -1, 1) * 1e12) || 0,
      intervalHours: interval === '' ? undefined : Number(interval),
    };
  });
}

/** Returns all rows of an hourly candle file. Rows of one base are ascending in time, each opening on a whole hour. */
export function parseCandleRows(file: TapeFile): CandleRow[] {
  const lastAtMs = new Map<string, number>();
  return parseRows(file, [CANDLE_HEADER, CANDLE_HEADER_OF_ONE_VENUE], (cell) => {
    const { base, multiplier } = canonicalUnderlying(cell.text('base'));
    const openAtMs = cell.integer('open_ms');
    if (openAtMs % HOUR_MS !== 0) cell.fail('open_ms', 'a whole hour (candles are hourly)');
    cell.requireLater('open_ms', lastAtMs, base, openAtMs);
    const open = cell.positive('open');
    const close = cell.positive('close');
    const high = cell.positive('high');
    const low = cell.positive('low');
    if (high < Math.max(open, close)) cell.fail('high', 'at least open and close');
    if (low > Math.min(open, close)) cell.fail('low', 'at most open and close');
    const volume = cell.within('volume', 0, Number.MAX_VALUE);
    if (multiplier === 1) return { base, openAtMs, open, high, low, close, volume };
    const [perUnit, units] = [(price: number) => price / multiplier, volume * multiplier];
    return {
      base,
      openAtMs,
      open: perUnit(open),
      high: perUnit(high),
      low: perUnit(low),
      close: perUnit(close),
      volume: units,
    };
  });
}

/** Reads cells of the current line by column name and fails with the place. */
class CellReader {
  readonly #fileName: string;
  readonly #columns: ReadonlyMap<string, number>;
  #line = 1;
  #cells: readonly string[] = [];

  constructor(fileName: string, columns: readonly string[]) {
    this.#fileName = fileName;
    this.#columns = new Map(columns.map((column, index) => [column, index]));
  }

  read(line: number, cells: readonly string[]): void {
    this.#line = line;
    this.#cells = cells;
    if (cells.length !== this.#columns.size) {
      throw new TapeError(
        `${this.#fileName} line ${line} must have ${this.#columns.size} columns, had ${cells.length}`,
      );
    }
  }

  fail(column: string, rule: string): never {
    const value = this.#value(column).slice(0, 60);
    throw new TapeError(`${this.#fileName} line ${this.#line} column ${column} must be ${rule}, was "${value}"`);
  }

  has(column: string): boolean {
    return this.#columns.has(column);
  }

  text(column: string): string {
    const value = this.#value(column);
    return value === '' ? this.fail(column, 'a name') : value;
  }

  oneOf(column: string, allowed: readonly string[]): string {
    const value = this.#value(column);
    return allowed.includes(value) ? value : this.fail(column, `one of ${allowed.filter(Boolean).join(', ')} or empty`);
  }

  integer(column: string): number {
    const value = this.#value(column);
    const number = /^\d{1,15}$/.test(value) ? Number(value) : 0;
    return number > 0 ? number : this.fail(column, 'a positive whole number of ms');
  }

  within(column: string, min: number, max: number): number {
    const value = this.#value(column);
    const number = NUMBER.test(value) ? Number(value) : NaN;
    if (number >= min && number <= max) return number;
    return this.fail(column, max === Number.MAX_VALUE ? 'a number of at least 0' : `a number from ${min} to ${max}`);
  }

  positive(column: string): number {
    const number = this.within(column, 0, Number.MAX_VALUE);
    return number > 0 ? number : this.fail(column, 'a number above 0');
  }

  optionalNumber(column: string): void {
    if (this.#value(column) !== '') this.within(column, -Number.MAX_VALUE, Number.MAX_VALUE);
  }

  requireLater(column: string, lastAtMs: Map<string, number>, series: string, atMs: number): void {
    const last = lastAtMs.get(series);
    if (last !== undefined && atMs <= last) {
      this.fail(
        column,
        `later than the row of ${series} before it (${last}, rounded to the hour; sorted, no duplicates)`,
      );
    }
    lastAtMs.set(series, atMs);
  }

  #value(column: string): string {
    return this.#cells[this.#columns.get(column) ?? -1] ?? '';
  }
}

function parseRows<Row>(file: TapeFile, headers: readonly string[], rowOf: (cell: CellReader) => Row): Row[] {
  const lines = file.text.split('\n');
  const found = (lines[0] ?? '').replace(/\r$/, '');
  if (!headers.includes(found)) {
    const allowed = headers.map((header) => `"${header}"`).join(' or ');
    throw new TapeError(`${file.name} line 1 must be the header ${allowed}, was "${found.slice(0, 120)}"`);
  }
  const cell = new CellReader(file.name, found.split(','));
  const rows: Row[] = [];
  for (let index = 1; index < lines.length; index++) {
    const line = (lines[index] ?? '').replace(/\r$/, '');
    if (line === '' && index === lines.length - 1) break;
    cell.read(index + 1, line.split(','));
    rows.push(rowOf(cell));
  }
  return rows;
}
