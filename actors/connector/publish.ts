/** How a connector tells market and account facts: at once, to the subscribers concerned; the newest value is what counts. */
import { refOf } from '../../src/runtime/actor.ts';
import type { ConnectorCommand, MarketEvent } from '../connector-messages.ts';
import { recordBatch } from './meters.ts';
import type { BookTold, ConnectorSelf, ConnectorState } from './state.ts';

/** The account is told again this often while its private stream speaks: its age is how long nobody has heard of it. */
const ACCOUNT_TOLD_MS = 5_000;

/** Tells a market fact to every subscriber of its base (or of all). */
export function tellMarket(
  state: ConnectorState,
  self: ConnectorSelf,
  event: MarketEvent,
  base: string | undefined,
): void {
  for (const subscriber of state.args.subscribers) {
    if (base === undefined || subscriber.bases === undefined || subscriber.bases.includes(base)) {
      self.tell(refOf<MarketEvent>(subscriber.path), event);
    }
  }
  if (event.type === 'venue-status' || event.type === 'account-changed') {
    self.tell(refOf<MarketEvent>(state.args.observerPath), event);
  }
}

/** Returns when the account was last known to be as we think: heard on its stream, or read in a comparison. Monotonic ms. */
export function accountHeardAtMs(state: ConnectorState): number {
  let heardAtMs = Math.max(state.sweep.endedAtMs, state.lastAccount?.receivedAtMonotonicMs ?? 0);
  for (const [key, track] of state.sockets) {
    if (state.stream.isPrivate(key)) heardAtMs = Math.max(heardAtMs, track.lastHeardMs);
  }
  return heardAtMs;
}

export function tellAccount(
  state: ConnectorState,
  self: ConnectorSelf,
  account: Extract<MarketEvent, { type: 'account-changed' }>,
): void {
  state.lastAccount = account;
  state.accountToldAtMs = self.monotonicMs();
  tellMarket(state, self, account, undefined);
}

/** Tells the last known account again while nothing is in doubt. */
export function retellAccount(state: ConnectorState, self: ConnectorSelf): void {
  if (state.lastAccount === undefined || !state.privateReady || !state.reconciled) return;
  if (self.monotonicMs() - state.accountToldAtMs < ACCOUNT_TOLD_MS) return;
  tellAccount(state, self, { ...state.lastAccount, receivedAtMonotonicMs: accountHeardAtMs(state) });
}

/** Marks a book for telling; `lostReason` says that it is no longer trusted. */
export function markBook(
  state: ConnectorState,
  self: ConnectorSelf,
  symbol: string,
  lostReason: string | undefined,
): void {
  state.dirtyBooks.set(symbol, lostReason);
  const told = state.booksTold.get(symbol);
  // A loss and a new best price are news that decisions wait for; deeper levels may come a little later.
  if (
    lostReason !== undefined ||
    told === undefined ||
    self.monotonicMs() - told.atMs >= state.args.publishMs ||
    bestPriceMoved(state, symbol, told)
  ) {
    tellBook(state, self, symbol);
  } else {
    state.bookTimer ??= self.after(state.args.publishMs, { type: 'books-due' });
  }
}

function bestPriceMoved(state: ConnectorState, symbol: string, told: BookTold): boolean {
  const book = state.stream.book(symbol);
  return book !== undefined && (book.bids[0]?.[0] !== told.bidTicks || book.asks[0]?.[0] !== told.askTicks);
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
  recordBatch(state, self);
  const book = state.stream.book(symbol);
  state.booksTold.set(symbol, { atMs: self.monotonicMs(), bidTicks: book?.bids[0]?.[0], askTicks: book?.asks[0]?.[0] });
  const common = { type: 'book-changed', venue: state.args.venue, symbol, base } as const;
  if (book === undefined) tellMarket(state, self, { ...common, lostReason: lostReason ?? 'no-book' }, base);
  else tellMarket(state, self, { ...common, book }, base);
}

/** Everything a new incarnation of a subscriber needs to know, as ordinary events. */
export function resendState(
  state: ConnectorState,
  self: ConnectorSelf,
  command: Extract<ConnectorCommand, { type: 'resend-state' }>,
): void {
  const { venue, account } = state.args;
  const wanted = (base: string): boolean => command.bases.length === 0 || command.bases.includes(base);
  const tell = (event: MarketEvent | undefined): void => {
    if (event !== undefined) self.tell(command.to, event);
  };
  for (const [symbol, instrument] of state.instruments) {
    const { base } = instrument;
    if (!wanted(base)) continue;
    tell({ type: 'instrument-listed', venue, account, symbol, instrument });
    const book = state.stream.book(symbol);
    if (book !== undefined) tell({ type: 'book-changed', venue, symbol, base, book });
    tell(state.marks.get(symbol)?.message);
    tell(state.leverage.told.get(symbol));
  }
  for (const rate of state.fundingRates.values()) if (wanted(rate.base)) tell(rate);
  tell(state.lastAccount);
  tell(state.lastStatus);
}
