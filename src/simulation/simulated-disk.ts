/** A journal in memory that plays a disk: it outlives the engine's restarts and can fail, lose its tail or refuse. Single thread. */
import { GENESIS_HASH, chainHash } from '../storage/hash-chain.ts';
import type { EncodedRow } from '../storage/hash-chain.ts';
import type { AppendSummary, Journal } from '../storage/journal.ts';
import { RowConflict } from '../storage/journal-errors.ts';
import { decodePayload } from '../storage/payload.ts';
import { pageOfStored } from '../storage/row-page.ts';
import type { PlacedRow, ReadPage } from '../storage/row-page.ts';
import type { ForwardQuery, JournalRow, StoreQuery } from '../storage/rows.ts';
import { factDifference } from '../storage/same-fact.ts';
import { judgeEnd } from '../storage/verdict.ts';
import type { JournalVerdict } from '../storage/verdict.ts';

/** Same bound as the real journal. */
const READ_ROWS_MAX = 10_000;

interface StoredRow {
  readonly row: EncodedRow;
  readonly hash: Uint8Array;
}

/** The disk broke a promise on purpose. */
export class SimulatedDiskFailure extends Error {
  readonly code = 'simulated-disk-failure';
  constructor(detail: string) {
    super(detail);
    this.name = 'SimulatedDiskFailure';
  }
}

export class SimulatedDisk {
  readonly #rows: StoredRow[] = [];
  /** Places by id. */
  readonly #ids = new Map<string, number>();
  #failures = 0;
  /** Journals opened before the last crash write nowhere. */
  #life = 0;
  /** How far the journal went: like the real one's head record it outlasts what happens to the rows. */
  #headSequence = 0;

  /** Number of durable rows. */
  get length(): number {
    return this.#rows.length;
  }

  /** Durable rows after a sequence, oldest first; for checkers. */
  rowsAfter(sequence: number): readonly JournalRow[] {
    return this.#rows.slice(sequence).map(({ row }, index) => restored(row, sequence + index + 1));
  }

  /** The next `count` appends fail, and nothing of them is stored. */
  failNextAppends(count: number): void {
    this.#failures += count;
  }

  /** The process died: whatever an old journal still holds is lost, its handles are dead. */
  crash(): void {
    this.#life += 1;
  }

  /** Loses the newest rows, as a disk that lied about durability does. Returns how many were lost. */
  loseTail(count: number): number {
    const lost = this.#rows.splice(Math.max(0, this.#rows.length - count));
    for (const { row } of lost) this.#ids.delete(row.id);
    return lost.length;
  }

  /** What the next life finds; as with the real one, told once: that life starts by writing down what is lost. */
  takeVerdict(): JournalVerdict {
    const verdict = judgeEnd(this.#rows.length, { sequence: this.#headSequence, isLossUnrecorded: false });
    this.#headSequence = this.#rows.length;
    return verdict;
  }

  /** Opens a journal on what is durable; verifies its hash chain first, as the real one does. */
  open(): Journal {
    this.#verify();
    const life = this.#life;
    let isClosed = false;
    const use = (): void => {
      if (isClosed) throw new SimulatedDiskFailure('the journal is closed');
      if (life !== this.#life) throw new SimulatedDiskFailure('the process that opened this journal is dead');
    };
    return {
      append: (rows) => {
        use();
        return this.#append(rows);
      },
      read: (query) => {
        use();
        return this.#read(query, restored);
      },
      readPage: (query) => {
        use();
        return this.#readPage(query);
      },
      upkeep: use,
      close: () => {
        isClosed = true;
      },
    };
  }

  #append(rows: readonly EncodedRow[]): AppendSummary {
    if (this.#failures > 0) {
      this.#failures -= 1;
      throw new SimulatedDiskFailure('the write failed on purpose');
    }
    const repeatedAt = new Set<number>();
    const appended = new Map<string, EncodedRow>();
    rows.forEach((row, index) => {
      const place = this.#ids.get(row.id);
      const known = place === undefined ? appended.get(row.id) : this.#rows[place]?.row;
      if (known === undefined) {
        appended.set(row.id, row);
        return;
      }
      const difference = factDifference(known, row);
      if (difference !== undefined) throw new RowConflict(row.id, (place ?? this.#rows.length) + 1, difference);
      repeatedAt.add(index);
    });
    for (const row of appended.values()) {
      this.#ids.set(row.id, this.#rows.length);
      const previous = this.#rows[this.#rows.length - 1]?.hash ?? GENESIS_HASH;
      this.#rows.push({ row, hash: chainHash(previous, this.#rows.length + 1, row) });
    }
    this.#headSequence = Math.max(this.#headSequence, this.#rows.length);
    return { appended: rows.length - repeatedAt.size, repeatedAt };
  }

  #readPage(query: ForwardQuery): ReadPage {
    const placed = (row: EncodedRow, sequence: number): PlacedRow => [sequence, row];
    const rows = this.#read(query, placed);
    const [last] = rows.at(-1) ?? [0];
    const isFull = rows.length === query.limit;
    return {
      page: pageOfStored(rows),
      complete: !isFull || this.#read({ ...query, afterSequence: last, limit: 1 }, placed).length === 0,
    };
  }

  #read<Form>(query: StoreQuery, formOf: (row: EncodedRow, sequence: number) => Form): readonly Form[] {
    if (!Number.isSafeInteger(query.limit) || query.limit < 1 || query.limit > READ_ROWS_MAX) {
      throw new RangeError(`row limit of a query must be an integer from 1 to ${READ_ROWS_MAX}, was ${query.limit}`);
    }
    const found: Form[] = [];
    if (query.type === 'latest') {
      const before = Math.min(query.beforeSequence ?? Number.MAX_SAFE_INTEGER, this.#rows.length + 1);
      for (let index = before - 2; index >= 0 && found.length < query.limit; index--) {
        const row = this.#rows[index]?.row;
        if (row !== undefined && isWanted(row, query)) found.push(formOf(row, index + 1));
      }
      return found;
    }
    for (
      let index = Math.max(0, query.afterSequence);
      index < this.#rows.length && found.length < query.limit;
      index++
    ) {
      const row = this.#rows[index]?.row;
      if (row !== undefined && isWanted(row, query)) found.push(formOf(row, index + 1));
    }
    return found;
  }

  #verify(): void {
    let previous: Uint8Array = GENESIS_HASH;
    this.#rows.forEach(({ row, hash }, index) => {
      const expected = chainHash(previous, index + 1, row);
      if (Buffer.compare(expected, hash) !== 0)
        throw new SimulatedDiskFailure(`row ${index + 1} does not continue the hash chain`);
      previous = hash;
    });
  }
}

function isWanted(row: EncodedRow, query: StoreQuery): boolean {
  switch (query.type) {
    case 'all':
      return true;
    case 'by-correlation':
      return row.correlation === query.correlation;
    case 'by-actor':
      return row.actor === query.actor;
    case 'by-type':
      return row.type === query.rowType;
    case 'latest':
      return (
        (query.correlation === undefined || row.correlation === query.correlation) &&
        (query.rowType === undefined || row.type === query.rowType)
      );
  }
}

/** Read back from its text, so that nothing is shared with the writer. */
function restored(row: EncodedRow, sequence: number): JournalRow {
  const { venueAtMs, causation, payload, ...rest } = row;
  return {
    ...rest,
    ...(venueAtMs === null ? {} : { venueAtMs }),
    ...(causation === '' ? {} : { causation }),
    payload: decodePayload(payload),
    sequence,
  };
}
