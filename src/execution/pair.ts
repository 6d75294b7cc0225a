/** What is known and remembered about one hedged pair, and what its state machine may ask for. Types only, any thread. */
import type { CompletionVerdict, RemainderVerdict } from './complete-or-unwind.ts';
import type { ExposureClock, ExposureRecord } from './exposure-clock.ts';
import type { PairReductions } from './leg-reduction.ts';
import type { LegKey, LegSide, OrderPurposeName } from './facts.ts';
import type { OrderState } from './order-state.ts';
import type { ExecutionPolicy } from './policy.ts';
import type { PositionTruth } from './position-truth.ts';

export type PairPhase =
  | 'IDLE'
  | 'PREFLIGHT'
  | 'OPENING'
  | 'OPEN'
  | 'REBALANCING'
  | 'CLOSING'
  | 'UNWINDING'
  | 'CLOSED'
  | 'FAILED'
  | 'QUARANTINED';

/** One leg as planned; lots and ticks of its own instrument. */
export interface PairLeg extends LegKey {
  readonly lots: number;
  readonly limitTicks: number;
  /** Average price the plan expected to pay, ticks with fractions: what completing later is measured against. */
  readonly vwapTicks: number;
}

/** How the legs of an entry follow one another (domain 7.1). */
export type EntryExecution =
  /** Both leave in the same moment. */
  | { readonly mode: 'taker-taker' }
  /** A post-only order of `leg` rests, and each of its fills is hedged at once. */
  | {
      readonly mode: 'maker-taker';
      readonly leg: LegSide;
      /** Price it was planned to rest at, ticks: what an adverse move is measured from. */
      readonly quoteTicks: number;
      /** What is not filled in time is taken on both venues. */
      readonly escalate: boolean;
      /** Why nothing more is quoted; empty while it is. */
      readonly ended: string;
    }
  /** `leg` alone, then the other one by what its venue proves to hold. */
  | { readonly mode: 'sequential'; readonly leg: LegSide };

/** The durable part of a pair: journaled whole at every change of phase, so that the newest row is the pair. Calendar ms. */
export interface PairRecord {
  readonly pairId: string;
  readonly base: string;
  /** Grows with each change: rows may reach the journal in another order, the highest is the newest. */
  readonly revision: number;
  readonly phase: PairPhase;
  /** Why the phase was entered: a gate, an exit reason or a rule, in capitals. */
  readonly reason: string;
  readonly long: PairLeg;
  readonly short: PairLeg;
  /** Absent in rows older than the choice: taker-taker. */
  readonly entry?: EntryExecution;
  readonly expected: ExpectedResult;
  readonly decidedAtMs: number;
  readonly enteredAtMs: number;
  /** 0 until then. */
  readonly openedAtMs: number;
  readonly closedAtMs: number;
  /** Set once leaving was decided and never unset: repeating the decision changes nothing. */
  readonly exitReason: string;
  /** Lost and overfilled orders the pair was quarantined for already: each has that consequence once. */
  readonly brokenOrders: number;
  /** What stood unhedged up to this row; absent in rows older than the count. */
  readonly exposure?: ExposureRecord;
  /** Entries of this symbol that failed in a row, this one included. */
  readonly failures: number;
  readonly cooldownUntilMs: number;
  /** Its legs were there before it: a person gave it what somebody else had opened. */
  readonly adopted?: true;
  /** Present while both legs are being made smaller on purpose: lots of each to keep, unsigned. */
  readonly reduceTo?: ReductionTarget;
}

/** Lots of each leg that stay, unsigned. */
export interface ReductionTarget {
  readonly long: number;
  readonly short: number;
}

/** What strategy expected, for calibration: quote units, plain numbers. */
export interface ExpectedResult {
  readonly netHourlyQuote: number;
  readonly expectedValueQuote: number;
  readonly roundTripCostQuote: number;
  readonly entryBasisBps: number;
  readonly capitalQuote: number;
}

/** The part that belongs to this life of the actor; monotonic ms. */
export interface PairTiming {
  readonly phaseSinceMs: number;
  /** Since when every order is settled and only confirmation is missing. */
  readonly settledSinceMs: number | undefined;
  readonly lastSendAtMs: { readonly long: number; readonly short: number };
  /** Orders sent in this phase. */
  readonly sends: number;
  readonly lastRebalanceAtMs: number;
  readonly lastRetryAtMs: number;
  /** When an exposure that one silent venue keeps open was last told. */
  readonly lastAlarmAtMs: number;
  /** Position queries answered before the quarantine began. */
  readonly queriesBefore: { readonly long: number; readonly short: number };
  /** The attempt that the first order of this phase is, by leg; 1 after a restart, which does not remember. */
  readonly firstAttempt: { readonly long: number; readonly short: number };
  readonly exposure: ExposureClock;
  /** Reductions by the venue that the other leg has followed already. */
  readonly reductionsAnswered: number;
}

