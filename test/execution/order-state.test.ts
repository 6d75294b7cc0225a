import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { advanceOrder, isSettled, isTerminal, plannedOrder } from '../../src/execution/order-state.ts';
import type { OrderEffect, OrderInput, OrderState } from '../../src/execution/order-state.ts';
import type { OrderChangedFact, PlannedOrder } from '../../src/execution/facts.ts';
import type { FillReport } from '../../src/venues/venue.ts';
import type { MicroUnits, PriceTicks, QuantityLots } from '../../src/money/units.ts';
import { propertyRuns } from '../property-runs.ts';
import { Example } from '../examples.ts';

const planned: PlannedOrder = {
  venue: 'va',
  account: 'main',
  symbol: 'BTC',
  clientOrderId: '42',
  pairId: 'p1',
  leg: 'long',
  purpose: 'open',
  attempt: 1,
  side: 'buy',
  lots: 10,
  limitTicks: 600_000,
  reduceOnly: false,
  validUntilMs: 3_000,
  plannedAtMs: 0,
};

function changed(status: OrderChangedFact['status'], sequence: number, filledLots?: number): OrderInput {
  const fact: OrderChangedFact = {
    type: 'order-changed',
    venue: 'va',
    account: 'main',
    symbol: 'BTC',
    clientOrderId: '42',
    status,
    venueOrderId: 'v42',
    ...(filledLots === undefined ? {} : { filledLots }),
    code: '',
    reason: '',
    atMs: 0,
    sequence,
  };
  return { type: 'changed', fact };
}

function filled(fillId: string, lots: number): OrderInput {
  const fill: FillReport = {
    fillId,
    symbol: 'BTC',
    clientOrderId: '42',
    venueOrderId: 'v42',
    side: 'buy',
    priceTicks: 600_000 as PriceTicks,
    lots: lots as QuantityLots,
    feeMicro: 0n as MicroUnits,
    liquidity: 'taker',
    venueAtMs: 0,
  };
  return { type: 'filled', fill };
}

function after(
  inputs: readonly OrderInput[],
  start: OrderState = plannedOrder(planned),
): { order: OrderState; effects: OrderEffect[] } {
  const effects: OrderEffect[] = [];
  let order = start;
  for (const input of inputs) {
    const step = advanceOrder(order, input);
    order = step.order;
    effects.push(...step.effects);
  }
  return { order, effects };
}

const sent: OrderInput = { type: 'handed-over' };

describe('the table of order states', () => {
  const rows: readonly (readonly [string, readonly OrderInput[], OrderState['status'], boolean])[] = [
    ['is planned until it is handed over', [], 'PLANNED', false],
    ['sends once handed over', [sent], 'SENDING', false],
    ['is rejected when a gate refuses before sending', [{ type: 'aborted', reason: 'STALE_BOOK' }], 'REJECTED', true],
    ['is open once acknowledged', [sent, changed('accepted', 1)], 'OPEN', false],
    ['is rejected by a definitive refusal, with nothing filled', [sent, changed('refused', 1)], 'REJECTED', true],
    ['is open by a fill whose acknowledgement is lost', [sent, filled('t1', 4)], 'OPEN', false],
    ['is filled by fills alone', [sent, filled('t1', 4), filled('t2', 6)], 'FILLED', true],
    ['is unknown, never rejected, without an answer', [sent, { type: 'unanswered' }], 'UNKNOWN', false],
    ['is unknown when the connector cannot tell', [sent, changed('unknown', 1)], 'UNKNOWN', false],
    ['stays open on a partial fill', [sent, changed('open', 1), filled('t1', 4)], 'OPEN', false],
    [
      'is settled by a cancel whose cum equals the fills',
      [sent, changed('open', 1), filled('t1', 4), changed('cancelled', 2, 4)],
      'CANCELLED',
      true,
    ],
    ['waits for fills when a cancel states more than is known', [sent, changed('cancelled', 1, 4)], 'CANCELLED', false],
    ['waits for a query when a cancel states no cum', [sent, changed('cancelled', 1)], 'CANCELLED', false],
    [
      'is settled once fills were queried after such a cancel',
      [sent, changed('cancelled', 1), { type: 'fills-confirmed' }],
      'CANCELLED',
      true,
    ],
    ['expires like a cancel', [sent, changed('expired', 1, 0)], 'EXPIRED', true],
    [
      'comes back from unknown by a query that finds it open',
      [sent, { type: 'unanswered' }, changed('open', 1)],
      'OPEN',
      false,
    ],
    [
      'comes back from unknown by a query that finds it filled',
      [sent, { type: 'unanswered' }, filled('t1', 10), changed('filled', 1, 10)],
      'FILLED',
      true,
    ],
    ['is rejected once proven dead', [sent, { type: 'unanswered' }, changed('not-found', 1)], 'REJECTED', true],
    [
      'is lost when its resolution is spent',
      [sent, { type: 'unanswered' }, { type: 'resolution-exhausted' }],
      'LOST',
      false,
    ],
    [
      'is found again after it was lost',
      [sent, { type: 'resolution-exhausted' }, changed('cancelled', 1, 0)],
      'CANCELLED',
      true,
    ],
    [
      'is not rejected by not-found when a fill proves that it lived',
      [sent, filled('t1', 10), changed('not-found', 1)],
      'FILLED',
      true,
    ],
  ];

  it.each(rows)('%s', (_, inputs, status, settled) => {
    const { order } = after(inputs);
    expect(order.status).toBe(status);
    expect(isSettled(order)).toBe(settled);
  });

  it('tells a fill after the end as late, once', () => {
    const { order, effects } = after([sent, changed('cancelled', 1, 0), filled('t1', 3), filled('t1', 3)]);
    expect(order).toMatchObject({ status: 'CANCELLED', filledLots: 3 });
    expect(effects).toEqual([{ type: 'late-fill', lots: 3 }, { type: 'duplicate-fill' }]);
  });

  it('never counts more than was ordered, and says so', () => {
    const { order, effects } = after([sent, filled('t1', 8), filled('t2', 3)]);
    expect(order).toMatchObject({ filledLots: 8, overfilled: true });
    expect(effects).toEqual([{ type: 'overfill', lots: 3 }]);
  });

  it('ignores older signs of life', () => {
    const { order, effects } = after([sent, changed('open', 5), changed('unknown', 4)]);
    expect(order.status).toBe('OPEN');
    expect(effects).toEqual([{ type: 'older-report' }]);
  });

  it('refuses to be sent twice', () => {
    expect(() => after([sent, sent])).toThrow(/at most once/);
  });
});

