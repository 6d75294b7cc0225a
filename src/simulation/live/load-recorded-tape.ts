/** Reads recorded rows from CSV and CSV.GZ files into a market tape. Start-up only: it blocks while reading. Any thread. */
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import type { MarketTape } from '../market-tape.ts';
import { recordedTape } from '../recorded-tape.ts';
import type { RecordedRows, RecordedVenue } from '../recorded-tape.ts';
import type { CandleRow, FundingRow, TapeFile } from '../tape-rows.ts';
import { TapeError, parseCandleRows, parseFundingRows } from '../tape-rows.ts';

/** Where the rows of a market come from. */
export interface RecordedSource {
  readonly fundingFile: string;
  /** Venue column of the funding rows to play; of a file without that column, whose rows they are. */
  readonly series: string;
  /** In order of preference. */
  readonly candlesFiles: readonly string[];
}

export interface RecordedVenueFiles extends RecordedSource {
  /** Settles on this grid; absent: as recorded. */
  readonly intervalMs?: number;
  /** Bases that play the rows of another source. */
  readonly except?: readonly (RecordedSource & { readonly bases: readonly string[] })[];
}

export interface RecordedTapeFiles {
  readonly venues: Readonly<Record<string, RecordedVenueFiles>>;
  readonly bases: readonly string[];
  readonly startAtMs: number;
  readonly endAtMs: number;
  readonly seed: number;
}

/** Throws TapeError for an unreadable file or a row that breaks the schema. Each file is read once. */
export function loadRecordedTape(files: RecordedTapeFiles): MarketTape {
  const funding = new Map<string, readonly FundingRow[]>();
  const candles = new Map<string, readonly CandleRow[]>();
  const rowsOf = ({ fundingFile, series, candlesFiles }: RecordedSource, intervalMs?: number): RecordedRows => ({
    funding: {
      rows: once(funding, fundingFile, parseFundingRows),
      series,
      ...(intervalMs === undefined ? {} : { intervalMs }),
    },
    candles: candlesFiles.map((name) => once(candles, name, parseCandleRows)),
  });
  const venues: Record<string, RecordedVenue> = {};
  for (const [name, venue] of Object.entries(files.venues)) {
    const { intervalMs, except = [] } = venue;
    venues[name] = {
      ...rowsOf(venue, intervalMs),
      except: except.map((other) => ({ bases: other.bases, ...rowsOf(other, intervalMs) })),
    };
  }
  return recordedTape({ ...files, venues });
}

function once<Row>(
  known: Map<string, readonly Row[]>,
  name: string,
  parse: (file: TapeFile) => readonly Row[],
): readonly Row[] {
  const rows = known.get(name) ?? parse({ name, text: readText(name) });
  known.set(name, rows);
  return rows;
}

function readText(name: string): string {
  try {
    const bytes = readFileSync(name);
    return (name.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8');
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new TapeError(`tape file ${name} must be readable CSV or CSV.GZ: ${reason}`);
  }
}
