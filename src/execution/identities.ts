/**
 * The identities of the books (domain 15.5), each with the two numbers that must be one. Nothing here corrects anything: whoever
 * asks is told what is broken. Pure functions, any thread.
 */
import { legKeyText } from './facts.ts';
import type { FundingExpectation } from './funding-expectation.ts';
import { bookOf, pairBook, pairLots, pairNetMicro, shareOf } from './ledger.ts';
import type { Ledger, LegBook } from './ledger.ts';
import { isActive } from './pair-state.ts';
import { microOfNanoLots, microOfTickLots, settlementOf } from './tally.ts';
import type { LegTally, PairTally, RowBreach, Tally } from './tally.ts';

export type IdentityName =
  | RowBreach['identity']
  /** The ledger's position is the sum of its fills and corrections. */
  | 'LEG_LOTS'
  /** Realised result plus what is tied up is the cash that flowed. */
  | 'LEG_CASH'
  | 'LEG_FEES'
  | 'LEG_FUNDING'
  /** What is booked on the pairs is what is booked on the legs. */
  | 'SUM_OF_LEGS'
  | 'PAIR_FEES'
  /** A flat pair's price result is the cash of its own fills (I2). */
  | 'PAIR_PRICE'
  /** The sums over closed pairs are the sums of the closed pairs (I1). */
  | 'CLOSED_TOTALS'
  | 'CLOSED_NOT_FLAT'
  | 'FAILED_WITH_BOOKINGS'
  | 'TWO_ACTIVE_PAIRS'
  /** What was expected of settlements is what came, what is awaited and what is missing. */
  | 'FUNDING_SUM'
  /** The position actor's live books against the fold of the journal. */
  | 'LIVE_PAIR'
  | 'LIVE_LEG'
  | 'LIVE_TOTALS'
  | 'LIVE_FUNDING'
  /** The venue's word on a position against its fills. */
  | 'VENUE_POSITION'
  /** The three views of an open pair against each other. */
  | 'THREE_VIEWS'
  /** The account's wallet moved by what the journal explains, and by nothing else (I3). */
  | 'WALLET_CHANGE';

/** One identity that does not hold. */
export interface BrokenIdentity {
  readonly identity: IdentityName;
  /** What it does not hold of: a leg, pair, order, fill or account. */
  readonly subject: string;
  readonly expected: string;
  readonly got: string;
}

/** One leg: ledger against tally. Amounts may differ by a micro-unit per fact where each fact is rounded. */
export function legBreaches(ledger: Ledger, tally: Tally, key: LegBook['key']): readonly BrokenIdentity[] {
  const subject = legKeyText(key);
  const book = bookOf(ledger, key);
  const leg = tally.legs.get(subject);
  if (leg === undefined) return [];
  const breaches: BrokenIdentity[] = [];
  compare(breaches, 'LEG_LOTS', subject, leg.lots, book.signedLots);
  compare(breaches, 'LEG_FEES', subject, leg.feesMicro, book.feesMicro);
  compare(breaches, 'LEG_FUNDING', subject, leg.fundingMicro, book.fundingMicro);
  const cash = cashMicro(tally, leg);
  if (cash !== undefined && !leg.hasUnpriced) {
    const booked = book.realisedMicro + book.adjustedMicro - book.costMicro;
    // A fact through zero is two trades, each rounded by itself.
    compareWithin(breaches, 'LEG_CASH', subject, cash, booked, 2 * (leg.fills + leg.adjustments) + 1);
  }
  return breaches;
}

function cashMicro(tally: Tally, leg: LegTally): bigint | undefined {
  const steps = tally.steps.get(`${leg.venue}:${leg.symbol}`);
  if (steps === undefined) return leg.fills === 0 && leg.adjustments === 0 ? 0n : undefined;
  return microOfTickLots(steps, leg.cashTickLots) + microOfNanoLots(steps, leg.cashNanoLots);
}

/** One pair: ledger against the sums of its own orders' fills. */
export function pairBreaches(ledger: Ledger, tally: Tally, pair: PairTally): readonly BrokenIdentity[] {
  const book = pairBook(ledger, pair.pairId);
  const breaches: BrokenIdentity[] = [];
  const legs = [...pair.lots.keys()].map((key) => tally.legs.get(key));
  const isAlone = !pair.hasStrangers && legs.every((leg) => leg?.hasStrangers === false);
  if (isAlone) compare(breaches, 'PAIR_FEES', pair.pairId, pair.feesMicro, book.feesMicro);
  const isOwn = isAlone && legs.every((leg) => leg?.isShared === false);
  if (isOwn && [...pair.lots.values()].every((lots) => lots === 0)) {
    let cash = 0n;
    for (const [key, tickLots] of pair.cashTickLots) {
      const leg = tally.legs.get(key);
      const steps = leg === undefined ? undefined : tally.steps.get(`${leg.venue}:${leg.symbol}`);
      if (steps !== undefined) cash += microOfTickLots(steps, tickLots);
    }
    compareWithin(breaches, 'PAIR_PRICE', pair.pairId, cash, book.priceMicro, 2 * pair.fills + 2);
  }
  return breaches;
}

