import { describe, expect, it } from 'vitest';
import { advanceOrder, plannedOrder } from '../../src/execution/order-state.ts';
import type { OrderInput, OrderState } from '../../src/execution/order-state.ts';
import { isCancelDue, watchOrder } from '../../src/execution/order-watch.ts';
import { newTiming } from '../../src/execution/pair-state.ts';
import type { Pair, PairPhase } from '../../src/execution/pair.ts';
import { urgencyOf, watchPauseMs } from '../../src/execution/urgency.ts';

const policy = { ackMs: 2_000, resolveMs: 10_000, resolveQueries: 3 };

function unknownOrder(): OrderState {
  const planned = plannedOrder({
    venue: 'va',
    account: 'main',
    symbol: 'BTC',
    clientOrderId: '1',
    pairId: 'p',
    leg: 'long',
    purpose: 'open',
    attempt: 1,
    side: 'buy',
    lots: 1,
    limitTicks: 1,
    reduceOnly: false,
    validUntilMs: 0,
    plannedAtMs: 0,
  });
  const sent = advanceOrder(planned, { type: 'handed-over' }).order;
  return advanceOrder(sent, { type: 'unanswered' }).order;
}

/** What is due `ageMs` after sending, `validityLeftMs` before the request's end, with so many questions asked. */
function due(ageMs: number, validityLeftMs: number, asked: number): string {
  return watchOrder(unknownOrder(), { sinceMs: 0, lastAskedAtMs: 0, asked }, ageMs, validityLeftMs, policy);
}

describe('an order whose outcome is unknown', () => {
  it('is lost once its questions are spent and its death could have been proven', () => {
    expect(due(9_000, -3_000, 2)).toBe('resolve');
    expect(due(9_000, -3_000, 3)).toBe('lost');
  });

  it('is not lost by questions alone: before its validity has ended they prove nothing', () => {
    expect(due(9_000, -2_999, 100)).toBe('resolve');
  });

  it('is lost when the time is spent, however few questions were asked', () => {
    expect(due(12_000, -10_000, 0)).toBe('lost');
    expect(due(11_999, -10_000, 0)).toBe('resolve');
  });
});

describe('an order that rests', () => {
  const opened: OrderInput = {
    type: 'changed',
    fact: {
      type: 'order-changed',
      venue: 'va',
      account: 'main',
      symbol: 'BTC',
      clientOrderId: '1',
      status: 'open',
      venueOrderId: 'v1',
      filledLots: 0,
      code: '',
      reason: '',
      atMs: 0,
      sequence: 1,
    },
  };
  const restingOrder = (...inputs: readonly OrderInput[]): OrderState => {
    const { planned } = unknownOrder();
    const quote = plannedOrder({ ...planned, restsUntilMs: 20_000 });
    return [{ type: 'handed-over' } as const, opened, ...inputs].reduce(
      (order, input) => advanceOrder(order, input).order,
      quote,
    );
  };
  const cancelled = restingOrder({ type: 'cancel-requested' });
  const watch = { sinceMs: 0, lastAskedAtMs: 0, asked: 0 };

  it('is not asked about for having no news while its time lasts, and is once that is over', () => {
    expect(watchOrder(restingOrder(), watch, 15_000, 5_000, policy)).toBe('wait');
    expect(watchOrder(restingOrder(), watch, 20_001, -1, policy)).toBe('unanswered');
  });

  it('is unanswered when its cancel had no effect for as long as any answer may take', () => {
    const asked = { ...watch, cancelledAtMs: 10_000 };
    expect(watchOrder(cancelled, asked, 11_999, 5_000, policy)).toBe('wait');
    expect(watchOrder(cancelled, asked, 12_000, 5_000, policy)).toBe('unanswered');
  });

  it('has its cancel repeated every second until it has ended', () => {
    expect(isCancelDue(restingOrder(), watch, 0)).toBe(false);
    expect(isCancelDue(cancelled, watch, 0)).toBe(true);
    expect(isCancelDue(cancelled, { ...watch, cancelSentAtMs: 10_000 }, 10_999)).toBe(false);
    expect(isCancelDue(cancelled, { ...watch, cancelSentAtMs: 10_000 }, 11_000)).toBe(true);
    const ended: OrderInput = { ...opened, fact: { ...opened.fact, status: 'cancelled', sequence: 2 } };
    expect(isCancelDue(restingOrder({ type: 'cancel-requested' }, ended), watch, 0)).toBe(false);
  });
});

describe('how closely a pair is watched', () => {
  const pair = (phase: PairPhase, isExposed: boolean): Pair => {
    const timing = newTiming(0);
    const exposure = isExposed ? { ...timing.exposure, sinceMs: 0 } : timing.exposure;
    // Of the record, only the phase is looked at.
    return { record: { phase } as Pair['record'], timing: { ...timing, exposure } };
  };

  it.each([
    ['OPEN', false, 'calm', 'calm', 15_000],
    ['OPEN', false, 'busy', 'busy', 5_000],
    ['OPENING', false, 'calm', 'busy', 5_000],
    ['OPEN', true, 'calm', 'urgent', 1_000],
    ['UNWINDING', true, 'busy', 'urgent', 1_000],
  ] as const)('%s, exposed %s, danger %s: %s, every %i ms', (phase, isExposed, danger, urgency, pauseMs) => {
    expect(urgencyOf(pair(phase, isExposed), danger)).toBe(urgency);
    const reconcile = { recentMs: 3_000, intervalMs: 15_000, busyIntervalMs: 5_000, urgentIntervalMs: 1_000 };
    expect(watchPauseMs(urgency, { reconcile })).toBe(pauseMs);
  });
});
