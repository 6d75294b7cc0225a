/**
 * The invariant monitor: reads the journal behind everybody else and checks that the books add up, continuously. A broken identity is
 * named with its numbers, counted, shown, and takes the engine down (K2). It corrects nothing and nobody waits for it. Store thread.
 */
import { refOf, unreachable } from '../src/runtime/actor.ts';
import type { ActorKind } from '../src/runtime/actor.ts';
import {
  fundingBreaches,
  legBreaches,
  pairBreaches,
  stateBreaches,
  symbolBreaches,
} from '../src/execution/identities.ts';
import { connectorEventDelivery } from './connector-messages.ts';
import { journalReplyDelivery } from './journal-messages.ts';
import { monitorDelivery } from './monitor-messages.ts';
import type { IdentitiesChecked, MonitorMessage } from './monitor-messages.ts';
import { liveBreaches, venueBreaches, viewBreaches } from './monitor/live.ts';
import { judged, reportOf, tellGuard, tellPast } from './monitor/report.ts';
import { askForRows, takeRows } from './monitor/rows.ts';
import { booksOf, newMonitorState } from './monitor/state.ts';
import type { MonitorArgs, MonitorSelf, MonitorState, SymbolBooks } from './monitor/state.ts';
import { repeatAppends, writeStatistics } from './monitor/statistics.ts';
import { restartWallet, walletBreaches, walletTold } from './monitor/wallet.ts';
import { positionDelivery } from './position-messages.ts';

export type { MonitorArgs } from './monitor/state.ts';

const TICK_MS = 250;
/** Pause between pages while the past is read: the journal's thread has better things to do. */
const CATCH_UP_MS = 5;
const TELL_MS = 1_000;

export const monitor: ActorKind<MonitorArgs, MonitorState, MonitorMessage> = {
  kind: 'monitor',
  delivery: {
    'monitor-tick': monitorDelivery['monitor-tick'],
    'statistics-durable': monitorDelivery['statistics-durable'],
    'account-changed': connectorEventDelivery['account-changed'],
    'pair-changed': positionDelivery['pair-changed'],
    ...journalReplyDelivery,
  },

  start(args, self) {
    const state = newMonitorState(args);
    askForRows(state, self);
    self.after(TICK_MS, { type: 'monitor-tick' });
    return state;
  },

  receive(state, message, self) {
    switch (message.type) {
      case 'monitor-tick':
        tick(state, self);
        return state;
      case 'rows-read':
        if (takeRows(state, self, message)) rowsTaken(state, self, message.complete);
        return state;
      case 'pair-changed':
        booksOf(state, message.base).picture = message;
        judgeLive(state, self, booksOf(state, message.base));
        return state;
      case 'account-changed':
        walletTold(state, message);
        judgeWallets(state, self);
        return state;
      case 'statistics-durable':
        state.appends.delete(message.appendId);
        return state;
      case 'append-failed':
        // Kept and repeated; one that contradicts what is stored never will be.
        if (message.code === 'row-conflict') state.appends.delete(message.appendId);
        return state;
      default:
        return unreachable(message);
    }
  },

  digest: reportOf,
};

function tick(state: MonitorState, self: MonitorSelf): void {
  self.after(state.isCaughtUp ? TICK_MS : CATCH_UP_MS, { type: 'monitor-tick' });
  askForRows(state, self);
  repeatAppends(state, self);
  tellGuard(state, self);
  for (const books of state.symbols.values()) judgeLive(state, self, books);
  judgeWallets(state, self);
  if (self.monotonicMs() - state.toldAtMs < TELL_MS) return;
  state.toldAtMs = self.monotonicMs();
  self.tell(refOf<IdentitiesChecked>(state.args.observerPath), reportOf(state));
}

function rowsTaken(state: MonitorState, self: MonitorSelf, isComplete: boolean): void {
  if (!isComplete && !state.isCaughtUp) return;
  if (!isComplete) askForRows(state, self);
  const wasCaughtUp = state.isCaughtUp;
  state.isCaughtUp = true;
  if (!wasCaughtUp) {
    self.log('info', 'books-read', { rows: state.sequence });
    tellPast(state, self);
  }
  for (const books of state.symbols.values()) judgeRows(state, self, books);
  judgeWallets(state, self);
}

/** What the rows alone decide, of everything they touched since the last look. */
function judgeRows(state: MonitorState, self: MonitorSelf, books: SymbolBooks): void {
  const { base, ledger, tally, touchedLegs, touchedPairs } = books;
  if (touchedLegs.size === 0 && touchedPairs.size === 0) return;
  for (const subject of touchedLegs) {
    const book = ledger.books.get(subject);
    if (book !== undefined) judged(state, self, `leg ${subject}`, legBreaches(ledger, tally, book.key), 0);
  }
  for (const pairId of touchedPairs) {
    const pair = tally.pairs.get(pairId);
    if (pair !== undefined) judged(state, self, `pair ${pairId}`, pairBreaches(ledger, tally, pair), 0);
  }
  judged(state, self, `symbol ${base}`, symbolBreaches(ledger, tally, base), 0);
  judged(state, self, `funding ${base}`, fundingBreaches(tally, base, books.expectations), 0);
  writeStatistics(state, self, books, touchedPairs);
  touchedLegs.clear();
  touchedPairs.clear();
}

/** What needs the newest picture. One that still reads its own journal has nothing to compare. */
function judgeLive(state: MonitorState, self: MonitorSelf, books: SymbolBooks): void {
  const { base, picture } = books;
  if (!state.isCaughtUp) return;
  const { liveMs, venueMs, statesMs } = state.patience;
  judged(state, self, `states ${base}`, stateBreaches(books.ledger, books.tally, base), statesMs);
  if (picture === undefined || picture.phase === 'RECOVERING') return;
  judged(state, self, `live ${base}`, liveBreaches(books, picture), liveMs);
  judged(state, self, `venue ${base}`, venueBreaches(books, picture), venueMs);
  judged(state, self, `views ${base}`, viewBreaches(picture), 0);
}

function judgeWallets(state: MonitorState, self: MonitorSelf): void {
  if (!state.isCaughtUp) return;
  for (const [key, wallet] of state.wallets) {
    judged(state, self, `wallet ${key}`, walletBreaches(state, self, wallet), state.patience.walletMs);
    const entries = state.watched.get(`wallet ${key}`);
    if (entries !== undefined && [...entries.values()].some(({ toldAtMs }) => toldAtMs !== undefined))
      restartWallet(state, wallet);
  }
}
