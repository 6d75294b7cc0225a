/** Applies a venue's normalised facts to the connector's state and passes them on to those concerned. Connector thread. */
import type { FundingRate } from '../../src/market/funding-rate.ts';
import type { Instrument } from '../../src/market/instrument.ts';
import { observeServerTime } from '../../src/venues/clock-offset.ts';
import type { VenueEvent } from '../../src/venues/venue.ts';
import { keyRightsRead } from './access.ts';
import { doubt, settle, unreadableFrame } from './doubts.ts';
import { missingFills } from './fill-reading.ts';
import { paymentFound, settlementPassed } from './funding.ts';
import { leverageHeard, leverageMentioned, leverageRead } from './leverage.ts';
import { openOrdersListed, orderFilled, orderReported } from './orders.ts';
import { isBalancePossible, isFeeTierPossible, isMarkPossible, plausibleFill, rejudgeFees } from './plausible.ts';
import { positionFilled, positionReported } from './positions.ts';
import { markBook, tellAccount, tellMarket } from './publish.ts';
import { accountChanged } from './requests.ts';
import { endResolving, orderLookedUp } from './resolve.ts';
import type { ConnectorSelf, ConnectorState, SentAt } from './state.ts';
import { submissionAccepted, submissionRefused } from './submissions.ts';
import { privateStreamReady } from './sweep.ts';

const DAY_MS = 86_400_000;
/** Settled rates kept for a newly started subscriber. */
const FUNDING_RATES_MAX = 2_000;
const SAMPLE_CHARACTERS = 200;

const ACCOUNT_NEWS: ReadonlySet<VenueEvent['type']> = new Set([
  'order-update',
  'fill',
  'position',
  'balance',
  'funding-payment',
]);

/** `askedAt` is present for answers of requests: when the request left. Absent: the stream. */
export function applyEvents(
  state: ConnectorState,
  self: ConnectorSelf,
  events: readonly VenueEvent[],
  askedAt: SentAt | undefined,
): void {
  for (const event of events) {
    // News of the account: what was read of it before is not true any more.
    if (askedAt === undefined && ACCOUNT_NEWS.has(event.type)) accountChanged(self);
    applyEvent(state, self, event, askedAt);
  }
}

function applyEvent(state: ConnectorState, self: ConnectorSelf, event: VenueEvent, askedAt: SentAt | undefined): void {
  const { venue } = state.args;
  switch (event.type) {
    case 'server-time':
      if (askedAt !== undefined) measureClock(state, self, event.serverMs, askedAt);
      return;
    case 'instruments':
      instrumentsListed(state, self, event.instruments);
      return;
    case 'fee-tier':
      feesKnown(state, self, event);
      return;
    case 'margin-tiers': {
      const instrument = state.instruments.get(event.symbol);
      state.marginTiers.set(event.symbol, event.tiers);
      if (instrument !== undefined) tellInstrument(state, self, instrument);
      return;
    }
    case 'book-changed':
      markBook(state, self, event.symbol, undefined);
      return;
    case 'book-invalid':
      self.count(`book-invalid:${event.reason}`);
      markBook(state, self, event.symbol, event.reason);
      return;
    case 'mark':
      markChanged(state, self, event);
      return;
    case 'funding-rate':
      rateChanged(state, self, event);
      return;
    case 'positions-snapshot': {
      for (const { symbol, leverage } of event.positions) leverageMentioned(state, symbol, leverage);
      const reported = new Map(event.positions.map((position) => [position.symbol, position]));
      for (const symbol of new Set([...reported.keys(), ...state.symbols]))
        positionReported(state, self, symbol, reported.get(symbol), askedAt);
      return;
    }
    case 'position':
      leverageMentioned(state, event.position.symbol, event.position.leverage);
      positionReported(state, self, event.position.symbol, event.position, askedAt);
      return;
    case 'balance':
      balanceChanged(state, self, event);
      return;
    case 'open-orders':
      openOrdersListed(state, self, event.orders);
      return;
    case 'order-update':
      orderReported(state, self, event.order);
      if (event.order.status !== 'open') endResolving(state, event.order.clientOrderId);
      missingFills(state, self);
      return;
    case 'order-lookup':
      orderLookedUp(state, self, event.clientOrderId, event.found);
      return;
    case 'fill':
      if (orderFilled(state, self, plausibleFill(state, self, event.fill))) {
        accountChanged(self);
        positionFilled(state, self, event.fill, askedAt !== undefined);
      }
      return;
    case 'funding-payment':
      paymentFound(state, self, event.payment);
      return;
    case 'nonce':
      state.nonce.next = event.next;
      return;
    case 'leverage':
      leverageRead(state, self, event);
      leverageHeard(state, self, event.symbol);
      return;
    case 'submission-accepted':
      // Answers of requests are taken where the request was made.
      if (event.submissionId !== undefined) submissionAccepted(state, self, event.submissionId, event.venueOrderId);
      return;
    case 'submission-refused':
      submissionRefused(state, self, event.submissionId, event.code, event.reason, event.class);
      return;
    case 'private-stream-ready':
      privateStreamReady(state, self);
      return;
    case 'malformed-frame': {
      const { channel, detail, sample } = event;
      self.count('malformed-frames');
      self.log('warn', 'malformed-frame', { venue, channel, detail, sample: sample.slice(0, SAMPLE_CHARACTERS) });
      unreadableFrame(state, self, `${channel}: ${detail}`);
      return;
    }
    case 'bad-value':
      if (state.baseBySymbol.has(event.symbol))
        doubt(state, self, event.what, event.symbol, `${event.code} ${event.detail}`, event.code);
      return;
    case 'key-rights':
      keyRightsRead(state, self, event.rights);
      return;
    case 'venue-error':
      self.count('venue-errors');
      self.log('warn', 'venue-error', { venue, code: event.code, reason: event.reason });
      return;
    default:
      throw new Error(`unknown venue event ${JSON.stringify(event satisfies never)}`);
  }
}

