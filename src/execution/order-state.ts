/**
 * What is known of one order: a pure state machine over venue facts that ends in the same state whatever order they arrive in.
 * Any thread.
 *
 * ```
 *            handed over        venue took it, or a fill
 *   PLANNED ───────────▶ SENDING ───────────▶ OPEN ──────────────▶ FILLED      every lot known to be filled
 *      │                    │  ▲               │ ▲                 CANCELLED   the venue's word, with or without cum
 *      │ aborted            │  │ no proof      ▼ │ query: open     EXPIRED     the venue's word
 *      │ (local)            └──┴──────────▶ UNKNOWN ──────────────▶ REJECTED   refused, rejected, aborted or proven dead
 *      └────────────────────────────────────────┴─────────────────▶ LOST        resolution budget spent; evidence still wins
 * ```
 *
 * An order is the join of its evidence: the set of fills, the strongest ending, the largest cum the venue stated, the newest
 * sign of life. Joining commutes and repeats harmlessly, so acknowledgements, fills, cancel answers and queries may arrive in any
 * order and any number of times. Fills are never dropped: after the end they still count (`late-fill`).
 *
 * All that changes the status (a test holds this table and the code against each other); everything else leaves it as it is. `told`
 * is the connector's word. Refused, rejected and proven dead end an order only while nothing proves more life.
 *
 * | from | event | to |
 * | ---- | ----- | -- |
 * | PLANNED | handed over | SENDING |
 * | PLANNED | aborted | REJECTED |
 * | PLANNED, SENDING, UNKNOWN | told accepted, told open | OPEN |
 * | PLANNED, SENDING | part filled | OPEN |
 * | SENDING, OPEN | unanswered | UNKNOWN |
 * | PLANNED, SENDING, OPEN | told unknown | UNKNOWN |
 * | PLANNED, SENDING, OPEN, UNKNOWN | budget spent | LOST |
 * | PLANNED, SENDING, OPEN, UNKNOWN, LOST | told refused, told rejected, told not-found | REJECTED |
 * | PLANNED, SENDING, OPEN, UNKNOWN, LOST, REJECTED | told expired | EXPIRED |
 * | PLANNED, SENDING, OPEN, UNKNOWN, LOST, REJECTED, EXPIRED | told cancelled | CANCELLED |
 * | PLANNED, SENDING, OPEN, UNKNOWN, LOST, REJECTED, EXPIRED, CANCELLED | told filled, rest filled | FILLED |
 */
import type { FillReport, RefusalClass } from '../venues/venue.ts';
import type { OrderChangedFact, PlannedOrder } from './facts.ts';

export type OrderStatus =
  'PLANNED' | 'SENDING' | 'OPEN' | 'UNKNOWN' | 'FILLED' | 'CANCELLED' | 'REJECTED' | 'EXPIRED' | 'LOST';
type Ending = 'not-found' | 'rejected' | 'expired' | 'cancelled' | 'filled';

/** When two endings are told, the one that proves more life wins: a filled order was never "not found". */
const ENDING_RANK: Readonly<Record<Ending, number>> = {
  'not-found': 1,
  rejected: 2,
  expired: 3,
  cancelled: 4,
  filled: 5,
};

export interface OrderState {
  readonly planned: PlannedOrder;
  readonly status: OrderStatus;
  readonly venueOrderId: string;
  /** Sum of the known fills, lots. Never falls, never exceeds the order's lots. */
  readonly filledLots: number;
  readonly fillIds: readonly string[];
  /** Largest cum the venue stated, lots; undefined until it stated one. */
  readonly venueFilledLots: number | undefined;
  /** The venue stated cum together with, or after, the ending; or its fills were queried after the ending. */
  readonly cumIsFinal: boolean;
  /** A query of all fills, asked after the ending, was answered. */
  readonly fillsConfirmed: boolean;
  readonly overfilled: boolean;
  readonly cancelRequested: boolean;
  /** The code and the words its end was given with, and what kind of refusal it was. */
  readonly code: string;
  readonly reason: string;
  readonly refusal: RefusalClass | undefined;
  /** Internal to this file: the strongest ending, the newest sign of life, and whether the resolution budget is spent. */
  readonly ending: Ending | undefined;
  readonly life: 'planned' | 'sending' | 'open' | 'unknown';
  readonly lifeSequence: number;
  readonly lost: boolean;
}

