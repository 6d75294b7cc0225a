/**
 * A second, simpler account of one symbol, made from the same journal rows as the ledger and from none of its code: plain sums of
 * lots, cash, fees and payments. Whatever the ledger says must agree with them (see `identities.ts`). Owned by one actor.
 */
import { legKeyText } from './facts.ts';
import type { FactRow, FillFact, FundingFact, LegKey, PlannedOrder } from './facts.ts';
import type { ExpectedPayment } from './funding-expectation.ts';
import type { Adjustment, InstrumentSteps } from './ledger.ts';

/** Sums of one account at one instrument. */
export interface LegTally {
  readonly venue: string;
  readonly symbol: string;
  lots: number;
  /** What trading brought in: minus price x lots of every fill, in ticks x lots; exact, never rounded. */
  cashTickLots: bigint;
  /** The same of corrections at a mark, in 1e-9 quote x lots. */
  cashNanoLots: bigint;
  feesMicro: bigint;
  fundingMicro: bigint;
  fills: number;
  payments: number;
  adjustments: number;
  /** A correction without a price: what it cost is the ledger's word alone. */
  hasUnpriced: boolean;
  /** Fills and corrections that no order of ours explains: their price result cannot be told apart from ours. */
  hasStrangers: boolean;
  /** Lots of two pairs were held together once: their average cost mixes, so no price result is one pair's cash alone. */
  isShared: boolean;
}

/** Sums of one pair over both legs, from the fills of its own orders. */
export interface PairTally {
  readonly pairId: string;
  phase: string;
  /** Of the newest state: rows may reach the journal in another order. */
  revision: number;
  /** By leg key. */
  readonly lots: Map<string, number>;
  readonly cashTickLots: Map<string, bigint>;
  feesMicro: bigint;
  fills: number;
  /** Something other than its own fills is booked on it: a stranger's fill or a correction. */
  hasStrangers: boolean;
}

interface OrderTally {
  readonly order: PlannedOrder;
  filledLots: number;
}

/** One settlement: what should have been paid, and what was. */
export interface SettlementTally {
  readonly leg: string;
  readonly settleAtMs: number;
  expectedMicro: bigint | undefined;
  receivedMicro: bigint | undefined;
}

export interface Tally {
  readonly steps: Map<string, InstrumentSteps>;
  readonly legs: Map<string, LegTally>;
  readonly pairs: Map<string, PairTally>;
  readonly orders: Map<string, OrderTally>;
  /** By leg and minute of the settlement; bounded, the oldest leave first. */
  readonly settlements: Map<string, SettlementTally>;
  readonly seen: Set<string>;
}

/** A rule that one row breaks by itself. */
export interface RowBreach {
  readonly identity: 'ORDER_ID_REPEATED' | 'ORDER_OVERFILLED' | 'FILL_SIDE' | 'FEE_SHARE';
  readonly subject: string;
  readonly expected: string;
  readonly got: string;
}

const ORDERS_MAX = 20_000;
/** Older ones ended long ago, and were judged then. */
const PAIRS_MAX = 1_000;
const SETTLEMENTS_MAX = 400;
const SEEN_MAX = 100_000;
const MINUTE_MS = 60_000;
/** No venue charges or grants a hundredth of what was traded: such a fee is wrong. */
const FEE_PER_CENT_MAX = 1n;

export function emptyTally(): Tally {
  return {
    steps: new Map(),
    legs: new Map(),
    pairs: new Map(),
    orders: new Map(),
    settlements: new Map(),
    seen: new Set(),
  };
}

/** Takes one row; the same fact again changes nothing. Returns the rules that the row itself breaks. */
export function tallyRow(tally: Tally, row: FactRow): readonly RowBreach[] {
  // Each payload was written by this engine in exactly this shape.
  const payload = row.payload as RowPayload;
  switch (row.type) {
    case 'config':
      if (payload.instrument !== undefined) {
        const key = `${payload.instrument.venue}:${payload.instrument.symbol}`;
        if (!tally.steps.has(key)) tally.steps.set(key, payload.instrument);
      }
      return [];
    case 'order-planned':
      return payload.order === undefined ? [] : tallyOrder(tally, payload.order);
    case 'fill':
      return payload.event?.type === 'fill-received' ? tallyFill(tally, payload.event) : [];
    case 'funding':
      if (payload.event?.type === 'funding-paid') tallyPayment(tally, payload.event);
      return [];
    case 'funding-expected':
      if (payload.expected !== undefined) tallyExpected(tally, payload.expected);
      return [];
    case 'adjust':
      if (payload.adjustment !== undefined) tallyAdjustment(tally, row.id, payload.adjustment, payload.pairId ?? '');
      return [];
    case 'pair-state':
      if (payload.pair !== undefined) tallyState(tally, payload.pair);
      return [];
    default:
      return [];
  }
}

