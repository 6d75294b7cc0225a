/**
 * The stop that rests at the venue under each leg of an open pair, for the time in which nobody here can close it: it reduces only,
 * waits for the mark, and stands nearer to the liquidation than the engine itself would ever let the leg come. Pure, any thread.
 *
 * ```
 *   none ──pair open, distance known──▶ waiting ──the mark is there──▶ executed: the leg is gone, the pair is left
 *     ▲                                    │ the leg's size or its liquidation changed, half its time is over,
 *     └──────────── ended ◀────cancelled───┘ the pair is open no more
 * ```
 *
 * All that is done about one (a test holds this table and the code against each other): it is placed, or asked to end, where the next
 * state says so; what is not drawn leaves it alone.
 *
 * | from | event | to |
 * | ---- | ----- | -- |
 * | none, ended | pair open | placed |
 * | waiting | leg resized, liquidation moved, half its time over, pair leaves | ending |
 *
 * At most one of a leg is live: the next one is placed once the venue has ended the last. It is no order of the pair's own machine:
 * nothing waits for it, and it counts as no exposure, because it can only take away.
 */
import type { LegSide } from './facts.ts';
import { isTerminal } from './order-state.ts';
import type { OrderState } from './order-state.ts';

/** True for an order that waits for the mark under a leg. */
export function isStop(order: Pick<OrderState, 'planned'>): boolean {
  return order.planned.trigger !== undefined;
}

/** One leg as its stop sees it; prices as marks per contract, quote. */
export interface StopLeg {
  readonly side: LegSide;
  /** Unsigned. */
  readonly lots: number;
  readonly markPrice: number | undefined;
  /** Fraction of mark to its liquidation; undefined while unknown. */
  readonly liquidationDistance: number | undefined;
  /** Quote of one tick. */
  readonly tickSize: number;
  /** Its stops, oldest first. */
  readonly stops: readonly OrderState[];
  /** Calendar ms. */
  readonly nowMs: number;
}

export interface StopPolicy {
  /** Fraction of mark that is left to the liquidation when the stop is reached; 0 for no stops. */
  readonly distance: number;
  /** How far past its trigger the order may pay, 1e-4. */
  readonly reachBps: number;
}

export interface WantedStop {
  readonly side: 'buy' | 'sell';
  readonly lots: number;
  readonly triggerTicks: number;
  readonly limitTicks: number;
  readonly direction: 'rise' | 'fall';
}

export type StopDecision =
  | { readonly action: 'keep' }
  | { readonly action: 'place'; readonly stop: WantedStop }
  | { readonly action: 'cancel'; readonly clientOrderIds: readonly string[] };

/** A stop is moved when its trigger is wrong by more than this, a fraction of the mark: balances tremble, requests cost. */
const MOVED_BY = 0.01;
/** A trigger must be at least this far from the mark: nearer, the engine is closing the leg already. */
const AHEAD_BY = 0.005;

/** Says what is to be done about the stop of one leg. `isOpen`: its pair is open, and may stay so. */
export function decideStop(leg: StopLeg, isOpen: boolean, policy: StopPolicy): StopDecision {
  const live = leg.stops.filter((order) => !isTerminal(order));
  const isWanted = isOpen && policy.distance > 0 && leg.lots > 0;
  const wanted = isWanted ? stopOf(leg, policy) : undefined;
  if (live.length === 0) return wanted === undefined ? KEEP : { action: 'place', stop: wanted };
  // Without a new trigger an open leg keeps the one it has.
  const isKept = isWanted && live.length === 1 && live.every((order) => isRight(order, wanted, leg));
  const ending = isKept ? [] : live.filter((order) => !order.cancelRequested);
  if (ending.length === 0) return KEEP;
  return { action: 'cancel', clientOrderIds: ending.map(({ planned }) => planned.clientOrderId) };
}

const KEEP: StopDecision = { action: 'keep' };

function stopOf(
  { side, lots, markPrice, liquidationDistance, tickSize }: StopLeg,
  policy: StopPolicy,
): WantedStop | undefined {
  if (markPrice === undefined || liquidationDistance === undefined) return undefined;
  const isLong = side === 'long';
  const liquidationPrice = markPrice * (isLong ? 1 - liquidationDistance : 1 + liquidationDistance);
  // At this mark the distance that is left, of that mark, is the policy's.
  const trigger = isLong ? liquidationPrice / (1 - policy.distance) : liquidationPrice / (1 + policy.distance);
  const isAhead = isLong ? trigger <= markPrice * (1 - AHEAD_BY) : trigger >= markPrice * (1 + AHEAD_BY);
  const triggerTicks = Math.round(trigger / tickSize);
  if (!isAhead || triggerTicks < 1) return undefined;
  const reach = policy.reachBps / 1e4;
  const limitTicks = isLong ? Math.ceil(triggerTicks * (1 - reach)) : Math.floor(triggerTicks * (1 + reach));
  return {
    side: isLong ? 'sell' : 'buy',
    lots,
    triggerTicks,
    limitTicks,
    direction: isLong ? 'fall' : 'rise',
  };
}

function isRight({ planned }: OrderState, wanted: WantedStop | undefined, leg: StopLeg): boolean {
  const { lots, trigger, plannedAtMs, restsUntilMs = plannedAtMs } = planned;
  if (lots !== leg.lots || leg.nowMs > (plannedAtMs + restsUntilMs) / 2) return false;
  if (wanted === undefined || trigger === undefined || leg.markPrice === undefined) return true;
  return Math.abs(trigger.ticks - wanted.triggerTicks) * leg.tickSize <= MOVED_BY * leg.markPrice;
}