function measureClock(state: ConnectorState, self: ConnectorSelf, serverMs: number, askedAt: SentAt): void {
  state.clock = observeServerTime(state.clock, {
    sentAtMs: askedAt.calendarMs,
    receivedAtMs: self.nowMs(),
    serverMs,
    scale: self.ports.calendar.scale,
    nowMonotonicMs: self.monotonicMs(),
  });
}

/** The list is complete: what it does not name any more cannot be traded. */
function instrumentsListed(state: ConnectorState, self: ConnectorSelf, listed: readonly Instrument[]): void {
  const wanted = listed.filter((instrument) => state.args.bases.includes(instrument.base));
  for (const instrument of wanted) {
    state.baseBySymbol.set(instrument.symbol, instrument.base);
    // The account's own fees outlast the list's.
    tellInstrument(state, self, { ...instrument, ...state.fees.get(instrument.symbol) });
  }
  for (const instrument of state.instruments.values()) {
    if (instrument.status === 'inactive' || wanted.some(({ symbol }) => symbol === instrument.symbol)) continue;
    self.log('warn', 'instrument-delisted', { venue: state.args.venue, symbol: instrument.symbol });
    tellInstrument(state, self, { ...instrument, status: 'inactive' });
  }
  state.symbols = [...state.instruments.keys()];
  state.gate = { ...state.gate, limits: { ...state.args.gate, symbols: state.symbols } };
}

function feesKnown(state: ConnectorState, self: ConnectorSelf, event: Extract<VenueEvent, { type: 'fee-tier' }>): void {
  if (!isFeeTierPossible(state, self, event)) return;
  const { makerFee, takerFee } = event;
  for (const [symbol, instrument] of state.instruments) {
    if (event.symbol !== undefined && event.symbol !== symbol) continue;
    state.fees.set(symbol, { makerFee, takerFee });
    tellInstrument(state, self, { ...instrument, makerFee, takerFee });
  }
  rejudgeFees(state, self);
}

function tellInstrument(state: ConnectorState, self: ConnectorSelf, listed: Instrument): void {
  const { venue, account, takerDelayMs = state.adapter.takerDelayMs } = state.args;
  const { symbol, base } = listed;
  const marginTiers = state.marginTiers.get(symbol) ?? listed.marginTiers;
  const instrument = {
    ...listed,
    ...(takerDelayMs === undefined ? {} : { takerDelayMs }),
    ...(state.adapter.hasStops === undefined ? {} : { hasStops: true as const }),
    ...(marginTiers === undefined ? {} : { marginTiers }),
  };
  state.instruments.set(symbol, instrument);
  tellMarket(state, self, { type: 'instrument-listed', venue, account, symbol, instrument }, base);
}

function markChanged(state: ConnectorState, self: ConnectorSelf, event: Extract<VenueEvent, { type: 'mark' }>): void {
  const { symbol, venueAtMs } = event;
  const base = state.baseBySymbol.get(symbol);
  if (base === undefined) return;
  const { markNano, indexNano } = event.markTicksScaled;
  if (!isMarkPossible(state, self, symbol, markNano)) return;
  if (indexNano !== undefined && indexNano <= 0n) {
    doubt(state, self, 'MARK', `${symbol} index`, 'must be above 0', `${Number(indexNano) / 1e9}`);
    return;
  }
  if (indexNano !== undefined) settle(state, self, 'MARK', `${symbol} index`);
  const now = self.monotonicMs();
  const known = state.marks.get(symbol);
  const index = indexNano ?? known?.message.indexNano;
  const message = {
    type: 'mark-changed',
    venue: state.args.venue,
    symbol,
    base,
    markNano,
    ...(index === undefined ? {} : { indexNano: index }),
    venueAtMs,
    receivedAtMonotonicMs: now,
  } as const;
  const indexAtMs = indexNano === undefined ? (known?.indexAtMs ?? Number.NEGATIVE_INFINITY) : now;
  state.marks.set(symbol, { message, markAtMs: now, indexAtMs });
  tellMarket(state, self, message, base);
}

