/** How a connector tells others: market facts at once to subscribers, order facts only after the journal has them. */
import { refOf } from '../../src/runtime/actor.ts';
import type { JournalRow, JournalRowType } from '../../src/storage/rows.ts';
import { bestOffset } from '../../src/venues/clock-offset.ts';
import { positionRef } from '../addresses.ts';
import type { AppendDurable, MarketEvent, OrderEvent } from '../connector-messages.ts';
import type { JournalMessage } from '../journal-messages.ts';
import { instant } from './state.ts';
import type { ConnectorSelf, ConnectorState } from './state.ts';

/** An append without receipt is repeated after this; row ids make the repeat harmless. */
const APPEND_REPEAT_MS = 2_000;
/** More unacknowledged appends than this mean that the store is gone: order flow stops. */
export const APPENDS_MAX = 4_096;
/** Remembered fact ids; older ones are caught by the journal's own uniqueness. */
const PUBLISHED_MAX = 20_000;

/** Tells a market fact to every subscriber of its base (or of all). */
export function tellMarket(state: ConnectorState, self: ConnectorSelf, event: MarketEvent, base: string | undefined): void {
  for (const subscriber of state.args.subscribers) {
    if (base === undefined || subscriber.bases === undefined || subscriber.bases.includes(base)) {
      self.tell(refOf<MarketEvent>(subscriber.path), event);
    }
  }
  if (event.type === 'venue-status' || event.type === 'account-changed') {
    self.tell(refOf<MarketEvent>(state.args.observerPath), event);
  }
}

/** Journals an order fact and has the journal tell it to the symbol's position actor once it is durable. */
export function tellDurably(state: ConnectorState, self: ConnectorSelf, rowType: JournalRowType, rowId: string, event: OrderEvent): void {
  if (state.published.has(rowId)) {
    self.count('facts-repeated');
    return;
  }
  state.published.add(rowId);
  if (state.published.size > PUBLISHED_MAX) {
    for (const oldest of state.published) {
      state.published.delete(oldest);
      break;
    }
  }
  const base = state.baseBySymbol.get(event.symbol);
  if (base === undefined) {
    // An instrument this engine does not trade: nobody could act on it, and it is not ours to book.
    self.log('warn', 'foreign-instrument', { venue: state.args.venue, symbol: event.symbol, fact: event.type });
    return;
  }
  const row: JournalRow = { id: rowId, type: rowType, atMs: self.nowMs(), actor: self.path, correlation: base, payload: { event } };
  state.lastAppendId += 1;
  const appendId = state.lastAppendId;
  const receipt: AppendDurable = { type: 'append-durable', appendId };
  const message: Extract<JournalMessage, { type: 'append-rows' }> = {
    type: 'append-rows',
    rows: [row],
    whenDurable: [
      { to: positionRef(base), message: event },
      { to: self.ref, message: receipt },
    ],
    sender: self.ref,
    appendId,
  };
  state.appends.set(appendId, { message, sentAtMs: self.monotonicMs() });
  self.tell(refOf<JournalMessage>(state.args.journalPath), message);
}

/** Sends appends without receipt again. */
export function repeatAppends(state: ConnectorState, self: ConnectorSelf): void {
  const now = self.monotonicMs();
  for (const append of state.appends.values()) {
    if (now - append.sentAtMs < APPEND_REPEAT_MS) continue;
    append.sentAtMs = now;
    self.count('appends-repeated');
    self.tell(refOf<JournalMessage>(state.args.journalPath), append.message);
  }
}

/** Tells the venue's status when it changed, or always when `evenIfSame`. */
export function tellStatus(state: ConnectorState, self: ConnectorSelf, evenIfSame: boolean): void {
  const { monotonicMs } = instant(self);
  const offset = bestOffset(state.clock);
  const quarantined = monotonicMs - state.startedAtMs < state.args.startupQuarantineMs;
  const [status, reason] = describe(state);
  const limiter = state.orderLimiter ?? state.restLimiter;
  const event: Extract<MarketEvent, { type: 'venue-status' }> = {
    type: 'venue-status',
    venue: state.args.venue,
    account: state.args.account,
    status,
    reason,
    clockOffsetMs: Math.round(offset?.offsetMs ?? 0),
    clockErrorMs: Math.round(offset?.errorMs ?? 0),
    entriesAllowed: !quarantined && status === 'ready' && state.appends.size < APPENDS_MAX,
    openBudgetShare: Math.round(Math.min(limiter.freeShare(3, monotonicMs), state.restLimiter.freeShare(2, monotonicMs)) * 100) / 100,
  };
  const last = state.lastStatus;
  const changed =
    last === undefined || last.status !== event.status || last.reason !== event.reason || last.entriesAllowed !== event.entriesAllowed;
  if (!changed && !evenIfSame) return;
  if (last?.status !== event.status) self.log(status === 'ready' ? 'info' : 'warn', 'venue-status', { venue: event.venue, status, reason });
  state.lastStatus = event;
  tellMarket(state, self, event, undefined);
}

function describe(state: ConnectorState): readonly ['connecting' | 'reconciling' | 'ready' | 'down', string] {
  if (state.fatal !== undefined) return ['down', state.fatal];
  if (state.startupStep !== 'running') return ['connecting', `waiting for ${state.startupStep}`];
  if (!state.privateReady) return ['connecting', 'private stream not ready'];
  if (!state.reconciled) return ['reconciling', 'comparing with the venue'];
  if (state.adapter.usesNonces && state.nonce.status !== 'known') return ['reconciling', 'reading the next nonce'];
  return ['ready', ''];
}

/** Marks a book for telling; `lostReason` says that it is no longer trusted. */
export function markBook(state: ConnectorState, self: ConnectorSelf, symbol: string, lostReason: string | undefined): void {
  state.dirtyBooks.set(symbol, lostReason);
  const last = state.bookToldAtMs.get(symbol) ?? Number.NEGATIVE_INFINITY;
  const now = self.monotonicMs();
  if (lostReason !== undefined || now - last >= state.args.publishMs) {
    tellBook(state, self, symbol);
  } else if (state.bookTimer === undefined) {
    state.bookTimer = self.after(state.args.publishMs, { type: 'books-due' });
  }
}

/** Tells every marked book. */
export function tellBooks(state: ConnectorState, self: ConnectorSelf): void {
  state.bookTimer = undefined;
  for (const symbol of [...state.dirtyBooks.keys()]) tellBook(state, self, symbol);
}

function tellBook(state: ConnectorState, self: ConnectorSelf, symbol: string): void {
  const lostReason = state.dirtyBooks.get(symbol);
  state.dirtyBooks.delete(symbol);
  const base = state.baseBySymbol.get(symbol);
  if (base === undefined) return;
  const book = state.stream.book(symbol);
  state.bookToldAtMs.set(symbol, self.monotonicMs());
  const common = { type: 'book-changed', venue: state.args.venue, symbol, base } as const;
  if (book === undefined) tellMarket(state, self, { ...common, lostReason: lostReason ?? 'no-book' }, base);
  else tellMarket(state, self, { ...common, book }, base);
}
