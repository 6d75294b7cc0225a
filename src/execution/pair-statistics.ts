/**
 * What became of each pair, for calibration (domain 15.7): expected against realised, slippage, hedge latency, exposure, payments.
 * Built from journal rows alone, so that it can be told of any pair at any time. Amounts are exact; rates and times of it are plain
 * numbers. Owned by one actor.
 */
import { legKeyText } from './facts.ts';
import type { FactRow, FillFact, FundingFact, LegSide, PlannedOrder } from './facts.ts';
import type { ExpectedPayment } from './funding-expectation.ts';
import { pairBook, pairNetMicro } from './ledger.ts';
import type { InstrumentSteps, Ledger } from './ledger.ts';
import type { PairRecord } from './pair.ts';
import { feeMicro, priceOf, quantityOf } from '../money/amounts.ts';
import type { PicoRate } from '../money/units.ts';

/** One closed pair. Money in micro-units, signed; times calendar ms unless the name says otherwise. */
export interface PairStatistics {
  readonly pairId: string;
  readonly base: string;
  /** Account and symbol of each leg, as text. */
  readonly long: string;
  readonly short: string;
  readonly exitReason: string;
  readonly openedAtMs: number;
  readonly closedAtMs: number;
  readonly heldMs: number;
  readonly fills: number;
  readonly netMicro: bigint;
  readonly priceMicro: bigint;
  readonly feesMicro: bigint;
  readonly fundingMicro: bigint;
  readonly adjustedMicro: bigint;
  /** What strategy expected of the pair when it was entered, quote. */
  readonly expectedValueQuote: number;
  readonly expectedCostQuote: number;
  /** Of the fills whose order names a rate. */
  readonly feesEstimatedMicro: bigint;
  readonly payments: number;
  readonly paymentsExpected: number;
  readonly fundingExpectedMicro: bigint;
  /** Expected and not come so far. */
  readonly fundingMissingMicro: bigint;
  /** Short price over long price, bps of the long one; absent without fills of both. */
  readonly entryBasisBps?: number;
  readonly exitBasisBps?: number;
  /** Average fill against the middle of the book when its order was planned, positive is worse; absent where no order names one. */
  readonly slippageBps: Readonly<Partial<Record<`${LegSide}${'In' | 'Out'}`, number>>>;
  /** Unhedged notional times time, and the largest unhedged notional. */
  readonly exposureQuoteSec: number;
  readonly maxUnhedgedQuote: number;
  /** How long each stretch with one leg ahead of the other lasted, monotonic ms; the first ones, bounded. */
  readonly hedgeLatencyMs: readonly number[];
}

interface Side {
  lots: number;
  tickLots: number;
  /** Lots and distance from the middle (ticks x lots) of fills whose order names it. */
  midLots: number;
  tickLotsBeyondMid: number;
  /** Middle price of the last of them, ticks. */
  midTicks: number;
}

interface PairHistory {
  record: PairRecord | undefined;
  readonly sides: Map<`${LegSide}${'In' | 'Out'}`, Side>;
  readonly expected: Map<string, ExpectedPayment>;
  readonly received: Set<string>;
  facts: number;
  feesEstimatedMicro: bigint;
  /** Underlying held by each leg, signed. */
  readonly quantity: Record<LegSide, number>;
  /** Quote per unit of the underlying, last traded. */
  price: number;
  unhedgedSinceMs: number | undefined;
  changedAtMs: number;
  exposureQuoteMs: number;
  maxUnhedgedQuote: number;
  readonly latenciesMs: number[];
}

export interface StatisticsBook {
  readonly calendarScale: number;
  readonly pairs: Map<string, PairHistory>;
  readonly orders: Map<string, PlannedOrder>;
  readonly instruments: Map<string, InstrumentSteps>;
  readonly seen: Set<string>;
}

/** Pairs remembered per symbol: late payments of older ones are booked, and no longer counted here. */
const PAIRS_MAX = 200;
const ORDERS_MAX = 4_000;
const SEEN_MAX = 20_000;
const LATENCIES_MAX = 32;
/** Less than this part of the larger leg unhedged is rounding of lots, not exposure. */
const DUST = 1e-9;

