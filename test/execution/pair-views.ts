/** Pairs, orders and views made by hand, for tests of the pair's state machine. Tests only. */
import { advanceOrder, plannedOrder } from '../../src/execution/order-state.ts';
import type { OrderInput, OrderState } from '../../src/execution/order-state.ts';
import type { LegSide, OrderPurposeName, PlannedOrder } from '../../src/execution/facts.ts';
import { newTiming } from '../../src/execution/pair-state.ts';
import type { LegView, Pair, PairPhase, PairView } from '../../src/execution/pair.ts';
import type { ExecutionPolicy } from '../../src/execution/policy.ts';

export const policy: ExecutionPolicy = {
  hedge: { maxUnhedgedMs: 1_500, maxAttempts: 4, baseBps: 5, maxBps: 30, attemptMs: 400 },
  maker: { timeoutMs: 15_000, maxAdverseBps: 5, requoteMs: 1_000, maxQuotes: 10 },
  open: { confirmMs: 5_000, confirmMaxMs: 15_000 },
  close: { maxUnhedgedMs: 1_500, maxMs: 60_000 },
  delta: { maxRatio: 0.03, maxNotional: 150, dustNotional: 5, cooldownMs: 30_000, claimExternal: false },
  order: { ackMs: 2_000, resolveMs: 10_000, resolveQueries: 8 },
  cooldown: { base: 60_000, factor: 4, max: 3_600_000 },
  exposure: { oneVenueMsMax: 15_000 },
  reconcile: { recentMs: 3_000, intervalMs: 15_000, busyIntervalMs: 5_000, urgentIntervalMs: 1_000 },
  recovery: { completeMs: 10_000, maxMs: 60_000 },
  quarantine: { autoFlatten: true },
};

export function pairIn(phase: PairPhase, changes: Partial<Pair['record']> = {}): Pair {
  const leg = (venue: string): Pair['record']['long'] => ({
    venue,
    account: 'main',
    symbol: 'BTC',
    lots: 33,
    limitTicks: 1,
    vwapTicks: 1,
  });
  return {
    record: {
      pairId: 'p1',
      base: 'BTC',
      revision: 1,
      phase,
      reason: '',
      long: leg('va'),
      short: leg('vb'),
      expected: { netHourlyQuote: 0, expectedValueQuote: 0, roundTripCostQuote: 0, entryBasisBps: 0, capitalQuote: 0 },
      decidedAtMs: 0,
      enteredAtMs: 0,
      openedAtMs: phase === 'OPENING' || phase === 'UNWINDING' ? 0 : 1,
      closedAtMs: 0,
      exitReason: '',
      brokenOrders: 0,
      failures: 0,
      cooldownUntilMs: 0,
      ...changes,
    },
    timing: newTiming(0),
  };
}

let orders = 0;
export function order(
  leg: LegSide,
  purpose: OrderPurposeName,
  inputs: readonly OrderInput[],
  fields: Partial<PlannedOrder> = {},
): OrderState {
  orders += 1;
  const reduceOnly = purpose !== 'open' && purpose !== 'hedge';
  let state = plannedOrder({
    venue: leg === 'long' ? 'va' : 'vb',
    account: 'main',
    symbol: 'BTC',
    clientOrderId: String(orders),
    pairId: 'p1',
    leg,
    purpose,
    attempt: 1,
    side: (leg === 'long') === reduceOnly ? 'sell' : 'buy',
    lots: 33,
    limitTicks: 1,
    reduceOnly,
    validUntilMs: 0,
    plannedAtMs: 0,
    ...fields,
  });
  for (const input of inputs) state = advanceOrder(state, input).order;
  return state;
}

export const ended = (filledLots: number): OrderInput[] => [
  { type: 'handed-over' },
  ...(filledLots === 0
    ? []
    : [
        {
          type: 'filled',
          fill: {
            fillId: 'f',
            symbol: 'BTC',
            clientOrderId: '',
            venueOrderId: '',
            side: 'buy',
            priceTicks: 1 as never,
            lots: filledLots as never,
            feeMicro: 0n as never,
            liquidity: 'taker',
            venueAtMs: 0,
          },
        } as const,
      ]),
  {
    type: 'changed',
    fact: {
      type: 'order-changed',
      venue: '',
      account: '',
      symbol: '',
      clientOrderId: '',
      status: 'cancelled',
      venueOrderId: '',
      filledLots,
      code: '',
      reason: '',
      atMs: 0,
      sequence: 1,
    },
  },
];

export function leg(ledgerLots: number, legOrders: readonly OrderState[], changes: Partial<LegView> = {}): LegView {
  return {
    orders: legOrders,
    ledgerLots,
    truth: { kind: 'confirmed', lots: ledgerLots },
    queries: 0,
    queryFirst: false,
    quietForMs: 1_000,
    minLots: 1,
    unitsPerLot: 1n,
    reachable: true,
    attemptMs: policy.hedge.attemptMs,
    increaseRefused: undefined,
    closeWalkBps: 1,
    ...changes,
  };
}

export function viewOf(long: LegView, short: LegView, changes: Partial<PairView> = {}): PairView {
  return {
    long,
    short,
    nowMs: 1_000,
    monotonicMs: 1_000,
    increaseRefused: undefined,
    quotingRefused: undefined,
    quotePerUnit: 60,
    policy,
    reductions: { count: 0, liquidated: false },
    calendarScale: 1,
    judgeCompletion: () => ({ action: 'complete', completeQuote: 0, unwindQuote: 0, detail: '' }),
    judgeRemainder: () => ({ action: 'trim', topUpQuote: undefined, trimQuote: undefined }),
    judgeQuote: () => undefined,
    entryRefusal: () => undefined,
    escalationRefusal: () => undefined,
    ...changes,
  };
}