describe('the order of arrival', () => {
  /** All ways to order the events of one life that arrive over two streams and a query. */
  function permutations<T>(items: readonly T[]): T[][] {
    if (items.length <= 1) return [[...items]];
    return items.flatMap((item, index) =>
      permutations(items.filter((_, other) => other !== index)).map((rest) => [item, ...rest]),
    );
  }

  it('EX-14: changes nothing in any of the 5,040 interleavings of a partially filled, cancelled order', (context) => {
    const events = [
      changed('accepted', 1),
      changed('open', 2),
      filled('t1', 2),
      filled('t1', 2),
      filled('t2', 3),
      changed('cancelled', 3, 5),
      { type: 'cancel-requested' } as const,
    ];
    const ends = new Set<string>();
    for (const interleaving of permutations(events)) {
      const { order } = after(interleaving, advanceOrder(plannedOrder(planned), sent).order);
      expect(order).toMatchObject({ status: 'CANCELLED', filledLots: 5, overfilled: false });
      expect(isSettled(order)).toBe(true);
      ends.add(`${order.status} ${order.filledLots}`);
    }
    new Example('EX-14', context).is('ends of 5,040 interleavings, in 0.1', 'CANCELLED 5', [...ends].join(', '));
  });

  it('T1: changes nothing for any set of fills and any ending that agrees with them', () => {
    const life = fc.record({
      parts: fc.array(fc.integer({ min: 1, max: 4 }), { maxLength: 3 }),
      ending: fc.constantFrom('cancelled' as const, 'expired' as const),
      statesCum: fc.boolean(),
    });
    fc.assert(
      fc.property(life, fc.infiniteStream(fc.double({ min: 0, max: 1, noNaN: true })), (of, random) => {
        const parts = of.parts.filter(
          (_, index) => of.parts.slice(0, index + 1).reduce((sum, lots) => sum + lots, 0) < 10,
        );
        const cum = parts.reduce((sum, lots) => sum + lots, 0);
        const events = [
          changed('accepted', 1),
          ...parts.flatMap((lots, index) => [filled(`t${index}`, lots), filled(`t${index}`, lots)]),
          changed(of.ending, 9, of.statesCum ? cum : undefined),
        ].slice(-7);
        const shuffled = events
          .map((event) => ({ event, at: random.next().value }))
          .toSorted((one, other) => one.at - other.at);
        const start = advanceOrder(plannedOrder(planned), sent).order;
        const { order } = after(
          shuffled.map(({ event }) => event),
          start,
        );
        const inOrder = after(events, start).order;
        expect({ ...order, fillIds: order.fillIds.toSorted(), lifeSequence: 0 }).toEqual({
          ...inOrder,
          fillIds: inOrder.fillIds.toSorted(),
          lifeSequence: 0,
        });
        expect(order.filledLots).toBeLessThanOrEqual(order.planned.lots);
        expect(isTerminal(order)).toBe(true);
      }),
      propertyRuns(),
    );
  });

  it('EX-14: ends a cancel without cum unsettled until the late fill is known', (context) => {
    const before = after([
      sent,
      changed('accepted', 1),
      filled('t1', 2),
      filled('t1', 2),
      { type: 'cancel-requested' },
      changed('cancelled', 2, 5),
    ]);
    expect(isSettled(before.order)).toBe(false);
    const late = after([filled('t2', 3)], before.order);
    expect(late.effects).toEqual([{ type: 'late-fill', lots: 3 }]);
    new Example('EX-14', context).is('late fill, in 0.1', 3, late.order.filledLots - before.order.filledLots);
    expect(late.order).toMatchObject({ status: 'CANCELLED', filledLots: 5 });
    expect(isSettled(late.order)).toBe(true);
  });
});