export interface Pair {
  readonly record: PairRecord;
  readonly timing: PairTiming;
}

/** One leg as the facts show it now. */
export interface LegView {
  /** Orders of this pair and leg, oldest first. */
  readonly orders: readonly OrderState[];
  /** Signed lots that belong to this pair: its fills, less what somebody else took away. What somebody else added is not in it. */
  readonly ledgerLots: number;
  readonly truth: PositionTruth;
  /** Position queries answered so far. */
  readonly queries: number;
  /** The venue contradicted us (a reduce-only order was refused): query before the next attempt. */
  readonly queryFirst: boolean;
  /** Monotonic ms since the last fill of this leg: reports of the new position may still be on their way. */
  readonly quietForMs: number;
  /** Smallest position that can be opened and closed again, lots. */
  readonly minLots: number;
  /** Underlying per lot, in the unit both legs share (see `sharedBaseUnits`). */
  readonly unitsPerLot: bigint;
  /** Orders can be sent: the venue is ready. */
  readonly reachable: boolean;
  /** Least time between two attempts on this leg, what its venue holds orders back included; monotonic ms. */
  readonly attemptMs: number;
  /** Why this leg must not be increased now, whatever the other venue is like; undefined when it may. */
  readonly increaseRefused: string | undefined;
  /** How far from mid closing the whole leg would walk its book now, 1e-4; undefined while that is unknown. */
  readonly closeWalkBps: number | undefined;
}

/** Everything a decision rests on. */
export interface PairView {
  readonly long: LegView;
  readonly short: LegView;
  readonly nowMs: number;
  readonly monotonicMs: number;
  /** Why exposure may not be increased now; undefined when it may. */
  readonly increaseRefused: string | undefined;
  /** Why nothing may be quoted any more, beyond that: somebody asked to leave, or the engine drains. */
  readonly quotingRefused: string | undefined;
  /** Mark x base unit in quote, for notional thresholds; undefined while no mark is known. */
  readonly quotePerUnit: number | undefined;
  readonly policy: ExecutionPolicy;
  /** What was taken from the pair's legs without an order of ours. */
  readonly reductions: PairReductions;
  /** Calendar ms per monotonic ms. */
  readonly calendarScale: number;
  /** Compares completing the lagging leg by `lots` with undoing what stands alone. */
  judgeCompletion(lagging: LegSide, lots: number, overdue: boolean): CompletionVerdict;
  /** Compares taking `topUp` lots more of the leading leg, so that it can be hedged, with giving `trim` lots of it back. */
  judgeRemainder(leading: LegSide, topUp: number, trim: number): RemainderVerdict;
  /** What quoting `leg` costs now; `restingTicks` is the order that rests. Undefined while a book is missing or too thin. */
  judgeQuote(leg: LegSide, restingTicks: number | undefined): QuoteVerdict | undefined;
  /** Why the plan must not be entered as things stand, or entered anew while nothing of it is held. */
  entryRefusal(): string | undefined;
  /** Why what was not filled as a maker must not be taken on both venues instead. */
  escalationRefusal(): string | undefined;
}

/** A post-only order against the market, in ticks of its instrument. */
export interface QuoteVerdict {
  /** Best price of the own side. */
  readonly touchTicks: number;
  /** How much worse than planned the pair would be entered, resting there and hedging by the other book, 1e-4. */
  readonly touchAdverseBps: number;
  /** The same for the order that rests. */
  readonly restingAdverseBps: number;
}

/** Rung 1 is the normal cap; higher rungs reach further. `protective`: as far from mark as ever allowed. `touch`: post-only. */
export type PriceRule =
  { readonly rule: 'ladder'; readonly rung: number } | { readonly rule: 'protective' } | { readonly rule: 'touch' };

export interface WantedOrder {
  readonly leg: LegSide;
  readonly side: 'buy' | 'sell';
  readonly lots: number;
  readonly purpose: OrderPurposeName;
  readonly attempt: number;
  readonly reduceOnly: boolean;
  readonly price: PriceRule;
}

export type PairCommand =
  /** Journal all, then hand over all in one go. */
  | { readonly type: 'send'; readonly orders: readonly WantedOrder[] }
  /** Asks the venue to end a resting order; asked again until it has ended. */
  | { readonly type: 'cancel'; readonly leg: LegSide; readonly clientOrderId: string }
  | { readonly type: 'resolve'; readonly leg: LegSide; readonly clientOrderId: string }
  | { readonly type: 'reconcile'; readonly leg: LegSide }
  /** Book the proven difference between our fills and the venue. */
  | { readonly type: 'adjust'; readonly leg: LegSide; readonly lots: number }
  | { readonly type: 'alert'; readonly level: 'warn' | 'error'; readonly event: string; readonly detail: string };

export interface PairStep {
  readonly pair: Pair;
  readonly commands: readonly PairCommand[];
}
