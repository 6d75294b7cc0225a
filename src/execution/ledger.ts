/**
 * The exact books of one or more symbols, built from journaled facts alone: positions, realised profit, fees and funding per
 * account and per pair. Owned and changed by one actor, or built at once by `foldLedger`; any thread.
 *
 * Every fact has an identity (venue, account, fill or payment id) and counts once, in whatever order facts arrive. Amounts are
 * integer micro-units; nothing is estimated.
 */
import { notionalMicroAtNano } from '../money/amounts.ts';
import type { Steps } from '../money/amounts.ts';
import { legKeyText } from './facts.ts';
import type { FactRow, FillFact, FundingFact, LegKey, LegSide, PlannedOrder } from './facts.ts';
import { addToClaim, meetClaim } from './late-fills.ts';
import type { Claim } from './late-fills.ts';
import { FLAT, applyTrade, applyTradeAt, costShare } from './position-arithmetic.ts';
import type { CostedPosition } from './position-arithmetic.ts';

/** The exact steps of one instrument, as journaled before its first order: the fold needs nothing else. */
export interface InstrumentSteps extends Steps {
  readonly venue: string;
  readonly symbol: string;
  /** Units of the underlying per contract. */
  readonly multiplier: number;
}

/** Sums of one account at one instrument since the journal began. */
export interface LegBook extends CostedPosition {
  readonly key: LegKey;
  readonly realisedMicro: bigint;
  /** Signed: negative when we paid. */
  readonly feesMicro: bigint;
  readonly fundingMicro: bigint;
  readonly fills: number;
  readonly fundingPayments: number;
  /** Corrections without a fill behind them, and the profit they realised (see `applyAdjustment`). */
  readonly adjustments: number;
  readonly adjustedMicro: bigint;
}

/** Money of one pair, both legs together; signed, positive is good for us. */
export interface PairBook {
  readonly pairId: string;
  readonly priceMicro: bigint;
  readonly feesMicro: bigint;
  readonly fundingMicro: bigint;
  /** Profit realised by corrections: an estimate at the mark of the time, kept apart from what fills prove. */
  readonly adjustedMicro: bigint;
  readonly fundingPayments: number;
  readonly fills: number;
  readonly closed: boolean;
}

/** Sums over all closed pairs, late bookings included. */
export interface ClosedTotals {
  readonly pairs: number;
  readonly netMicro: bigint;
  readonly fundingMicro: bigint;
}

/**
 * Ids in two generations: when the newer is full, the older is forgotten as a whole. Forgetting one by one from the front of a Set
 * walks over all that was forgotten before, which made a start quadratic in the rows it reads.
 */
interface AppliedFacts {
  newer: FactIds;
  older: FactIds;
}

/**
 * Ids by what they are unique within: a venue's fills, its payments, corrections. The venue's own id is kept as it came: one text for
 * kind, venue, account and id had to be put together and hashed anew for each row of a start.
 */
interface FactIds {
  readonly bySource: Map<string, Set<string>>;
  count: number;
}

interface Owners {
  /** As they came. */
  readonly list: Ownership[];
  /** Looking through the list for each new pair made a start quadratic in its pairs. */
  readonly pairIds: Set<string>;
}

interface Ownership {
  readonly pairId: string;
  readonly leg: LegSide;
  /** Calendar ms of the pair's first planned order on this leg. */
  readonly fromMs: number;
}

/** The position is brought to the venue's word because fills that explain the difference do not exist. */
export interface Adjustment extends LegKey {
  /** What the venue proved to hold beyond our fills, signed lots. A difference, so that facts still commute. */
  readonly changeLots: number;
  /** The venue's mark when the difference was booked, 1e-9 quote per contract; absent when none was known. */
  readonly priceNano?: bigint;
  /** How much of the change belongs to the pair it is booked for, signed lots: the rest is somebody else's. */
  readonly pairLots?: number;
  /** A person gave the pair `pairLots` of what is held already: nothing changes but whose they are, from then on (calendar ms). */
  readonly adopted?: { readonly leg: LegSide; readonly fromMs: number };
  /** Calendar ms of the booking; absent in older journals. */
  readonly atMs?: number;
  /** What was compared, in words. */
  readonly evidence: string;
}

