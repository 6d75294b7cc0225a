/**
 * Leverage at the venue: read for every symbol, set where it is not what the configuration asks for, and read again. Nothing but a
 * reading counts. Setting is idempotent, so an answer that never came costs no more than another reading. Connector thread.
 */
import assert from 'node:assert/strict';
import { symbolLeverage } from '../../src/strategy/liquidation.ts';
import type { Instrument } from '../../src/market/instrument.ts';
import type { VenueEvent } from '../../src/venues/venue.ts';
import { workingOrders } from './orders.ts';
import { tellMarket } from './publish.ts';
import { isDue, readAgain, retryPauseMs } from './requests.ts';
import { instant } from './state.ts';
import type { ConnectorSelf, ConnectorState } from './state.ts';
import { enqueue } from './submissions.ts';

/** Everything is read again this often at most, ms. */
const REREAD_MS = 600_000;
/** Between an answer to setting and the reading that proves it, ms. */
const SETTLES_MS = 250;
const MINUTE_MS = 60_000;
/** Of the changes a venue allows in a minute: those of an earlier life of this engine count there too. */
const CHANGES_SHARE = 0.5;

/**
 * Of what may be used by choice: reading stops short of it. Where a question weighs much and each symbol has its own, as many as there
 * are symbols would keep openings waiting for minutes.
 */
const READING_SHARE = 0.7;
/** A socket that brings nothing for so long leaves it to a question, monotonic ms. */
const HEARD_WITHIN_MS = 15_000;
/** Of the whole limit, on average: reading everything again may cost no more. */
const REREAD_SHARE = 0.05;

/** Reads what is in doubt and sets what is wrong. Called every tick once the account was compared. */
export function advanceLeverage(state: ConnectorState, self: ConnectorSelf): void {
  const { args, leverage } = state;
  if (args.leverage === undefined || !state.reconciled) return;
  if (state.adapter.assumeLeverage !== undefined) {
    for (const symbol of state.symbols) assumeLeverage(state, self, symbol);
    return;
  }
  const now = self.monotonicMs();
  if (now - leverage.allReadAtMs >= rereadMs(state, self)) {
    leverage.allReadAtMs = now;
    for (const symbol of state.symbols) leverage.doubtful.add(symbol);
  }
  for (const symbol of state.symbols) if (!leverage.told.has(symbol)) leverage.doubtful.add(symbol);
  for (const symbol of [...leverage.postponed].slice(0, changesLeft(state, now))) {
    leverage.postponed.delete(symbol);
    leverage.doubtful.add(symbol);
  }
  if (leverage.doubtful.size === 0 || !isDue(leverage.reading, now)) return;
  // What is being set is read once that has ended.
  const readable = [...leverage.doubtful].filter((symbol) => !isBeingSet(state, symbol));
  const asked = affordable(state, self, unheard(state, readable, now));
  if (asked.length === 0) return;
  for (const symbol of asked) leverage.listening.delete(symbol);
  leverage.askedAtMs = now;
  const questions = state.adapter.leverageOf(asked, instant(self));
  // Not as openings: their share is theirs. What reading may cost is settled already.
  readAgain(state, self, leverage.reading, SETTLES_MS, questions, { priority: 2 }, (ok) => {
    if (!ok) return;
    for (const symbol of asked) {
      leverage.doubtful.delete(symbol);
      // A venue that names none has a default that nobody knows.
      if (!leverage.told.has(symbol)) leverageRead(state, self, { type: 'leverage', symbol, leverage: 0 });
      setIfWrong(state, self, symbol);
    }
  });
}

/** Has a socket bring what it can, and returns what has to be asked for: where questions weigh much, all would take an hour. */
function unheard(state: ConnectorState, symbols: readonly string[], nowMs: number): readonly string[] {
  const { stream } = state;
  const { listening, doubtful } = state.leverage;
  for (const symbol of listening.keys()) if (!doubtful.has(symbol)) listening.delete(symbol);
  if (stream.askLeverage === undefined) return symbols;
  const heard = stream.askLeverage(symbols.filter((symbol) => !listening.has(symbol)));
  if (heard === undefined) return symbols;
  for (const symbol of heard) listening.set(symbol, nowMs);
  return symbols.filter((symbol) => nowMs - (listening.get(symbol) ?? nowMs) >= HEARD_WITHIN_MS);
}

/** The socket said what is in force, as it was asked to. */
export function leverageHeard(state: ConnectorState, self: ConnectorSelf, symbol: string): void {
  const { listening, doubtful } = state.leverage;
  if (!listening.delete(symbol)) return;
  doubtful.delete(symbol);
  setIfWrong(state, self, symbol);
}

/** The first of these symbols whose questions leave room for openings; one at least in every window of the limit. */
function affordable(state: ConnectorState, self: ConnectorSelf, symbols: readonly string[]): readonly string[] {
  const { restLimiter, leverage } = state;
  const now = self.monotonicMs();
  const room = restLimiter.roomByChoice(READING_SHARE, now);
  let count = symbols.length;
  while (count > 0 && weightOf(state, self, symbols.slice(0, count)) > room) count = Math.floor(count / 2);
  const isWaitingLong = now - leverage.askedAtMs > restLimiter.bucket.windowMs;
  return symbols.slice(0, isWaitingLong ? Math.max(1, count) : count);
}

function weightOf(state: ConnectorState, self: ConnectorSelf, symbols: readonly string[]): number {
  return state.adapter.leverageOf(symbols, instant(self)).reduce((sum, { weight }) => sum + weight, 0);
}