export function emptyStatistics(calendarScale: number): StatisticsBook {
  return { calendarScale, pairs: new Map(), orders: new Map(), instruments: new Map(), seen: new Set() };
}

/** Takes one row of the symbol. Returns the pair it concerns, if any. */
export function noteRow(book: StatisticsBook, row: FactRow): string | undefined {
  // Each payload was written by this engine in exactly this shape.
  const payload = row.payload as {
    readonly instrument?: InstrumentSteps;
    readonly order?: PlannedOrder;
    readonly event?: FillFact | FundingFact;
    readonly expected?: ExpectedPayment;
    readonly pair?: PairRecord;
  };
  if (row.type === 'config' && payload.instrument !== undefined) {
    const { venue, symbol } = payload.instrument;
    if (!book.instruments.has(`${venue}:${symbol}`)) book.instruments.set(`${venue}:${symbol}`, payload.instrument);
  } else if (row.type === 'order-planned' && payload.order !== undefined) {
    book.orders.set(payload.order.clientOrderId, payload.order);
    dropOldest(book.orders, ORDERS_MAX);
  } else if (row.type === 'pair-state' && payload.pair !== undefined) {
    return noteRecord(book, payload.pair);
  } else if (row.type === 'fill' && payload.event?.type === 'fill-received') {
    return noteFill(book, payload.event, row.atMs);
  } else if (row.type === 'funding' && payload.event?.type === 'funding-paid') {
    return notePayment(book, payload.event);
  } else if (row.type === 'funding-expected' && payload.expected !== undefined) {
    return noteExpected(book, payload.expected);
  }
  return undefined;
}

/** Returns the identity of what is known of an ended pair now; undefined while it is not closed. Grows with every fact. */
export function statisticsId(book: StatisticsBook, pairId: string): string | undefined {
  const history = book.pairs.get(pairId);
  const record = history?.record;
  if (history === undefined || record?.phase !== 'CLOSED') return undefined;
  return `pair-statistics:${pairId}:${record.revision}:${history.facts}`;
}

/** Returns the statistics of a closed pair; undefined while it is not closed. */
export function statisticsOf(book: StatisticsBook, ledger: Ledger, pairId: string): PairStatistics | undefined {
  const history = book.pairs.get(pairId);
  const record = history?.record;
  if (history === undefined || record?.phase !== 'CLOSED') return undefined;
  const money = pairBook(ledger, pairId);
  const expected = [...history.expected];
  const missing = expected.filter(([key]) => !history.received.has(key));
  const entryBasisBps = basisBps(book, history, record, 'In');
  const exitBasisBps = basisBps(book, history, record, 'Out');
  return {
    pairId,
    base: record.base,
    long: legKeyText(record.long),
    short: legKeyText(record.short),
    exitReason: record.exitReason,
    openedAtMs: record.openedAtMs,
    closedAtMs: record.closedAtMs,
    heldMs: record.openedAtMs > 0 ? record.closedAtMs - record.openedAtMs : 0,
    fills: money.fills,
    netMicro: pairNetMicro(money),
    priceMicro: money.priceMicro,
    feesMicro: money.feesMicro,
    fundingMicro: money.fundingMicro,
    adjustedMicro: money.adjustedMicro,
    expectedValueQuote: record.expected.expectedValueQuote,
    expectedCostQuote: record.expected.roundTripCostQuote,
    feesEstimatedMicro: history.feesEstimatedMicro,
    payments: money.fundingPayments,
    paymentsExpected: expected.length,
    fundingExpectedMicro: sumOf(expected),
    fundingMissingMicro: sumOf(missing),
    ...(entryBasisBps === undefined ? {} : { entryBasisBps }),
    ...(exitBasisBps === undefined ? {} : { exitBasisBps }),
    slippageBps: slippageOf(history),
    exposureQuoteSec: round(history.exposureQuoteMs / 1_000, 3),
    maxUnhedgedQuote: round(history.maxUnhedgedQuote, 6),
    hedgeLatencyMs: history.latenciesMs.map((ms) => round(ms, 3)),
  };
}

