/** Rows for tests of the journal. */
import { encodeRow } from '../../src/storage/hash-chain.ts';
import type { EncodedRow } from '../../src/storage/hash-chain.ts';
import type { JournalRow } from '../../src/storage/rows.ts';

export function row(id: string, fields: Partial<JournalRow> = {}): JournalRow {
  return {
    id,
    type: 'fill',
    atMs: 1_767_225_600_000,
    actor: 'connector/lighter:main',
    correlation: 'BTC-1',
    payload: { quantity: 12_345_678_901_234_567_890n, symbol: 'BTC' },
    ...fields,
  };
}

export function encoded(...ids: readonly string[]): readonly EncodedRow[] {
  return ids.map((id) => encodeRow(row(id)));
}