function rateChanged(
  state: ConnectorState,
  self: ConnectorSelf,
  { rate: stated }: Extract<VenueEvent, { type: 'funding-rate' }>,
): void {
  const { symbol, kind, settleAtMs } = stated;
  const base = state.baseBySymbol.get(symbol);
  if (base === undefined) return;
  const key = kind === 'predicted' ? `${symbol} predicted` : `${symbol} ${settleAtMs}`;
  const known = state.fundingRates.get(key)?.rate;
  const rate = kind === 'settled' ? settledRate(known, stated) : stated;
  if (kind === 'settled') {
    if (isSameRate(known, rate)) return;
    settlementPassed(state, self, symbol, settleAtMs);
  }
  if (kind === 'predicted') settle(state, self, 'FUNDING_RATE', symbol);
  if (kind === 'predicted') intervalStated(state, self, symbol, rate.intervalMs);
  const message = {
    type: 'funding-rate-changed',
    venue: state.args.venue,
    symbol,
    base,
    kind,
    settleAtMs,
    rate,
    receivedAtMonotonicMs: self.monotonicMs(),
  } as const;
  state.fundingRates.set(key, message);
  if (state.fundingRates.size > FUNDING_RATES_MAX) forgetOldestSettled(state);
  tellMarket(state, self, message, base);
}

/** A feed's own word of a settlement stands until the history's comes, and from then on only beside it. */
function settledRate(known: FundingRate | undefined, stated: FundingRate): FundingRate {
  if (stated.ofFeed === true) {
    if (known === undefined || known.ofFeed === true) return stated;
    return known.feedHourly === stated.hourly ? known : { ...known, feedHourly: stated.hourly };
  }
  const feedHourly = known?.ofFeed === true ? known.hourly : known?.feedHourly;
  return feedHourly === undefined ? stated : { ...stated, feedHourly };
}

function isSameRate(known: FundingRate | undefined, rate: FundingRate): boolean {
  return known?.raw === rate.raw && known.ofFeed === rate.ofFeed && known.feedHourly === rate.feedHourly;
}

/** Venues change how often they exchange funding while positions are open: the newest word counts, payments are watched for by it. */
function intervalStated(state: ConnectorState, self: ConnectorSelf, symbol: string, intervalMs: number): void {
  const instrument = state.instruments.get(symbol);
  if (instrument === undefined || instrument.fundingIntervalMs === intervalMs) return;
  const { venue } = state.args;
  self.count('funding-intervals-changed');
  self.log('warn', 'funding-interval-changed', {
    venue,
    symbol,
    fromMs: instrument.fundingIntervalMs,
    toMs: intervalMs,
  });
  // Settlements are counted in intervals: counts of another length say nothing.
  state.funding.instantBySymbol.delete(symbol);
  tellInstrument(state, self, { ...instrument, fundingIntervalMs: intervalMs });
}

/** Histories arrive in any order: the oldest settlement goes, not the oldest arrival. */
function forgetOldestSettled(state: ConnectorState): void {
  let oldest: { readonly key: string; readonly settleAtMs: number } | undefined;
  for (const [key, { kind, settleAtMs }] of state.fundingRates) {
    if (kind === 'settled' && (oldest === undefined || settleAtMs < oldest.settleAtMs)) oldest = { key, settleAtMs };
  }
  if (oldest !== undefined) state.fundingRates.delete(oldest.key);
}

function balanceChanged(
  state: ConnectorState,
  self: ConnectorSelf,
  event: Extract<VenueEvent, { type: 'balance' }>,
): void {
  if (!isBalancePossible(state, self, event)) return;
  const { venue, account } = state.args;
  const day = Math.floor(self.nowMs() / DAY_MS);
  if (state.dayOpening?.day !== day) state.dayOpening = { day, walletMicro: event.walletMicro };
  tellAccount(state, self, {
    type: 'account-changed',
    venue,
    account,
    walletMicro: event.walletMicro,
    // Nothing is free until the venue says how much.
    availableMicro: event.availableMicro ?? state.lastAccount?.availableMicro ?? 0n,
    receivedAtMonotonicMs: self.monotonicMs(),
  });
}
