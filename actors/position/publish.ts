/** The public picture of a position actor, told to strategy, guard and observer. */
import { refOf } from '../../src/runtime/actor.ts';
import { stoppedExposureClock, unhedgedForMs } from '../../src/execution/exposure-clock.ts';
import { ordersOfPair } from '../../src/execution/execution-book.ts';
import type { LegSide } from '../../src/execution/facts.ts';
import { owedMicro } from '../../src/execution/funding-expectation.ts';
import { bookOf, pairBook } from '../../src/execution/ledger.ts';
import { isUnresolved } from '../../src/execution/order-state.ts';
import type { Pair } from '../../src/execution/pair.ts';
import { isActive } from '../../src/execution/pair-state.ts';
import { perSettlement } from '../../src/market/funding-rate.ts';
import { fundingMicro, notionalMicroAtNano, quantityOf } from '../../src/money/amounts.ts';
import type { LegState, PairChanged } from '../position-messages.ts';
import { divergenceBps } from '../../src/strategy/exit-decision.ts';
import { nearestLiquidation } from './exits.ts';
import { liveOrders } from './live-orders.ts';
import { basePrice, lotsOfLeg } from './pair-view.ts';
import { addRotation } from '../../src/execution/rotation-history.ts';
import { entryBlock } from './reductions.ts';
import { pairTracks, trackOf } from './state.ts';
import type { PositionSelf, PositionState, VenueTrack } from './state.ts';
import { viewsOf } from './views.ts';

/** Between changes of phase the picture is told at most this often. */
const TELL_PAUSE_MS = 500;

/** Tells the picture when its phase changed, or when enough time has passed. */
export function publish(state: PositionState, self: PositionSelf): void {
  noteRotation(state);
  const now = self.monotonicMs();
  const phase = phaseOf(state);
  const last = state.lastTold;
  const pairId = state.pair?.record.pairId ?? '';
  const turned =
    last === undefined ||
    last.phase !== phase ||
    last.pairId !== pairId ||
    (state.draining && (last.liveOrders !== liveOrders(state) || last.drained !== isDrained(state, phase)));
  if (!turned && now - state.lastToldAtMs < TELL_PAUSE_MS) return;
  const distance =
    state.pair !== undefined && isActive(state.pair.record.phase)
      ? nearestLiquidation(state, self, state.pair)
      : undefined;
  const divergence = divergenceRatio(state);
  const picture: PairChanged = {
    ...pictureOf(state, phase),
    ...(distance === undefined ? {} : { liquidationDistance: distance }),
    ...(divergence === undefined ? {} : { markDivergenceRatio: divergence }),
  };
  state.lastTold = picture;
  state.lastToldAtMs = now;
  for (const path of [state.args.strategyPath, state.args.guardPath, state.args.observerPath])
    self.tell(refOf<PairChanged>(path), picture);
}

function divergenceRatio(state: PositionState): number | undefined {
  const { pair } = state;
  if (pair === undefined || !isActive(pair.record.phase)) return undefined;
  const { long, short } = pairTracks(state, pair);
  const apartBps = divergenceBps(basePrice(long), basePrice(short));
  // A configuration may allow none at all: then a basis point is counted as what is allowed.
  return apartBps === undefined ? undefined : apartBps / Math.max(1, state.args.entry.entry.maxMarkDivergenceBps);
}

/** Records what the pair amounts to and what of it stands alone now. */
export function recordExposure(state: PositionState, self: PositionSelf): void {
  const { pair } = state;
  const { base } = state.args;
  const clock = pair !== undefined && isActive(pair.record.phase) ? pair.timing.exposure : stoppedExposureClock;
  self.metrics.gauge('exposure_quote', { base }).set(Number(notionalOf(state, pair)) / 1e6);
  self.metrics.gauge('unhedged_quote', { base }).set(clock.unhedgedQuote);
  self.metrics.gauge('unhedged_time', { base }).set(unhedgedForMs(clock, self.monotonicMs()));
}

/** The picture as it would be told now. */
export function pictureOf(state: PositionState, phase: PairChanged['phase'] = phaseOf(state)): PairChanged {
  const { pair } = state;
  const { closed } = state.book.ledger;
  const book = pairBook(state.book.ledger, pair?.record.pairId ?? '');
  const views = pair !== undefined && isActive(pair.record.phase) ? viewsOf(state, pair) : undefined;
  return {
    type: 'pair-changed',
    base: state.args.base,
    phase,
    pairId: pair?.record.pairId ?? '',
    reason: reasonOf(state),
    ...(pair === undefined ? {} : { long: legState(state, pair, 'long'), short: legState(state, pair, 'short') }),
    openedAtMs: pair?.record.openedAtMs ?? 0,
    closedAtMs: pair?.record.closedAtMs ?? 0,
    fundingMicro: book.fundingMicro,
    feesMicro: book.feesMicro,
    realisedMicro: book.priceMicro + book.adjustedMicro,
    ...(views?.executableMicro === undefined ? {} : { executableMicro: views.executableMicro }),
    ...(views === undefined ? {} : { views }),
    owedMicro: owedMicro(state.expectations),
    fundingPayments: book.fundingPayments,
    liveOrders: liveOrders(state),
    drained: isDrained(state, phase),
    cooldownUntilMs: pair?.record.cooldownUntilMs ?? 0,
    ...suspectPayments(state),
    ...(state.rotatedAtMs.length === 0 ? {} : { rotatedAtMs: state.rotatedAtMs }),
    ...(state.legReductions.length === 0 ? {} : { entryBlock: entryBlock(state) }),
    closedPairs: closed.pairs,
    closedNetMicro: closed.netMicro,
    closedFundingMicro: closed.fundingMicro,
    notionalMicro: notionalOf(state, pair),
    exposureQuoteSec: pair?.timing.exposure.quoteSeconds ?? 0,
  };
}

