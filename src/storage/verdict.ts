/** Compares where the rows end with where the journal is known to have been. Pure, any thread. */
import type { HeadRecord } from './head-record.ts';

/** What an opening found. `tail-lost`: the rows are whole up to their end, but that is not where the journal went. */
export type JournalVerdict =
  | { readonly type: 'ok'; readonly rows: number }
  | {
      readonly type: 'tail-lost';
      readonly rows: number;
      /** Sequence the journal had reached; undefined when the head record does not tell. */
      readonly expectedSequence: number | undefined;
      readonly detail: string;
    };

/** Boots skipped when rows are missing: those of lives whose rows are lost must not come again. */
export const TAIL_LOSS_BOOT_JUMP = 1_024;

/** Returns the number of the life that starts now, after the highest one known. */
export function nextBoot(highest: number, verdict: JournalVerdict): number {
  return highest + 1 + (verdict.type === 'tail-lost' ? TAIL_LOSS_BOOT_JUMP : 0);
}

/** Judges a chain that is whole and has `rows` rows. Without a head record the worst is assumed. */
export function judgeEnd(
  rows: number,
  head: Pick<HeadRecord, 'sequence' | 'isLossUnrecorded'> | undefined,
): JournalVerdict {
  if (head === undefined) {
    if (rows === 0) return { type: 'ok', rows };
    const detail = `journal.head is missing or unreadable: whether rows after ${rows} are lost is unknown`;
    return { type: 'tail-lost', rows, expectedSequence: undefined, detail };
  }
  if (head.isLossUnrecorded) {
    const detail = `rows after ${head.sequence} were lost, found by a start that ended before it could record it`;
    return { type: 'tail-lost', rows, expectedSequence: undefined, detail };
  }
  if (head.sequence <= rows) return { type: 'ok', rows };
  const detail = `rows ${rows + 1} to ${head.sequence} are lost: journal.head has seen row ${head.sequence}`;
  return { type: 'tail-lost', rows, expectedSequence: head.sequence, detail };
}
