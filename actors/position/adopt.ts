/** Taking over what somebody else opened, because a person says so: checked, made durable, and only then believed (domain 14.2). */
import { applyRow } from '../../src/execution/execution-book.ts';
import type { LegSide } from '../../src/execution/facts.ts';
import { sharedBaseUnits } from '../../src/execution/imbalance.ts';
import { bookOf } from '../../src/execution/ledger.ts';
import type { Adjustment } from '../../src/execution/ledger.ts';
import { isSettled } from '../../src/execution/order-state.ts';
import type { PairLeg, PairRecord } from '../../src/execution/pair.ts';
import { isActive, newTiming } from '../../src/execution/pair-state.ts';
import { positionTruth } from '../../src/execution/position-truth.ts';
import type { Instrument } from '../../src/market/instrument.ts';
import { priceOf, quantityOf, quantityText } from '../../src/money/amounts.ts';
import type { JournalRow } from '../../src/storage/rows.ts';
import { noDanger, noDangerNews } from '../../src/strategy/danger.ts';
import { initialExitState } from '../../src/strategy/exit-decision.ts';
import { CAPITAL_PER_MARGIN } from '../../src/strategy/opportunity.ts';
import type { AdoptedLeg, PositionMessage } from '../position-messages.ts';
import { advance } from './carry-out.ts';
import { pairIdOf } from './enter.ts';
import { leverageAskedFor } from './gates.ts';
import { appendAdoption, APPENDS_MAX, isAdopting, pairRow, rowOf } from './journal.ts';
import { averageBasePrice, markOf, minimumLots } from './pair-view.ts';
import { isReachable, legKeyOf, trackOf, venueKey } from './state.ts';
import type { Adoption, PositionSelf, PositionState, VenueTrack } from './state.ts';

type AdoptPosition = Extract<PositionMessage, { type: 'adopt-position' }>;

/** What a leg is made of, all of it known. */
interface KnownLeg {
  readonly track: VenueTrack;
  readonly instrument: Instrument;
  readonly lots: number;
  /** Quote per contract. */
  readonly mark: number;
  /** Paid on average, quote per unit of the underlying. */
  readonly average: number;
}

type Legs = Readonly<Record<LegSide, KnownLeg>>;

/** Writes the pair a person asked for, or says which rule it breaks. Nothing is traded by it, and nothing believed before it is durable. */
export function adopt(state: PositionState, self: PositionSelf, wanted: AdoptPosition): void {
  const legs = stateRefusal(state) ?? knownLegs(state, wanted);
  const refusal = typeof legs === 'string' ? legs : pairRefusal(state, legs);
  const asked = (state.adoption?.asked ?? 0) + 1;
  if (typeof legs === 'string' || refusal !== undefined) {
    state.adoption = { asked, outcome: 'writing', detail: '' };
    adoptionAbandoned(state, self, refusal ?? '');
    return;
  }
  const record = recordOf(state, self, legs);
  // The number is used up whether or not the journal takes the rows.
  state.orderCounter += 1;
  state.adoption = { asked, outcome: 'writing', detail: record.pairId };
  self.log('warn', 'position-adopting', {
    pairId: record.pairId,
    long: `${legs.long.lots} lots at ${venueKey(record.long)}`,
    short: `${legs.short.lots} lots at ${venueKey(record.short)}`,
    reason: wanted.reason,
  });
  const owned = (['long', 'short'] as const).map((leg) => ownershipRow(state, self, record, leg, wanted.reason));
  appendAdoption(state, self, [pairRow(state, self, record), ...owned]);
}

/** The journal has it: from here on it is a pair like any other. */
export function adoptionDurable(state: PositionState, self: PositionSelf, rows: readonly JournalRow[]): void {
  for (const row of rows) applyRow(state.book, row);
  const { record } = state.book;
  if (record === undefined) return;
  state.pair = { record, timing: newTiming(self.monotonicMs()) };
  state.exit = initialExitState;
  state.danger = noDanger;
  state.dangerNews = noDangerNews;
  state.adoption = outcome(state, 'adopted', record.pairId);
  self.count('positions-adopted');
  self.log('warn', 'position-adopted', { pairId: record.pairId });
  advance(state, self);
}

/** It broke a rule, or the journal did not take it. */
export function adoptionAbandoned(state: PositionState, self: PositionSelf, rule: string): void {
  state.adoption = outcome(state, 'refused', rule);
  self.count(`adoptions-refused:${rule.split(':')[0]}`);
  self.log('warn', 'adoption-refused', { base: state.args.base, rule });
}

function outcome(state: PositionState, result: Adoption['outcome'], detail: string): Adoption {
  return { asked: state.adoption?.asked ?? 1, outcome: result, detail };
}

function stateRefusal(state: PositionState): string | undefined {
  const { base } = state.args;
  if (state.stage !== 'running') return `RECOVERING: ${base} must have recovered, is ${state.stage}`;
  if (state.draining) return 'DRAINING: the engine must not be stopping';
  const engine = state.engine?.state ?? 'unknown';
  if (engine !== 'ARMED' && engine !== 'TRADING' && engine !== 'REDUCE_ONLY')
    return `ENGINE_STATE: the engine must be ARMED, TRADING or REDUCE_ONLY, is ${engine}`;
  if (isAdopting(state)) return `ADOPTING: another adoption of ${base} must be written first`;
  if (state.appends.size > APPENDS_MAX) return 'JOURNAL: the journal must answer';
  const record = state.pair?.record;
  if (record !== undefined && isActive(record.phase))
    return `PAIR_EXISTS: ${base} must have no pair, has ${record.pairId} (${record.phase})`;
  // A late fill would change what is held, and it would be ours.
  const open = [...state.book.orders.values()].find((order) => !isSettled(order));
  return open === undefined
    ? undefined
    : `UNRESOLVED: every order must have ended, ${open.planned.clientOrderId} is ${open.status}`;
}

