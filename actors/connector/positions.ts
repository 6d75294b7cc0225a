/** Positions at the venue: told to their actors as the venue words them, and counted for the last gate together with newer fills. */
import type { FillReport, OrderRequest, PositionReport } from '../../src/venues/venue.ts';
import { positionRef } from '../addresses.ts';
import { isPositionPossible } from './plausible.ts';
import type { ConnectorSelf, ConnectorState, PositionTrack, SentAt } from './state.ts';

/** A queried fill this much older than the venue's word on the position, real ms, is part of that word. */
const FILL_INCLUDED_MS = 2_000;

/** The venue said what it holds: on its stream, or in answer to a question sent then. No report: it listed others only. */
export function positionReported(
  state: ConnectorState,
  self: ConnectorSelf,
  symbol: string,
  report: PositionReport | undefined,
  askedAt: SentAt | undefined,
): void {
  if (!isPositionPossible(state, self, symbol, report)) return;
  const signedLots = report?.signedLots ?? 0;
  const track = trackOf(state, symbol);
  const knownAtMs = askedAt?.monotonicMs ?? self.monotonicMs();
  // A fill that arrived while the question was under way may be part of the answer or not: the sum so far stays the better word.
  if (track.fillsSince === 0 || track.lastFillAtMs <= knownAtMs) {
    track.reportedLots = signedLots;
    track.reportedAtMs = knownAtMs;
    track.filledSinceLots = 0;
    track.fillsSince = 0;
  }
  const base = state.baseBySymbol.get(symbol);
  if (base === undefined) return;
  state.positionSequence += 1;
  self.tell(positionRef(base), {
    type: 'position-reported',
    venue: state.args.venue,
    account: state.args.account,
    symbol,
    signedLots,
    ...liquidationOf(self, report),
    ...(report?.adlRank === undefined ? {} : { adlRank: report.adlRank }),
    source: askedAt === undefined ? 'stream' : 'query',
    sequence: state.positionSequence,
    receivedAtMonotonicMs: knownAtMs,
  });
}

/** A price that is none is dropped and counted: the computed one is there all the same. */
function liquidationOf(
  self: ConnectorSelf,
  report: PositionReport | undefined,
): { readonly liquidationPrice?: number } {
  if (report?.liquidationPrice === undefined || report.signedLots === 0) return {};
  const liquidationPrice = Number(report.liquidationPrice);
  if (Number.isFinite(liquidationPrice) && liquidationPrice > 0) return { liquidationPrice };
  self.count('liquidation-prices-unusable');
  return {};
}

/** A fill not known before, from the stream or found by a question. */
export function positionFilled(state: ConnectorState, self: ConnectorSelf, fill: FillReport, isQueried: boolean): void {
  const track = trackOf(state, fill.symbol);
  const ageMs = (self.nowMs() - fill.venueAtMs) / self.ports.calendar.scale;
  const reportAgeMs = self.monotonicMs() - track.reportedAtMs;
  if (isQueried && ageMs > reportAgeMs + FILL_INCLUDED_MS) return;
  track.filledSinceLots += fill.side === 'buy' ? fill.lots : -fill.lots;
  track.fillsSince += 1;
  track.lastFillAtMs = self.monotonicMs();
}

/**
 * Returns the position an order is judged by. One that opens: the venue's word with or without the fills since, whichever is worse
 * for it. One that reduces: the venue's word, or undefined after newer fills, and the venue's own reduce-only rule decides; where
 * there is no such rule, the venue's word with or without these fills, whichever leaves less to reduce.
 */
export function judgedPosition(state: ConnectorState, order: OrderRequest): number | undefined {
  const track = state.positions.get(order.symbol);
  if (!state.reconciled || track?.reportedLots === undefined) return undefined;
  const withFills = track.reportedLots + track.filledSinceLots;
  if (order.reduceOnly) {
    if (state.adapter.lacksReduceOnly === true) return nearerZero(track.reportedLots, withFills);
    return track.fillsSince > 0 ? undefined : track.reportedLots;
  }
  return order.side === 'buy' ? Math.max(track.reportedLots, withFills) : Math.min(track.reportedLots, withFills);
}

/** Words that disagree on the side leave nothing that surely can be reduced. */
function nearerZero(one: number, other: number): number {
  if (one * other <= 0) return 0;
  return Math.abs(one) < Math.abs(other) ? one : other;
}

function trackOf(state: ConnectorState, symbol: string): PositionTrack {
  const known = state.positions.get(symbol);
  if (known !== undefined) return known;
  const track: PositionTrack = {
    reportedLots: undefined,
    reportedAtMs: Number.NEGATIVE_INFINITY,
    filledSinceLots: 0,
    fillsSince: 0,
    lastFillAtMs: Number.NEGATIVE_INFINITY,
  };
  state.positions.set(symbol, track);
  return track;
}