export interface Ledger {
  readonly instruments: Map<string, InstrumentSteps>;
  readonly books: Map<string, LegBook>;
  readonly pairs: Map<string, PairBook>;
  /** Applied fact ids, bounded: older repeats are caught by the journal's own uniqueness. */
  readonly applied: AppliedFacts;
  readonly pairByOrder: Map<string, string>;
  readonly owners: Map<string, Owners>;
  /** By pair and leg: signed lots of the pair's own fills, and of corrections on its account. */
  readonly ownLots: Map<string, number>;
  /** By leg: what its latest pair has by corrections, and which of it fills told afterwards. */
  readonly claims: Map<string, Claim>;
  closed: ClosedTotals;
}

/** A venue repeats at most a few minutes of facts after a reconnect; this is far more than any of them can hold. Of one generation. */
export const APPLIED_MAX = 100_000;

export function emptyLedger(): Ledger {
  return {
    instruments: new Map(),
    books: new Map(),
    pairs: new Map(),
    applied: { newer: noFactIds(), older: noFactIds() },
    pairByOrder: new Map(),
    owners: new Map(),
    ownLots: new Map(),
    claims: new Map(),
    closed: { pairs: 0, netMicro: 0n, fundingMicro: 0n },
  };
}

/** Rebuilds the books from rows in sequence order, of one symbol or of a whole journal. Pure and deterministic. */
export function foldLedger(rows: readonly FactRow[], instruments: readonly InstrumentSteps[] = []): Ledger {
  const ledger = emptyLedger();
  for (const instrument of instruments) defineInstrument(ledger, instrument);
  // A venue may replay fills from before this engine knew the instrument: its steps hold for those rows too.
  for (const row of rows) if (row.type === 'config') applyRowToLedger(ledger, row);
  for (const row of rows) if (row.type !== 'config') applyRowToLedger(ledger, row);
  return ledger;
}

/** Applies one journal row; rows that carry no money change nothing. */
export function applyRowToLedger(ledger: Ledger, row: FactRow): void {
  // The payloads of these row types have one writer each (this engine); the store returns them as they were written.
  const payload = row.payload as RowPayload;
  if (row.type === 'config' && payload.instrument !== undefined) defineInstrument(ledger, payload.instrument);
  if (row.type === 'order-planned' && payload.order !== undefined) registerOrder(ledger, payload.order);
  if (row.type === 'fill' && payload.event?.type === 'fill-received') applyFill(ledger, payload.event);
  if (row.type === 'funding' && payload.event?.type === 'funding-paid') applyFunding(ledger, payload.event);
  if (row.type === 'adjust' && payload.adjustment !== undefined)
    applyAdjustment(ledger, row.id, payload.adjustment, payload.pairId);
  if (
    row.type === 'pair-state' &&
    payload.pair !== undefined &&
    (payload.pair.phase === 'CLOSED' || payload.pair.phase === 'FAILED')
  ) {
    closePairBook(ledger, payload.pair.pairId, payload.pair.phase === 'CLOSED');
  }
}

interface RowPayload {
  readonly instrument?: InstrumentSteps;
  readonly order?: PlannedOrder;
  readonly event?: FillFact | FundingFact;
  readonly adjustment?: Adjustment;
  readonly pairId?: string;
  readonly pair?: { readonly pairId: string; readonly phase: string };
}

/** Makes an instrument's steps known. The first definition of an instrument stays: its lots are already counted in it. */
export function defineInstrument(ledger: Ledger, instrument: InstrumentSteps): void {
  const key = `${instrument.venue}:${instrument.symbol}`;
  if (!ledger.instruments.has(key)) ledger.instruments.set(key, instrument);
}

/** Returns the steps the books of this leg are counted in, or undefined when none were journaled. */
export function stepsOf(ledger: Ledger, key: Pick<LegKey, 'venue' | 'symbol'>): InstrumentSteps | undefined {
  return ledger.instruments.get(`${key.venue}:${key.symbol}`);
}

