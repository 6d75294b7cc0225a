/**
 * A position's start and nothing else: it reads its symbol's rows page by page and folds them. Lives on the trading thread, as the
 * positions do, beside a reader for each other symbol.
 */
import { refOf, unreachable, type ActorKind, type ActorRef, type Self } from '../../src/runtime/actor.ts';
import { replyTo, type Asked } from '../../src/runtime/ask.ts';
import { beginHistory, endHistory, foldHistoryRow, type HistoryFold } from '../../src/execution/history-fold.ts';
import { rowsOfPage } from '../../src/storage/row-page.ts';
import {
  journalReplyDelivery,
  type AppendFailed,
  type JournalMessage,
  type RowsRead,
} from '../../actors/journal-messages.ts';

export interface ReaderArgs {
  readonly base: string;
  readonly journal: ActorRef<JournalMessage>;
}

export type ReaderMessage =
  | { readonly type: 'begin' }
  /** Asked by main: answered with a ReaderReport, or null as long as pages are missing. */
  | ({ readonly type: 'report-replay' } & Asked)
  | AppendFailed
  | RowsRead;

/** Times on the system's clock, ms. */
export interface ReaderReport {
  readonly pairs: number;
  readonly begunAtMs: number;
  readonly endedAtMs: number;
  /** How much of the time between the two this reader was computing. */
  readonly foldMs: number;
}

interface ReaderState {
  readonly args: ReaderArgs;
  readonly fold: HistoryFold;
  begunAtMs: number;
  sequence: number;
  foldMs: number;
  report: ReaderReport | null;
}

type ReaderSelf = Self<ReaderMessage>;

const ROWS_PER_READ = 5_000;

export const reader: ActorKind<ReaderArgs, ReaderState, ReaderMessage> = {
  kind: 'bench-reader',
  delivery: {
    begin: { class: 'must-deliver', priority: 'normal' },
    'report-replay': { class: 'must-deliver', priority: 'normal' },
    ...journalReplyDelivery,
  },

  start: (args) => ({ args, fold: beginHistory(), begunAtMs: 0, sequence: 0, foldMs: 0, report: null }),

  receive(state, message, self) {
    switch (message.type) {
      case 'begin':
        state.begunAtMs = self.monotonicMs();
        askPage(state, self);
        return state;
      case 'rows-read':
        takePage(state, message, self);
        return state;
      case 'report-replay':
        replyTo(self, message, state.report);
        return state;
      case 'append-failed':
        throw new Error('a reader appends nothing');
      default:
        return unreachable(message);
    }
  },
};

function askPage({ args, sequence }: ReaderState, self: ReaderSelf): void {
  self.tell(refOf<JournalMessage>(args.journal.path), {
    type: 'read-rows',
    query: { type: 'by-correlation', correlation: args.base, afterSequence: sequence, limit: ROWS_PER_READ },
    replyTo: self.ref,
    readId: 1,
  });
}

function takePage(state: ReaderState, { page, complete }: RowsRead, self: ReaderSelf): void {
  const startedMs = performance.now();
  const rows = rowsOfPage(page);
  state.sequence = rows.at(-1)?.sequence ?? state.sequence;
  if (!complete) askPage(state, self);
  for (const row of rows) foldHistoryRow(state.fold, row, (atMs) => atMs);
  const pairs = complete ? endHistory(state.fold).book.ledger.closed.pairs : 0;
  state.foldMs += performance.now() - startedMs;
  if (!complete) return;
  const { begunAtMs, foldMs } = state;
  state.report = { pairs, begunAtMs, endedAtMs: self.monotonicMs(), foldMs };
}