/** Both legs as their venues prove them to be, or the rule one of them breaks. */
function knownLegs(state: PositionState, { long, short }: AdoptPosition): Legs | string {
  if (venueKey(long) === venueKey(short)) return `LEGS: long and short must be two accounts, were ${venueKey(long)}`;
  const knownLong = knownLeg(state, 'long', long);
  if (typeof knownLong === 'string') return knownLong;
  const knownShort = knownLeg(state, 'short', short);
  return typeof knownShort === 'string' ? knownShort : { long: knownLong, short: knownShort };
}

function knownLeg(state: PositionState, side: LegSide, leg: AdoptedLeg): KnownLeg | string {
  const name = venueKey(leg);
  const track = trackOf(state, leg);
  if (track === undefined) return `ACCOUNT: ${side} must be one of ${[...state.venues.keys()].join(', ')}, was ${name}`;
  const key = legKeyOf(track);
  const { instrument } = track;
  if (key === undefined || instrument === undefined || !track.reconciled || !isReachable(track.status))
    return `UNRECONCILED: ${name} must be ready and compared`;
  const book = bookOf(state.book.ledger, key);
  const truth = positionTruth(track.watch, book.signedLots);
  if (truth.kind !== 'confirmed')
    return `UNCONFIRMED: what ${name} holds must be proven, its word and our books differ`;
  const lots = side === 'long' ? leg.lots : -leg.lots;
  if (truth.lots !== lots) return `LOTS: ${name} must hold ${lots} lots of ${key.symbol}, holds ${truth.lots}`;
  const minLots = minimumLots(track, instrument);
  if (leg.lots < minLots) return `TOO_SMALL: ${name} must hold ${minLots} lots to be closed again, holds ${leg.lots}`;
  const mark = markOf(track);
  if (mark === undefined) return `STALE_MARK: ${name} must have told a price of ${key.symbol}`;
  const average = averageBasePrice(book, instrument);
  if (average <= 0) return `COST_UNKNOWN: what ${name} paid for its ${key.symbol} must be known`;
  return { track, instrument, lots: leg.lots, mark, average };
}

function pairRefusal(state: PositionState, { long, short }: Legs): string | undefined {
  for (const track of state.venues.values()) {
    if (track.external && track !== long.track && track !== short.track)
      return `OTHER_EXPOSURE: nothing else may be held, ${venueKey(track)} holds ${track.watch.reportedLots} lots`;
  }
  const units = sharedBaseUnits(long.instrument, short.instrument);
  const net = BigInt(long.lots) * units.long - BigInt(short.lots) * units.short;
  const coarser = units.long > units.short ? units.long : units.short;
  // Anything more would have to be traded away, and adopting trades nothing.
  return net < coarser && -net < coarser
    ? undefined
    : `UNBALANCED: both legs must hold the same amount, they hold ${described(long)} and ${described(short)}`;
}

function described({ track, instrument, lots }: KnownLeg): string {
  return `${quantityText(lots, instrument)} at ${venueKey(track)}`;
}

/** Open from now on. Nobody expected anything of it: what it earns is compared with nothing. */
function recordOf(state: PositionState, self: PositionSelf, legs: Legs): PairRecord {
  const { long, short } = legs;
  const nowMs = self.nowMs();
  return {
    pairId: pairIdOf(state),
    base: state.args.base,
    revision: 1,
    phase: 'OPEN',
    reason: 'ADOPTED',
    long: legOf(long),
    short: legOf(short),
    expected: {
      netHourlyQuote: 0,
      expectedValueQuote: 0,
      roundTripCostQuote: 0,
      entryBasisBps: ((short.average - long.average) / long.average) * 1e4,
      capitalQuote: CAPITAL_PER_MARGIN * (marginOf(state, long) + marginOf(state, short)),
    },
    decidedAtMs: nowMs,
    enteredAtMs: nowMs,
    openedAtMs: nowMs,
    closedAtMs: 0,
    exitReason: '',
    brokenOrders: 0,
    failures: 0,
    cooldownUntilMs: 0,
    adopted: true,
  };
}

function legOf({ track, instrument, lots, average }: KnownLeg): PairLeg {
  const vwapTicks = (average * instrument.multiplier) / priceOf(1, instrument);
  const { venue, account } = track;
  return { venue, account, symbol: instrument.symbol, lots, limitTicks: Math.round(vwapTicks), vwapTicks };
}

/** Initial margin at the mark, quote. */
function marginOf(state: PositionState, { track, instrument, lots, mark }: KnownLeg): number {
  return (quantityOf(lots, instrument) * mark) / (track.leverage ?? leverageAskedFor(state, instrument));
}

/** Whose the lots are from now on; how many there are does not change. */
function ownershipRow(
  state: PositionState,
  self: PositionSelf,
  record: PairRecord,
  leg: LegSide,
  reason: string,
): JournalRow {
  const { pairId } = record;
  const { venue, account, symbol, lots } = record[leg];
  const adjustment: Adjustment = {
    venue,
    account,
    symbol,
    changeLots: 0,
    priceNano: 0n,
    pairLots: leg === 'long' ? lots : -lots,
    adopted: { leg, fromMs: self.nowMs() },
    evidence: `adopted by a person: ${reason}`,
  };
  return rowOf(state, self, 'adjust', `adopt:${pairId}:${leg}`, { adjustment, pairId });
}
