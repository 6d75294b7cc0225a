/** Reads pairs out of the journal of a data directory, for commands that need no engine. Main thread only. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { JournalRowType } from '../storage/rows.ts';
import { CommandFailure } from './command-failure.ts';

const PAGE_ROWS = 500;

/** Output that is no terminal is as wide as its widest line. */
export const COLUMNS_UNBOUNDED = 10_000;

/** Throws CommandFailure where there is no journal. */
export function requireJournal(dataDir: string): void {
  const file = join(dataDir, 'journal.db');
  if (!existsSync(file)) throw new CommandFailure(`there must be a journal in ${file}, there is none`);
}

/** The newest row of each pair, oldest pair first; a second reading takes only what came since. */
export class NewestOfPairs<Pair extends { readonly pairId: string }> {
  readonly #dataDir: string;
  readonly #rowType: JournalRowType;
  readonly #field: string;
  readonly #pairs = new Map<string, Pair>();
  #afterSequence = 0;

  /** @param field the member of the payload that is the pair */
  constructor(dataDir: string, rowType: JournalRowType, field: string) {
    this.#dataDir = dataDir;
    this.#rowType = rowType;
    this.#field = field;
  }

  async read(): Promise<readonly Pair[]> {
    const { readJournal } = await import('../storage/live/journal-inspection.ts');
    const rows = readJournal(this.#dataDir, (afterSequence) => ({
      type: 'by-type',
      rowType: this.#rowType,
      afterSequence: Math.max(afterSequence, this.#afterSequence),
      limit: PAGE_ROWS,
    }));
    for (const row of rows) {
      this.#afterSequence = row.sequence ?? this.#afterSequence;
      // These rows have one writer each, in exactly this shape.
      const pair = row.payload[this.#field] as Pair | undefined;
      if (pair !== undefined) this.#pairs.set(pair.pairId, pair);
    }
    return [...this.#pairs.values()];
  }
}

export function bigintAsText(_: string, value: unknown): unknown {
  return typeof value === 'bigint' ? String(value) : value;
}