interface RowPayload {
  readonly instrument?: InstrumentSteps;
  readonly order?: PlannedOrder;
  readonly event?: FillFact | FundingFact;
  readonly expected?: ExpectedPayment;
  readonly adjustment?: Adjustment;
  readonly pairId?: string;
  readonly pair?: PairState;
}

interface PairState {
  readonly pairId: string;
  readonly phase: string;
  readonly revision: number;
}

function tallyState(tally: Tally, { pairId, phase, revision }: PairState): void {
  const pair = pairTally(tally, pairId);
  if (revision < pair.revision) return;
  pair.phase = phase;
  pair.revision = revision;
}

function tallyOrder(tally: Tally, order: PlannedOrder): readonly RowBreach[] {
  const { clientOrderId } = order;
  const known = tally.orders.get(clientOrderId)?.order;
  if (known !== undefined) {
    return [
      {
        identity: 'ORDER_ID_REPEATED',
        subject: clientOrderId,
        expected: 'one planned order',
        got: `${describe(known)} and ${describe(order)}`,
      },
    ];
  }
  tally.orders.set(clientOrderId, { order, filledLots: 0 });
  dropOldest(tally.orders, ORDERS_MAX);
  pairTally(tally, order.pairId);
  return [];
}

function describe({ venue, account, side, lots, pairId }: PlannedOrder): string {
  return `${side} ${lots} lots at ${venue}:${account} for ${pairId}`;
}

function tallyFill(tally: Tally, fact: FillFact): readonly RowBreach[] {
  const { fill } = fact;
  const subject = `fill:${fact.venue}:${fact.account}:${fill.fillId}`;
  if (!isNew(tally, subject)) return [];
  const leg = legTally(tally, fact);
  const signedLots = fill.side === 'buy' ? fill.lots : -fill.lots;
  const cash = -BigInt(fill.priceTicks) * BigInt(signedLots);
  leg.lots += signedLots;
  leg.cashTickLots += cash;
  leg.feesMicro += fill.feeMicro;
  leg.fills += 1;
  const breaches: RowBreach[] = [];
  const fee = feeBreach(tally, fact, subject);
  if (fee !== undefined) breaches.push(fee);

  const order = tally.orders.get(fill.clientOrderId);
  if (order === undefined || order.order.venue !== fact.venue || order.order.account !== fact.account) {
    leg.hasStrangers = true;
    return breaches;
  }
  order.filledLots += fill.lots;
  if (order.filledLots > order.order.lots)
    breaches.push({
      identity: 'ORDER_OVERFILLED',
      subject: fill.clientOrderId,
      expected: `at most ${order.order.lots} lots`,
      got: `${order.filledLots} lots`,
    });
  if (fill.side !== order.order.side)
    breaches.push({ identity: 'FILL_SIDE', subject, expected: order.order.side, got: fill.side });
  const pair = pairTally(tally, order.order.pairId);
  const key = legKeyText(fact);
  const own = (pair.lots.get(key) ?? 0) + signedLots;
  pair.lots.set(key, own);
  if (leg.lots !== own) leg.isShared = true;
  pair.cashTickLots.set(key, (pair.cashTickLots.get(key) ?? 0n) + cash);
  pair.feesMicro += fill.feeMicro;
  pair.fills += 1;
  return breaches;
}

function feeBreach(tally: Tally, fact: FillFact, subject: string): RowBreach | undefined {
  const steps = tally.steps.get(`${fact.venue}:${fact.symbol}`);
  if (steps === undefined) return undefined;
  const { priceTicks, lots, feeMicro } = fact.fill;
  const notional = microOfTickLots(steps, BigInt(priceTicks) * BigInt(lots));
  const size = feeMicro < 0n ? -feeMicro : feeMicro;
  // One micro-unit of rounding is a large share of a tiny fill.
  if (size * 100n <= notional * FEE_PER_CENT_MAX + 100n) return undefined;
  return {
    identity: 'FEE_SHARE',
    subject,
    expected: `at most ${FEE_PER_CENT_MAX} % of ${notional} micro-units`,
    got: `${feeMicro} micro-units`,
  };
}