/** Remembers which pair and leg an order works for, so that its fills find their pair. */
export function registerOrder(ledger: Ledger, order: PlannedOrder): void {
  const orderKey = `${order.venue}:${order.account}:${order.clientOrderId}`;
  if (ledger.pairByOrder.has(orderKey)) return;
  ledger.pairByOrder.set(orderKey, order.pairId);
  addOwner(ledger, order, { pairId: order.pairId, leg: order.leg, fromMs: order.plannedAtMs });
}

function addOwner(ledger: Ledger, key: LegKey, owner: Ownership): void {
  const text = legKeyText(key);
  const owners = ledger.owners.get(text);
  if (owners === undefined) {
    ledger.owners.set(text, { list: [owner], pairIds: new Set([owner.pairId]) });
  } else if (!owners.pairIds.has(owner.pairId)) {
    owners.list.push(owner);
    owners.pairIds.add(owner.pairId);
  }
}

/** Books a fill once. Returns false when it was booked before. Throws when its instrument's steps are unknown. */
export function applyFill(ledger: Ledger, fact: FillFact): boolean {
  if (!isNew(ledger, `fill:${fact.venue}:${fact.account}`, fact.fill.fillId)) return false;
  const steps = stepsOf(ledger, fact);
  if (steps === undefined) {
    throw new Error(`a fill must be of an instrument whose steps are journaled, was ${fact.venue}:${fact.symbol}`);
  }
  const book = bookOf(ledger, fact);
  // Whose it is follows from what the leg held before it.
  const pairId = pairOfFill(ledger, fact);
  const tradeLots = fact.fill.side === 'buy' ? fact.fill.lots : -fact.fill.lots;
  const traded = applyTrade(book, tradeLots, fact.fill.priceTicks, steps);
  ledger.books.set(legKeyText(fact), {
    ...book,
    ...traded.position,
    realisedMicro: book.realisedMicro + traded.realisedMicro,
    feesMicro: book.feesMicro + fact.fill.feeMicro,
    fills: book.fills + 1,
  });
  const ownPairId = ledger.pairByOrder.get(`${fact.venue}:${fact.account}:${fact.fill.clientOrderId}`);
  if (ownPairId !== undefined) addOwnLots(ledger, ownPairId, fact, tradeLots);
  else limitOwnLots(ledger, fact);
  const claim = ledger.claims.get(legKeyText(fact));
  if (claim !== undefined) ledger.claims.set(legKeyText(fact), meetClaim(claim, tradeLots, fact.fill.venueAtMs));
  if (pairId !== undefined) {
    creditPair(ledger, pairId, {
      priceMicro: traded.realisedMicro,
      feesMicro: fact.fill.feeMicro,
      fundingMicro: 0n,
      adjustedMicro: 0n,
      fills: 1,
      fundingPayments: 0,
    });
  }
  return true;
}

/** Books a funding payment once. Returns false when it was booked before. */
export function applyFunding(ledger: Ledger, fact: FundingFact): boolean {
  if (!isNew(ledger, `funding:${fact.venue}:${fact.account}`, fact.payment.paymentId)) return false;
  // Put together once: most rows of a long history are payments.
  const leg = legKeyText(fact);
  const book = ledger.books.get(leg) ?? bookOf(ledger, fact);
  ledger.books.set(leg, {
    ...book,
    fundingMicro: book.fundingMicro + fact.payment.amountMicro,
    fundingPayments: book.fundingPayments + 1,
  });
  const pairId = ownerAt(ledger, leg, fact.payment.settledAtMs)?.pairId;
  if (pairId !== undefined) {
    creditPair(ledger, pairId, {
      priceMicro: 0n,
      feesMicro: 0n,
      fundingMicro: fact.payment.amountMicro,
      adjustedMicro: 0n,
      fills: 0,
      fundingPayments: 1,
    });
  }
  return true;
}

/**
 * Brings a position to what the venue proved to hold. The difference is booked like a trade at the venue's mark of that moment, so
 * that a position that vanished leaves its profit or loss behind and equity at that mark does not move. Without a mark the average
 * price stands in, which realises nothing. The venue's own price stays unknown: the result is booked apart, never as a fill's.
 */