function noteRecord(book: StatisticsBook, record: PairRecord): string {
  const history = historyOf(book, record.pairId);
  // A row that was repeated late must not bring an old state back.
  if (history.record === undefined || record.revision >= history.record.revision) history.record = record;
  return record.pairId;
}

function noteFill(book: StatisticsBook, fact: FillFact, atMs: number): string | undefined {
  const { fill } = fact;
  const order = book.orders.get(fill.clientOrderId);
  const steps = book.instruments.get(`${fact.venue}:${fact.symbol}`);
  if (order === undefined || steps === undefined || !isNew(book, `fill:${fact.venue}:${fact.account}:${fill.fillId}`))
    return undefined;
  const history = historyOf(book, order.pairId);
  history.facts += 1;
  const isIn = (order.leg === 'long') === (fill.side === 'buy');
  const side = sideOf(history, `${order.leg}${isIn ? 'In' : 'Out'}`);
  side.lots += fill.lots;
  side.tickLots += fill.priceTicks * fill.lots;
  if (order.midTicks !== undefined) {
    const worse = fill.side === 'buy' ? fill.priceTicks - order.midTicks : order.midTicks - fill.priceTicks;
    side.midLots += fill.lots;
    side.tickLotsBeyondMid += worse * fill.lots;
    side.midTicks = order.midTicks;
  }
  if (order.feeRate !== undefined)
    history.feesEstimatedMicro += feeMicro(steps, fill.priceTicks, fill.lots, order.feeRate as PicoRate);
  const quantity = quantityOf(fill.lots, steps) * steps.multiplier;
  moveExposure(book, history, order.leg, fill.side === 'buy' ? quantity : -quantity, atMs);
  history.price = priceOf(fill.priceTicks, steps) / steps.multiplier;
  history.maxUnhedgedQuote = Math.max(history.maxUnhedgedQuote, unhedged(history) * history.price);
  return order.pairId;
}

/** Accounts for the time until this fill, then takes it. Row times are the engine's own clock: venues' clocks differ. */
function moveExposure(book: StatisticsBook, history: PairHistory, leg: LegSide, quantity: number, atMs: number): void {
  if (history.unhedgedSinceMs !== undefined)
    history.exposureQuoteMs +=
      (unhedged(history) * history.price * Math.max(0, atMs - history.changedAtMs)) / book.calendarScale;
  history.quantity[leg] += quantity;
  history.changedAtMs = atMs;
  const isUnhedged = unhedged(history) > 0;
  if (isUnhedged) {
    history.unhedgedSinceMs ??= atMs;
  } else if (history.unhedgedSinceMs !== undefined) {
    if (history.latenciesMs.length < LATENCIES_MAX)
      history.latenciesMs.push(Math.max(0, atMs - history.unhedgedSinceMs) / book.calendarScale);
    history.unhedgedSinceMs = undefined;
  }
}

function unhedged({ quantity }: PairHistory): number {
  const net = Math.abs(quantity.long + quantity.short);
  return net <= DUST * Math.max(Math.abs(quantity.long), Math.abs(quantity.short)) + Number.EPSILON ? 0 : net;
}

function notePayment(book: StatisticsBook, fact: FundingFact): string | undefined {
  const { paymentId, settledAtMs } = fact.payment;
  const found = holderAt(book, legKeyText(fact), settledAtMs);
  if (found === undefined || !isNew(book, `funding:${fact.venue}:${fact.account}:${paymentId}`)) return undefined;
  const [pairId, history] = found;
  history.facts += 1;
  history.received.add(settlementKey(legKeyText(fact), settledAtMs));
  return pairId;
}

function noteExpected(book: StatisticsBook, expected: ExpectedPayment): string | undefined {
  const found = holderAt(book, expected.leg, expected.settleAtMs);
  const key = settlementKey(expected.leg, expected.settleAtMs);
  if (found === undefined || found[1].expected.has(key)) return undefined;
  const [pairId, history] = found;
  history.facts += 1;
  history.expected.set(key, expected);
  return pairId;
}