function tallyPayment(tally: Tally, fact: FundingFact): void {
  const { paymentId, amountMicro, settledAtMs } = fact.payment;
  if (!isNew(tally, `funding:${fact.venue}:${fact.account}:${paymentId}`)) return;
  const leg = legTally(tally, fact);
  leg.fundingMicro += amountMicro;
  leg.payments += 1;
  const settlement = settlementTally(tally, legKeyText(fact), settledAtMs);
  settlement.receivedMicro = (settlement.receivedMicro ?? 0n) + amountMicro;
}

function tallyExpected(tally: Tally, { leg, settleAtMs, expectedMicro }: ExpectedPayment): void {
  const settlement = settlementTally(tally, leg, settleAtMs);
  settlement.expectedMicro ??= expectedMicro;
}

function tallyAdjustment(tally: Tally, id: string, adjustment: Adjustment, pairId: string): void {
  if (!isNew(tally, id)) return;
  const leg = legTally(tally, adjustment);
  leg.lots += adjustment.changeLots;
  leg.adjustments += 1;
  if (adjustment.priceNano === undefined) leg.hasUnpriced = true;
  else leg.cashNanoLots -= adjustment.priceNano * BigInt(adjustment.changeLots);
  leg.hasStrangers = true;
  if (pairId !== '') pairTally(tally, pairId).hasStrangers = true;
}

/** Returns the tally of a pair, made when it is first heard of. */
function pairTally(tally: Tally, pairId: string): PairTally {
  let pair = tally.pairs.get(pairId);
  if (pair === undefined) {
    pair = {
      pairId,
      phase: '',
      revision: -1,
      lots: new Map(),
      cashTickLots: new Map(),
      feesMicro: 0n,
      fills: 0,
      hasStrangers: false,
    };
    tally.pairs.set(pairId, pair);
    dropOldest(tally.pairs, PAIRS_MAX);
  }
  return pair;
}

function legTally(tally: Tally, key: LegKey): LegTally {
  const text = legKeyText(key);
  let leg = tally.legs.get(text);
  if (leg === undefined) {
    leg = {
      venue: key.venue,
      symbol: key.symbol,
      lots: 0,
      cashTickLots: 0n,
      cashNanoLots: 0n,
      feesMicro: 0n,
      fundingMicro: 0n,
      fills: 0,
      payments: 0,
      adjustments: 0,
      hasUnpriced: false,
      hasStrangers: false,
      isShared: false,
    };
    tally.legs.set(text, leg);
  }
  return leg;
}

/** Returns a leg's settlement at about this time. Feed and payment record may round it differently: neighbouring minutes count. */
export function settlementOf(tally: Tally, leg: string, atMs: number): SettlementTally | undefined {
  const minute = Math.round(atMs / MINUTE_MS);
  for (const candidate of [minute, minute - 1, minute + 1]) {
    const known = tally.settlements.get(`${leg} ${candidate}`);
    if (known !== undefined && Math.abs(known.settleAtMs - atMs) < MINUTE_MS) return known;
  }
  return undefined;
}

function settlementTally(tally: Tally, leg: string, atMs: number): SettlementTally {
  const known = settlementOf(tally, leg, atMs);
  if (known !== undefined) return known;
  const settlement: SettlementTally = { leg, settleAtMs: atMs, expectedMicro: undefined, receivedMicro: undefined };
  tally.settlements.set(`${leg} ${Math.round(atMs / MINUTE_MS)}`, settlement);
  dropOldest(tally.settlements, SETTLEMENTS_MAX);
  return settlement;
}

/** Returns ticks x lots in micro-units, rounded down towards zero. */
export function microOfTickLots(steps: InstrumentSteps, tickLots: bigint): bigint {
  const units = tickLots * BigInt(steps.tickUnits) * BigInt(steps.lotUnits);
  const exponent = steps.priceDecimals + steps.quantityDecimals - 6;
  return exponent <= 0 ? units * 10n ** BigInt(-exponent) : units / 10n ** BigInt(exponent);
}

/** Returns 1e-9 quote x lots in micro-units, rounded down towards zero. */
export function microOfNanoLots(steps: InstrumentSteps, nanoLots: bigint): bigint {
  return (nanoLots * BigInt(steps.lotUnits)) / 10n ** BigInt(3 + steps.quantityDecimals);
}

function isNew(tally: Tally, id: string): boolean {
  if (tally.seen.has(id)) return false;
  tally.seen.add(id);
  if (tally.seen.size > SEEN_MAX) {
    const oldest = tally.seen.values().next();
    if (oldest.done !== true) tally.seen.delete(oldest.value);
  }
  return true;
}

function dropOldest(map: Map<string, unknown>, max: number): void {
  if (map.size <= max) return;
  const oldest = map.keys().next();
  if (oldest.done !== true) map.delete(oldest.value);
}