export function applyAdjustment(ledger: Ledger, adjustmentId: string, adjustment: Adjustment, pairId = ''): boolean {
  if (!isNew(ledger, '', adjustmentId)) return false;
  const book = bookOf(ledger, adjustment);
  const { position, realisedMicro } = applyTradeAt(
    book,
    adjustment.changeLots,
    priceOfChange(ledger, book, adjustment),
  );
  ledger.books.set(legKeyText(adjustment), {
    ...book,
    ...position,
    adjustments: book.adjustments + 1,
    adjustedMicro: book.adjustedMicro + realisedMicro,
  });
  if (pairId !== '') {
    if (adjustment.adopted !== undefined) addOwner(ledger, adjustment, { pairId, ...adjustment.adopted });
    const lots = adjustment.pairLots ?? adjustment.changeLots;
    addOwnLots(ledger, pairId, adjustment, lots);
    if (adjustment.adopted === undefined && adjustment.atMs !== undefined) {
      const text = legKeyText(adjustment);
      ledger.claims.set(text, addToClaim(ledger.claims.get(text), pairId, lots, adjustment.atMs));
    }
    creditPair(ledger, pairId, {
      priceMicro: 0n,
      feesMicro: 0n,
      fundingMicro: 0n,
      adjustedMicro: realisedMicro,
      fills: 0,
      fundingPayments: 0,
    });
  }
  return true;
}

function priceOfChange(ledger: Ledger, book: LegBook, { priceNano }: Adjustment): (lots: number) => bigint {
  const steps = stepsOf(ledger, book.key);
  if (priceNano !== undefined && steps !== undefined) return (lots) => notionalMicroAtNano(steps, priceNano, lots);
  return (lots) => {
    if (book.signedLots === 0) return 0n;
    const share = costShare(book, Math.abs(lots));
    return Math.sign(lots) === Math.sign(book.signedLots) ? share : -share;
  };
}

/** Marks a pair's books as ended. A pair that never traded (`counts` false) is no trade and stays out of the totals. */
export function closePairBook(ledger: Ledger, pairId: string, counts: boolean): void {
  const book = pairBook(ledger, pairId);
  if (book.closed || !counts) return;
  ledger.pairs.set(pairId, { ...book, closed: true });
  ledger.closed = {
    pairs: ledger.closed.pairs + 1,
    netMicro: ledger.closed.netMicro + pairNetMicro(book),
    fundingMicro: ledger.closed.fundingMicro + book.fundingMicro,
  };
}

/** Returns the books of a pair; zeros when nothing was booked yet. */
export function pairBook(ledger: Ledger, pairId: string): PairBook {
  return (
    ledger.pairs.get(pairId) ?? {
      pairId,
      priceMicro: 0n,
      feesMicro: 0n,
      fundingMicro: 0n,
      adjustedMicro: 0n,
      fundingPayments: 0,
      fills: 0,
      closed: false,
    }
  );
}

/** Identity I1: what a pair earned, all in. */
export function pairNetMicro(book: PairBook): bigint {
  return book.priceMicro + book.feesMicro + book.fundingMicro + book.adjustedMicro;
}

/** Returns the books of a leg; flat zeros when nothing was booked yet. */
export function bookOf(ledger: Ledger, key: LegKey): LegBook {
  return (
    ledger.books.get(legKeyText(key)) ?? {
      key: { venue: key.venue, account: key.account, symbol: key.symbol },
      ...FLAT,
      realisedMicro: 0n,
      feesMicro: 0n,
      fundingMicro: 0n,
      fills: 0,
      fundingPayments: 0,
      adjustments: 0,
      adjustedMicro: 0n,
    }
  );
}

/**
 * Returns how much of a leg's position belongs to a pair, signed lots: what its own orders made of it, as far as it still exists.
 * Whoever trades on the same account can take from the pair and not add to it (domain 11.3).
 */
export function pairLots(ledger: Ledger, pairId: string, key: LegKey): number {
  const own = ledger.ownLots.get(ownKey(pairId, key)) ?? 0;
  const held = bookOf(ledger, key).signedLots;
  return shareOf(held, own);
}

/** The part of what is held that an owner of `own` lots can claim; 0 when it is on the other side. */
export function shareOf(heldLots: number, own: number): number {
  if (Math.sign(heldLots) !== Math.sign(own)) return 0;
  return Math.abs(heldLots) < Math.abs(own) ? heldLots : own;
}