/** The pair that held a leg when it settled: the newest one decided before. */
function holderAt(book: StatisticsBook, leg: string, atMs: number): readonly [string, PairHistory] | undefined {
  let holder: readonly [string, PairHistory] | undefined;
  for (const [pairId, history] of book.pairs) {
    const { record } = history;
    if (record === undefined || record.decidedAtMs > atMs) continue;
    if (legKeyText(record.long) === leg || legKeyText(record.short) === leg) holder = [pairId, history];
  }
  return holder;
}

function settlementKey(leg: string, atMs: number): string {
  return `${leg} ${Math.round(atMs / 60_000)}`;
}

function historyOf(book: StatisticsBook, pairId: string): PairHistory {
  let history = book.pairs.get(pairId);
  if (history === undefined) {
    history = {
      record: undefined,
      sides: new Map(),
      expected: new Map(),
      received: new Set(),
      facts: 0,
      feesEstimatedMicro: 0n,
      quantity: { long: 0, short: 0 },
      price: 0,
      unhedgedSinceMs: undefined,
      changedAtMs: 0,
      exposureQuoteMs: 0,
      maxUnhedgedQuote: 0,
      latenciesMs: [],
    };
    book.pairs.set(pairId, history);
    dropOldest(book.pairs, PAIRS_MAX);
  }
  return history;
}

function sideOf(history: PairHistory, name: `${LegSide}${'In' | 'Out'}`): Side {
  let side = history.sides.get(name);
  if (side === undefined) {
    side = { lots: 0, tickLots: 0, midLots: 0, tickLotsBeyondMid: 0, midTicks: 0 };
    history.sides.set(name, side);
  }
  return side;
}

function slippageOf(history: PairHistory): PairStatistics['slippageBps'] {
  const slippage: Partial<Record<`${LegSide}${'In' | 'Out'}`, number>> = {};
  for (const [name, side] of history.sides) {
    if (side.midLots === 0 || side.midTicks === 0) continue;
    slippage[name] = round((side.tickLotsBeyondMid / side.midLots / side.midTicks) * 1e4, 6);
  }
  return slippage;
}

function basisBps(
  book: StatisticsBook,
  history: PairHistory,
  record: PairRecord,
  way: 'In' | 'Out',
): number | undefined {
  const long = averagePrice(book, history, record, 'long', way);
  const short = averagePrice(book, history, record, 'short', way);
  return long === undefined || short === undefined ? undefined : round(((short - long) / long) * 1e4, 6);
}

function averagePrice(
  book: StatisticsBook,
  history: PairHistory,
  record: PairRecord,
  leg: LegSide,
  way: 'In' | 'Out',
): number | undefined {
  const side = history.sides.get(`${leg}${way}`);
  const steps = book.instruments.get(`${record[leg].venue}:${record[leg].symbol}`);
  if (side === undefined || side.lots === 0 || steps === undefined) return undefined;
  return priceOf(side.tickLots / side.lots, steps) / steps.multiplier;
}

function sumOf(expected: readonly (readonly [string, ExpectedPayment])[]): bigint {
  return expected.reduce((sum, [, { expectedMicro }]) => sum + expectedMicro, 0n);
}

function isNew(book: StatisticsBook, id: string): boolean {
  if (book.seen.has(id)) return false;
  book.seen.add(id);
  if (book.seen.size > SEEN_MAX) {
    const oldest = book.seen.values().next();
    if (oldest.done !== true) book.seen.delete(oldest.value);
  }
  return true;
}

function dropOldest(map: Map<string, unknown>, max: number): void {
  if (map.size <= max) return;
  const oldest = map.keys().next();
  if (oldest.done !== true) map.delete(oldest.value);
}

/** Rows are written as text: digits that mean nothing are left out. */
function round(value: number, digits: number): number {
  const factor = 10 ** digits;
  return Math.round(value * factor) / factor;
}
