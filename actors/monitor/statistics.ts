/** Writes what became of each closed pair into the journal, once per state of knowledge: late payments make another row. */
import { refOf } from '../../src/runtime/actor.ts';
import { statisticsId, statisticsOf } from '../../src/execution/pair-statistics.ts';
import type { PairStatistics } from '../../src/execution/pair-statistics.ts';
import type { JournalRow } from '../../src/storage/rows.ts';
import type { JournalMessage } from '../journal-messages.ts';
import type { MonitorMessage } from '../monitor-messages.ts';
import type { MonitorSelf, MonitorState, SymbolBooks } from './state.ts';

/** Shown by inspection; all are in the journal. */
const SHOWN_MAX = 10;
const IDS_MAX = 10_000;
const APPENDS_MAX = 64;
const APPEND_REPEAT_MS = 2_000;

/** A row of an earlier look at a pair. */
export function statisticsRead(state: MonitorState, row: JournalRow): void {
  remember(state, row.id);
  const statistics = row.payload['statistics'] as PairStatistics | undefined;
  if (statistics !== undefined) show(state, statistics);
}

/** Writes the statistics of these pairs, as far as they are closed and not written as they are. */
export function writeStatistics(
  state: MonitorState,
  self: MonitorSelf,
  books: SymbolBooks,
  pairIds: Iterable<string>,
): void {
  for (const pairId of pairIds) {
    const id = statisticsId(books.statistics, pairId);
    if (id === undefined || state.statisticsIds.has(id) || state.appends.size >= APPENDS_MAX) continue;
    const statistics = statisticsOf(books.statistics, books.ledger, pairId);
    if (statistics === undefined || statistics.fills === 0) continue;
    remember(state, id);
    show(state, statistics);
    append(state, self, id, statistics);
  }
}

export function repeatAppends(state: MonitorState, self: MonitorSelf): void {
  const now = self.monotonicMs();
  for (const pending of state.appends.values()) {
    if (now - pending.sentAtMs < APPEND_REPEAT_MS) continue;
    pending.sentAtMs = now;
    self.count('appends-repeated');
    self.tell(refOf<JournalMessage>(state.args.journalPath), pending.message);
  }
}

function append(state: MonitorState, self: MonitorSelf, id: string, statistics: PairStatistics): void {
  state.lastAppendId += 1;
  const appendId = state.lastAppendId;
  const row: JournalRow = {
    id,
    type: 'pair-statistics',
    atMs: self.nowMs(),
    actor: self.path,
    // Not the symbol: position actors read their symbol's rows, and these are no facts of theirs.
    correlation: statistics.pairId,
    payload: { statistics },
  };
  const receipt: MonitorMessage = { type: 'statistics-durable', appendId };
  const message: Extract<JournalMessage, { type: 'append-rows' }> = {
    type: 'append-rows',
    rows: [row],
    whenDurable: [{ to: self.ref, message: receipt }],
    sender: self.ref,
    appendId,
  };
  state.appends.set(appendId, { message, sentAtMs: self.monotonicMs() });
  self.tell(refOf<JournalMessage>(state.args.journalPath), message);
}

function remember(state: MonitorState, id: string): void {
  state.statisticsIds.add(id);
  if (state.statisticsIds.size <= IDS_MAX) return;
  const oldest = state.statisticsIds.values().next();
  if (oldest.done !== true) state.statisticsIds.delete(oldest.value);
}

function show(state: MonitorState, statistics: PairStatistics): void {
  state.closedPairs.delete(statistics.pairId);
  state.closedPairs.set(statistics.pairId, statistics);
  if (state.closedPairs.size <= SHOWN_MAX) return;
  const oldest = state.closedPairs.keys().next();
  if (oldest.done !== true) state.closedPairs.delete(oldest.value);
}
