import { describe, expect, it } from 'vitest';
import { advanceOrder, plannedOrder } from '../../src/execution/order-state.ts';
import type { OrderState } from '../../src/execution/order-state.ts';
import { watchOrder } from '../../src/execution/order-watch.ts';

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