export type OrderInput =
  /** Handed to the connector; at most once per order. */
  | { readonly type: 'handed-over' }
  /** Never handed over: a gate refused after planning, or recovery found that it was not sent. */
  | { readonly type: 'aborted'; readonly reason: string }
  /** No answer in time: our own deadline, not the venue's word. */
  | { readonly type: 'unanswered' }
  | { readonly type: 'cancel-requested' }
  | { readonly type: 'resolution-exhausted' }
  /** A query of all fills, asked after the ending, has been answered and its fills applied. */
  | { readonly type: 'fills-confirmed' }
  | { readonly type: 'changed'; readonly fact: OrderChangedFact }
  | { readonly type: 'filled'; readonly fill: FillReport };

export type OrderEffect =
  /** A fill after the order had ended: the pair must compute its delta again at once. */
  | { readonly type: 'late-fill'; readonly lots: number }
  | { readonly type: 'overfill'; readonly lots: number }
  | { readonly type: 'duplicate-fill' }
  | { readonly type: 'older-report' };

export interface OrderStep {
  readonly order: OrderState;
  readonly effects: readonly OrderEffect[];
}

/** Returns a planned order that nothing has happened to yet. */
export function plannedOrder(planned: PlannedOrder): OrderState {
  return {
    planned,
    status: 'PLANNED',
    venueOrderId: '',
    filledLots: 0,
    fillIds: [],
    venueFilledLots: undefined,
    cumIsFinal: false,
    fillsConfirmed: false,
    overfilled: false,
    cancelRequested: false,
    code: '',
    reason: '',
    refusal: undefined,
    ending: undefined,
    life: 'planned',
    lifeSequence: -1,
    lost: false,
  };
}

/** Joins one input into an order. Throws only when an order would be handed over twice, which is a programming error. */
export function advanceOrder(order: OrderState, input: OrderInput): OrderStep {
  switch (input.type) {
    case 'handed-over':
      if (order.life !== 'planned') {
        throw new Error(`an order must be sent at most once, ${order.planned.clientOrderId} was already ${order.life}`);
      }
      return derived({ ...order, life: 'sending' });
    case 'aborted':
      return derived({
        ...order,
        ending: strongest(order.ending, 'rejected'),
        cumIsFinal: true,
        code: order.code || 'LOCAL',
        reason: order.reason || input.reason,
      });
    case 'unanswered':
      // A restarted connector counts its reports from the start again: from here on any sign of life is news.
      return derived(order.life === 'planned' ? order : { ...order, life: 'unknown', lifeSequence: -1 });
    case 'cancel-requested':
      return derived({ ...order, cancelRequested: true });
    case 'resolution-exhausted':
      return derived({ ...order, lost: true });
    case 'fills-confirmed':
      return derived(isTerminal(order) ? { ...order, cumIsFinal: true, fillsConfirmed: true } : order);
    case 'changed':
      return joinReport(order, input.fact);
    case 'filled':
      return joinFill(order, input.fill);
  }
}

/** True when nothing more will be executed, as far as anyone has said. Fills may still be missing: see `isSettled`. */
export function isTerminal(order: OrderState): boolean {
  return (
    order.status === 'FILLED' ||
    order.status === 'CANCELLED' ||
    order.status === 'REJECTED' ||
    order.status === 'EXPIRED' ||
    order.status === 'LOST'
  );
}

/** True when the order has ended and every fill of it is known: only then may its remainder be acted on. */
export function isSettled(order: OrderState): boolean {
  // Given up and compared since: a lost order is past its validity, so that the position then read says what became of it.
  if (order.status === 'LOST') return order.fillsConfirmed;
  if (!isTerminal(order)) return false;
  if (order.filledLots === order.planned.lots) return true;
  // A venue that was asked for every fill and still owes some would block the pair for ever; the position itself decides then.
  if (order.fillsConfirmed) return true;
  return order.cumIsFinal && order.filledLots >= (order.venueFilledLots ?? 0) && order.status !== 'FILLED';
}