function noteRotation(state: PositionState): void {
  if (state.pair !== undefined) state.rotatedAtMs = addRotation(state.rotatedAtMs, state.pair.record);
}

function suspectPayments(state: PositionState): Pick<PairChanged, 'suspectPayments'> {
  const suspects = [...state.venues.values()].flatMap(({ venue, account, paymentSuspicion }) => {
    if (paymentSuspicion === undefined) return [];
    const { implied, stated } = paymentSuspicion;
    return [{ venue, account, implied, stated }];
  });
  return suspects.length === 0 ? {} : { suspectPayments: suspects };
}

function phaseOf(state: PositionState): PairChanged['phase'] {
  return state.stage === 'running' ? (state.pair?.record.phase ?? 'IDLE') : 'RECOVERING';
}

function reasonOf(state: PositionState): string {
  if ([...state.venues.values()].some((track) => track.external)) return 'EXTERNAL_EXPOSURE';
  if (state.stage !== 'running') return state.stage;
  if (state.refusal !== '' && (state.pair === undefined || !isActive(state.pair.record.phase))) return state.refusal;
  return state.pair?.record.reason ?? '';
}

/** Phases that end by themselves: orders are on their way or about to be. */
const IN_BETWEEN: ReadonlySet<string> = new Set([
  'RECOVERING',
  'PREFLIGHT',
  'OPENING',
  'CLOSING',
  'UNWINDING',
  'REBALANCING',
]);

function isDrained(state: PositionState, phase: PairChanged['phase']): boolean {
  return state.draining && liveOrders(state) === 0 && !IN_BETWEEN.has(phase);
}

function legState(state: PositionState, pair: Pair, leg: LegSide): LegState {
  const { venue, account, symbol } = pair.record[leg];
  const book = bookOf(state.book.ledger, pair.record[leg]);
  const track = trackOf(state, pair.record[leg]);
  const { instrument, watch } = track ?? {};
  const averagePrice =
    book.signedLots === 0 || instrument === undefined
      ? 0
      : Number(book.costMicro) / 1e6 / quantityOf(book.signedLots, instrument);
  return {
    venue,
    account,
    symbol,
    signedLots: book.signedLots,
    averagePrice,
    costMicro: book.costMicro,
    ...(watch?.reportedLots === undefined ? {} : { reportedLots: watch.reportedLots }),
    ...(track === undefined ? {} : nextFunding(track, lotsOfLeg(state, pair, leg))),
  };
}

function nextFunding({ instrument, mark, predicted }: VenueTrack, signedLots: number): Pick<LegState, 'nextFunding'> {
  if (instrument === undefined || mark === undefined || predicted === undefined || signedLots === 0) return {};
  const expectedMicro = fundingMicro(instrument, signedLots, mark.markNano, perSettlement(predicted));
  return { nextFunding: { settleAtMs: predicted.settleAtMs, expectedMicro } };
}

/**
 * The larger leg at its mark, at its worst: what is planned counts before it is filled, and what nobody can say of an order that adds
 * to a leg counts as filled. Zero without an active pair.
 */
function notionalOf(state: PositionState, pair: Pair | undefined): bigint {
  if (pair === undefined || !isActive(pair.record.phase)) return 0n;
  const tracks = pairTracks(state, pair);
  const opening = pair.record.phase === 'PREFLIGHT' || pair.record.phase === 'OPENING';
  let largest = 0n;
  for (const leg of ['long', 'short'] as const) {
    const { instrument, mark } = tracks[leg];
    if (instrument === undefined || mark === undefined) continue;
    const held = Math.abs(lotsOfLeg(state, pair, leg)) + unresolvedLots(state, pair, leg);
    const notional = notionalMicroAtNano(
      instrument,
      mark.markNano,
      opening ? Math.max(held, pair.record[leg].lots) : held,
    );
    if (notional > largest) largest = notional;
  }
  return largest;
}

/** Lots that orders of the pair without a known outcome may still add to a leg, or may have added. */
function unresolvedLots(state: PositionState, pair: Pair, leg: LegSide): number {
  return ordersOfPair(state.book, pair.record.pairId)
    .filter((order) => order.planned.leg === leg && !order.planned.reduceOnly && isUnresolved(order))
    .reduce((lots, order) => lots + order.planned.lots - order.filledLots, 0);
}