/** Somebody may change it by hand: as often as that costs little. */
function rereadMs(state: ConnectorState, self: ConnectorSelf): number {
  const { max, windowMs } = state.restLimiter.bucket;
  return Math.max(REREAD_MS, (weightOf(state, self, state.symbols) / (max * REREAD_SHARE)) * windowMs);
}

/** Where the venue keeps none: what is wanted is in force from when the symbol is free, and the most it allows until then. */
function assumeLeverage(state: ConnectorState, self: ConnectorSelf, symbol: string): void {
  const instrument = state.instruments.get(symbol);
  if (instrument === undefined) return;
  const known = state.leverage.told.get(symbol)?.leverage;
  const wanted = wantedLeverage(state, instrument);
  const isChanged = wanted >= 1 && known !== wanted && isFree(state, symbol);
  if (isChanged) state.adapter.assumeLeverage?.(symbol, wanted);
  if (isChanged || known === undefined)
    leverageRead(state, self, { type: 'leverage', symbol, leverage: isChanged ? wanted : instrument.maxLeverage });
}

/** The venue said what is in force. */
export function leverageRead(
  state: ConnectorState,
  self: ConnectorSelf,
  { symbol, leverage }: Extract<VenueEvent, { type: 'leverage' }>,
): void {
  const base = state.baseBySymbol.get(symbol);
  if (base === undefined || state.leverage.told.get(symbol)?.leverage === leverage) return;
  const { venue, account } = state.args;
  const message = { type: 'leverage-reported', venue, account, symbol, base, leverage } as const;
  state.leverage.told.set(symbol, message);
  tellMarket(state, self, message, base);
}

/** A position came with its leverage: a value that is not the one last read is worth a question, no more. */
export function leverageMentioned(state: ConnectorState, symbol: string, leverage: number | undefined): void {
  const told = state.leverage.told.get(symbol);
  if (leverage !== undefined && told !== undefined && told.leverage !== leverage) state.leverage.doubtful.add(symbol);
}

/** Only a flat symbol without orders: under an open position a change would move its margin. */
function setIfWrong(state: ConnectorState, self: ConnectorSelf, symbol: string): void {
  const instrument = state.instruments.get(symbol);
  const known = state.leverage.told.get(symbol);
  if (instrument === undefined || known === undefined) return;
  const wanted = wantedLeverage(state, instrument);
  if (wanted < 1 || known.leverage === wanted) {
    state.leverage.failures.delete(symbol);
    return;
  }
  const failures = state.leverage.failures.get(symbol) ?? 0;
  if (!isFree(state, symbol)) {
    retryLater(state, self, symbol, failures + 1);
    return;
  }
  const { adapter } = state;
  const nowMs = self.monotonicMs();
  if (changesLeft(state, nowMs) === 0) {
    state.leverage.postponed.add(symbol);
    return;
  }
  state.leverage.changedAtMs = [...state.leverage.changedAtMs, nowMs];
  state.leverage.failures.set(symbol, failures + 1);
  if (failures > 0)
    self.log('warn', 'leverage-not-taken', { venue: state.args.venue, symbol, wanted, is: known.leverage });
  const isQueued = enqueue(state, self, {
    kind: 'leverage',
    clientOrderId: `leverage ${symbol}`,
    symbol,
    priority: 3,
    validUntilMs: self.nowMs() + state.args.requestValidityMs * self.ports.calendar.scale,
    plan: (nonce) => {
      const plan = adapter.setLeverage?.(symbol, wanted, nonce, instant(self));
      assert.ok(plan !== undefined, 'a venue that keeps a leverage lets it be set');
      return plan;
    },
  });
  retryLater(state, self, symbol, isQueued ? failures : failures + 1);
}

/** How many symbols may be set now, by a limit that counts nothing else. Infinity where there is none. */
function changesLeft(state: ConnectorState, nowMs: number): number {
  const { leverage, adapter } = state;
  leverage.changedAtMs = leverage.changedAtMs.filter((atMs) => nowMs - atMs < MINUTE_MS);
  const { leverageChangesPerMinute = Number.POSITIVE_INFINITY } = adapter.limits;
  return Math.max(0, Math.floor(leverageChangesPerMinute * CHANGES_SHARE) - leverage.changedAtMs.length);
}

/** Flat and without orders. */
function isFree(state: ConnectorState, symbol: string): boolean {
  return (
    state.positions.get(symbol)?.reportedLots === 0 &&
    workingOrders(state, '').every((order) => order.symbol !== symbol) &&
    state.submissions.every((submission) => submission.symbol !== symbol)
  );
}

function isBeingSet(state: ConnectorState, symbol: string): boolean {
  return state.submissions.some((submission) => submission.kind === 'leverage' && submission.symbol === symbol);
}

function retryLater(state: ConnectorState, self: ConnectorSelf, symbol: string, failures: number): void {
  state.leverage.doubtful.add(symbol);
  if (failures > 0) state.leverage.reading.nextAtMs = self.monotonicMs() + retryPauseMs(self, failures);
}

function wantedLeverage(state: ConnectorState, instrument: Instrument): number {
  const { leverage } = state.args;
  if (leverage === undefined) return 0;
  return symbolLeverage({
    ...leverage,
    venueMax: instrument.maxLeverage,
    maintenance: instrument.maintenanceMarginRate / 1e12,
  });
}