/** All of one symbol: sums over legs and over pairs. */
export function symbolBreaches(ledger: Ledger, tally: Tally, base: string): readonly BrokenIdentity[] {
  const breaches: BrokenIdentity[] = [];
  const isAlone = [...tally.legs.values()].every((leg) => !leg.hasStrangers);
  if (isAlone) sumOfLegs(breaches, ledger, base);
  const totals = { pairs: 0, netMicro: 0n, fundingMicro: 0n };
  for (const pair of ledger.pairs.values()) {
    if (!pair.closed) continue;
    totals.pairs += 1;
    totals.netMicro += pairNetMicro(pair);
    totals.fundingMicro += pair.fundingMicro;
  }
  compare(breaches, 'CLOSED_TOTALS', base, describe(totals), describe(ledger.closed));
  return breaches;
}

/** Payments of settlements nobody of ours held through are the account's alone: funding is compared where fills are all ours. */
function sumOfLegs(breaches: BrokenIdentity[], ledger: Ledger, base: string): void {
  const legs = { price: 0n, fees: 0n, adjusted: 0n };
  for (const leg of ledger.books.values()) {
    legs.price += leg.realisedMicro;
    legs.fees += leg.feesMicro;
    legs.adjusted += leg.adjustedMicro;
  }
  const pairs = { price: 0n, fees: 0n, adjusted: 0n };
  for (const pair of ledger.pairs.values()) {
    pairs.price += pair.priceMicro;
    pairs.fees += pair.feesMicro;
    pairs.adjusted += pair.adjustedMicro;
  }
  for (const amount of ['price', 'fees', 'adjusted'] as const)
    compare(breaches, 'SUM_OF_LEGS', `${base} ${amount}`, legs[amount], pairs[amount]);
}

/** The parts of the settlements the fold still remembers must make up the whole: what came, by how much it differed, what is owed. */
export function fundingBreaches(
  tally: Tally,
  base: string,
  expectations: readonly FundingExpectation[],
): readonly BrokenIdentity[] {
  const breaches: BrokenIdentity[] = [];
  let expected = 0n;
  let parts = 0n;
  for (const known of expectations) {
    const settlement = settlementOf(tally, known.leg, known.settleAtMs);
    if (settlement?.expectedMicro === undefined) continue;
    expected += known.expectedMicro;
    const { receivedMicro } = settlement;
    if (receivedMicro !== undefined) parts += receivedMicro + (settlement.expectedMicro - receivedMicro);
    if (known.status === 'PENDING' || known.status === 'MISSING') parts += known.expectedMicro;
  }
  compare(breaches, 'FUNDING_SUM', base, expected, parts);
  return breaches;
}

/**
 * What the newest states of a symbol's pairs say: at most one is active, and those that ended hold nothing. True for a moment while a
 * late fill is being acted on, or a state's row is on its way: only lasting breaches count.
 */
export function stateBreaches(ledger: Ledger, tally: Tally, base: string): readonly BrokenIdentity[] {
  const breaches: BrokenIdentity[] = [];
  const active = [...tally.pairs.values()].filter(({ phase }) => isActivePhase(phase));
  if (active.length > 1)
    breaches.push({
      identity: 'TWO_ACTIVE_PAIRS',
      subject: base,
      expected: 'at most one active pair',
      got: active.map(({ pairId, phase }) => `${pairId} ${phase}`).join(' and '),
    });
  for (const pair of tally.pairs.values()) {
    // Funding of what somebody else holds on its account may be booked on it: fills are what it must not have.
    if (pair.phase === 'FAILED')
      compare(breaches, 'FAILED_WITH_BOOKINGS', pair.pairId, 0, pairBook(ledger, pair.pairId).fills);
    if (pair.phase !== 'CLOSED') continue;
    for (const [subject, lots] of pair.lots) {
      const book = ledger.books.get(subject);
      if (book === undefined || lots === 0) continue;
      const held = shareOf(book.signedLots, pairLots(ledger, pair.pairId, book.key));
      compare(breaches, 'CLOSED_NOT_FLAT', `${pair.pairId} ${subject}`, 0, held);
    }
  }
  return breaches;
}

function isActivePhase(phase: string): boolean {
  return phase !== '' && isActive(phase as Parameters<typeof isActive>[0]);
}

/** Adds a breach when the two are not the same. */
export function compare(
  breaches: BrokenIdentity[],
  identity: IdentityName,
  subject: string,
  expected: number | bigint | string,
  got: number | bigint | string,
): void {
  if (expected !== got) breaches.push({ identity, subject, expected: String(expected), got: String(got) });
}

/** Adds a breach when two amounts are further apart than rounding explains, micro-units. */
export function compareWithin(
  breaches: BrokenIdentity[],
  identity: IdentityName,
  subject: string,
  expected: bigint,
  got: bigint,
  toleranceMicro: number,
): void {
  const difference = expected > got ? expected - got : got - expected;
  if (difference > BigInt(toleranceMicro)) {
    breaches.push({ identity, subject, expected: `${expected} ± ${toleranceMicro}`, got: String(got) });
  }
}

function describe(totals: {
  readonly pairs: number;
  readonly netMicro: bigint;
  readonly fundingMicro: bigint;
}): string {
  return `${totals.pairs} pairs, net ${totals.netMicro}, funding ${totals.fundingMicro}`;
}
