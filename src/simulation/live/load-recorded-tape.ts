/** Reads recorded rows from CSV and CSV.GZ files into a market tape. Start-up only: it blocks while reading. Any thread. */
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import type { MarketTape } from '../market-tape.ts';
import { recordedTape } from '../recorded-tape.ts';
import type { RecordedVenue } from '../recorded-tape.ts';
import type { CandleRow, FundingRow, TapeFile } from '../tape-rows.ts';
import { TapeError, parseCandleRows, parseFundingRows } from '../tape-rows.ts';

export interface RecordedVenueFiles {
  readonly fundingFile: string;
  /** Venue column of the funding rows to play. */
  readonly series: string;
  /** Settles on this grid; absent: as recorded. */
  readonly intervalMs?: number;
  /** In order of preference. */
  readonly candlesFiles: readonly string[];
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
  const venues: Record<string, RecordedVenue> = {};
  for (const [venue, { fundingFile, series, intervalMs, candlesFiles }] of Object.entries(files.venues)) {
    venues[venue] = {
      funding: {
        rows: once(funding, fundingFile, parseFundingRows),
        series,
        ...(intervalMs === undefined ? {} : { intervalMs }),
      },
      candles: candlesFiles.map((name) => once(candles, name, parseCandleRows)),
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