function addOwnLots(ledger: Ledger, pairId: string, key: LegKey, lots: number): void {
  const text = ownKey(pairId, key);
  ledger.ownLots.set(text, (ledger.ownLots.get(text) ?? 0) + lots);
}

/** What a stranger took from a leg is gone for its pairs: lots that are added there later do not bring it back. */
function limitOwnLots(ledger: Ledger, key: LegKey): void {
  const held = bookOf(ledger, key).signedLots;
  for (const { pairId } of ledger.owners.get(legKeyText(key))?.list ?? []) {
    const own = ledger.ownLots.get(ownKey(pairId, key)) ?? 0;
    if (own !== 0) ledger.ownLots.set(ownKey(pairId, key), shareOf(held, own));
  }
}

function ownKey(pairId: string, key: LegKey): string {
  return `${pairId} ${legKeyText(key)}`;
}

/** Identity I3: by how much these facts moved the account's wallet, micro-units; exact while nothing had to be adjusted. */
export function walletChangeMicro(ledger: Ledger, venue: string, account: string): bigint {
  let changeMicro = 0n;
  for (const book of ledger.books.values()) {
    if (book.key.venue === venue && book.key.account === account)
      changeMicro += book.realisedMicro + book.feesMicro + book.fundingMicro + book.adjustedMicro;
  }
  return changeMicro;
}

/** `source` is what ids of this kind are unique within. */
function isNew({ applied }: Ledger, source: string, factId: string): boolean {
  if (applied.older.bySource.get(source)?.has(factId) === true) return false;
  const known = applied.newer.bySource.get(source);
  if (known === undefined) {
    applied.newer.bySource.set(source, new Set([factId]));
  } else {
    const before = known.size;
    // Asking first would look for the place twice.
    if (known.add(factId).size === before) return false;
  }
  applied.newer.count += 1;
  if (applied.newer.count >= APPLIED_MAX) {
    applied.older = applied.newer;
    applied.newer = noFactIds();
  }
  return true;
}

function noFactIds(): FactIds {
  return { bySource: new Map(), count: 0 };
}

/**
 * Our own orders name their pair; other fills (liquidation, manual trades) belong to the pair that holds the leg. What it holds is the
 * sum of the leg's own fills, which come from one connector in one order: a row of ours, like the end of a pair, may reach the journal
 * on either side of a fill and must not decide this.
 */
function pairOfFill(ledger: Ledger, fact: FillFact): string | undefined {
  const own = ledger.pairByOrder.get(`${fact.venue}:${fact.account}:${fact.fill.clientOrderId}`);
  if (own !== undefined) return own;
  const owners = ledger.owners.get(legKeyText(fact))?.list ?? [];
  return owners.findLast(({ pairId }) => pairLots(ledger, pairId, fact) !== 0)?.pairId;
}

/** The last of those that came by then; owners are kept as they came, and the newest is nearly always the one. */
function ownerAt(ledger: Ledger, leg: string, atMs: number): Ownership | undefined {
  return ledger.owners.get(leg)?.list.findLast(({ fromMs }) => fromMs <= atMs);
}

function creditPair(ledger: Ledger, pairId: string, amounts: Omit<PairBook, 'pairId' | 'closed'>): void {
  const book = pairBook(ledger, pairId);
  ledger.pairs.set(pairId, {
    ...book,
    priceMicro: book.priceMicro + amounts.priceMicro,
    feesMicro: book.feesMicro + amounts.feesMicro,
    fundingMicro: book.fundingMicro + amounts.fundingMicro,
    adjustedMicro: book.adjustedMicro + amounts.adjustedMicro,
    fills: book.fills + amounts.fills,
    fundingPayments: book.fundingPayments + amounts.fundingPayments,
  });
  if (!book.closed) return;
  ledger.closed = {
    ...ledger.closed,
    netMicro:
      ledger.closed.netMicro + amounts.priceMicro + amounts.feesMicro + amounts.fundingMicro + amounts.adjustedMicro,
    fundingMicro: ledger.closed.fundingMicro + amounts.fundingMicro,
  };
}
