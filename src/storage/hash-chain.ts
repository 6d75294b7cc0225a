/** Turns rows into stored form and chains them by hash, so that a changed, missing or moved row shows. Pure, any thread. */
import { hash } from 'node:crypto';
import { RangeViolation } from '../money/range-violation.ts';
import { encodePayload } from './payload.ts';
import type { JournalRow, JournalRowType } from './rows.ts';

export const HASH_BYTES = 32;

/** What the first row is chained to. */
export const GENESIS_HASH: Uint8Array = new Uint8Array(HASH_BYTES);

/** A row as it is stored, before it has its sequence. */
export interface EncodedRow {
  readonly id: string;
  readonly type: JournalRowType;
  readonly atMs: number;
  readonly actor: string;
  readonly correlation: string;
  /** Null when the row names none. */
  readonly venueAtMs: number | null;
  /** Empty when the row names none. */
  readonly causation: string;
  /** Canonical text, see payload.ts. */
  readonly payload: string;
}

const ID_CHARACTERS_MAX = 512;
const PAYLOAD_CHARACTERS_MAX = 1024 * 1024;

/** Returns the stored form. Throws RangeViolation or PayloadRefused when the row breaks a rule of the journal. */
export function encodeRow(row: JournalRow): EncodedRow {
  for (const [name, text] of [
    ['row id', row.id],
    ['row actor', row.actor],
    ['row correlation', row.correlation],
    ['row causation', row.causation ?? ''],
  ] as const) {
    // A lone surrogate does not survive UTF-8: the row would read back differently from what was hashed.
    if (text.length > ID_CHARACTERS_MAX || !text.isWellFormed()) {
      throw new RangeViolation(name, `well-formed text of at most ${ID_CHARACTERS_MAX} characters`, text.slice(0, 80));
    }
  }
  if (row.id === '') throw new RangeViolation('row id', 'not empty', row.id);
  if (!Number.isFinite(row.atMs)) throw new RangeViolation('row time', 'a finite number of ms', row.atMs);
  const { venueAtMs = null, causation = '' } = row;
  if (venueAtMs !== null && !Number.isFinite(venueAtMs))
    throw new RangeViolation('venue time of a row', 'a finite number of ms', venueAtMs);
  const payload = encodePayload(row.payload);
  if (payload.length > PAYLOAD_CHARACTERS_MAX) {
    throw new RangeViolation(
      `payload of row ${row.id}`,
      `at most ${PAYLOAD_CHARACTERS_MAX} characters of text`,
      payload.length,
    );
  }
  return {
    id: row.id,
    type: row.type,
    atMs: row.atMs,
    actor: row.actor,
    correlation: row.correlation,
    venueAtMs,
    causation,
    payload,
  };
}

/**
 * Returns sha256(previous hash, row with its sequence): the hash of the row at `sequence`. Rows without venue time and causation, as
 * all were before those columns, keep the hash they had.
 */
export function chainHash(previous: Uint8Array, sequence: number, row: EncodedRow): Buffer {
  const origin = row.venueAtMs === null && row.causation === '' ? [] : [row.venueAtMs, row.causation];
  const canonical = JSON.stringify([
    sequence,
    row.id,
    row.type,
    row.atMs,
    row.actor,
    row.correlation,
    row.payload,
    ...origin,
  ]);
  // One block and one call: most of the cost of small hashes is in their making.
  const bytesMax = HASH_BYTES + canonical.length * UTF8_BYTES_MAX;
  const block = bytesMax <= scratch.length ? scratch : Buffer.allocUnsafeSlow(bytesMax);
  block.set(previous);
  const bytes = HASH_BYTES + block.write(canonical, HASH_BYTES);
  return hash('sha256', block.subarray(0, bytes), 'buffer');
}

/** Bytes of one UTF-16 code unit at most. */
const UTF8_BYTES_MAX = 3;
/** Room for an ordinary row; whatever is longer gets its own. */
const scratch = Buffer.allocUnsafeSlow(16 * 1024);