/** True while the order may be live at the venue: handed over and without an end. */
export function isLive(order: OrderState): boolean {
  return order.status === 'SENDING' || order.status === 'OPEN' || isUnresolved(order);
}

/** True while nobody can say what became of the order: unknown, or lost and its leg not compared since. */
export function isUnresolved(order: OrderState): boolean {
  return order.status === 'UNKNOWN' || (order.status === 'LOST' && !order.fillsConfirmed);
}

function joinReport(order: OrderState, fact: OrderChangedFact): OrderStep {
  const venueFilledLots =
    fact.filledLots === undefined ? order.venueFilledLots : Math.max(order.venueFilledLots ?? 0, fact.filledLots);
  const joined: OrderState = { ...order, venueFilledLots, venueOrderId: order.venueOrderId || fact.venueOrderId };
  const ending = endingOf(fact.status);
  if (ending !== undefined) {
    const stronger = order.ending === undefined || ENDING_RANK[ending] > ENDING_RANK[order.ending];
    // A refusal or a proof of death states that nothing was filled; other endings must say how much was.
    const statesCum = fact.filledLots !== undefined || ending === 'rejected' || ending === 'not-found';
    return derived({
      ...joined,
      ending: strongest(order.ending, ending),
      cumIsFinal: order.cumIsFinal || statesCum,
      code: stronger ? fact.code : order.code,
      reason: stronger ? fact.reason || fact.code : order.reason,
      refusal: stronger ? fact.refusal : order.refusal,
    });
  }
  if (fact.sequence <= order.lifeSequence) return derived(joined, [{ type: 'older-report' }]);
  return derived({ ...joined, life: lifeOf(fact.status), lifeSequence: fact.sequence });
}

function joinFill(order: OrderState, fill: FillReport): OrderStep {
  if (order.fillIds.includes(fill.fillId)) return { order, effects: [{ type: 'duplicate-fill' }] };
  const filledLots = order.filledLots + fill.lots;
  if (filledLots > order.planned.lots) {
    return derived({ ...order, overfilled: true }, [{ type: 'overfill', lots: fill.lots }]);
  }
  const effects: OrderEffect[] = isTerminal(order) ? [{ type: 'late-fill', lots: fill.lots }] : [];
  return derived(
    {
      ...order,
      filledLots,
      fillIds: [...order.fillIds, fill.fillId],
      venueOrderId: order.venueOrderId || fill.venueOrderId,
    },
    effects,
  );
}

/** Computes the status from the evidence; the only place where it is assigned. */
function derived(order: OrderState, effects: readonly OrderEffect[] = []): OrderStep {
  return { order: { ...order, status: statusOf(order) }, effects };
}

function statusOf(order: OrderState): OrderStatus {
  if (order.filledLots === order.planned.lots) return 'FILLED';
  switch (order.ending) {
    case 'filled':
      return 'FILLED';
    case 'cancelled':
      return 'CANCELLED';
    case 'expired':
      return 'EXPIRED';
    case 'rejected':
    case 'not-found':
      return 'REJECTED';
    case undefined:
      if (order.lost) return 'LOST';
      if (order.life === 'unknown') return 'UNKNOWN';
      // A fill proves acceptance, also when the acknowledgement is late or lost.
      if (order.life === 'open' || order.filledLots > 0) return 'OPEN';
      return order.life === 'sending' ? 'SENDING' : 'PLANNED';
  }
}

function endingOf(status: OrderChangedFact['status']): Ending | undefined {
  switch (status) {
    case 'filled':
    case 'cancelled':
    case 'expired':
    case 'rejected':
    case 'not-found':
      return status;
    case 'refused':
      return 'rejected';
    case 'sending':
    case 'accepted':
    case 'open':
    case 'unknown':
      return undefined;
  }
}

function lifeOf(status: OrderChangedFact['status']): OrderState['life'] {
  if (status === 'unknown') return 'unknown';
  return status === 'sending' ? 'sending' : 'open';
}

function strongest(one: Ending | undefined, other: Ending): Ending {
  return one === undefined || ENDING_RANK[other] > ENDING_RANK[one] ? other : one;
}
