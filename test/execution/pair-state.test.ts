import { describe, expect, it } from 'vitest';
import type { OrderInput, OrderState } from '../../src/execution/order-state.ts';
import type { LegSide, OrderPurposeName } from '../../src/execution/facts.ts';
import { advancePair, decideToLeave, reviveForLateFill } from '../../src/execution/pair-state.ts';
import { openingOrders } from '../../src/execution/pair-opening.ts';
import type { LegView, PairPhase, PairView } from '../../src/execution/pair.ts';
import { Example } from '../examples.ts';
import { ended, leg, order, pairIn, policy, viewOf } from './pair-views.ts';

const openOrders = (long: number, short: number): readonly [OrderState[], OrderState[]] => [
  [order('long', 'open', ended(long))],
  [order('short', 'open', ended(short))],
];
const sends = (step: ReturnType<typeof advancePair>): readonly unknown[] =>
  step.commands.flatMap((command) =>
    command.type === 'send'
      ? command.orders.map((wanted) => [wanted.leg, wanted.side, wanted.lots, wanted.purpose, wanted.reduceOnly])
      : [],
  );

describe('opening', () => {
  it('starts with both legs, immediate and not reduce-only', () => {
    expect(
      openingOrders(pairIn('PREFLIGHT').record).map((wanted) => [
        wanted.leg,
        wanted.side,
        wanted.lots,
        wanted.reduceOnly,
      ]),
    ).toEqual([
      ['long', 'buy', 33, false],
      ['short', 'sell', 33, false],
    ]);
  });

  it('opens when both legs are filled alike and confirmed', () => {
    const [long, short] = openOrders(33, 33);
    expect(advancePair(pairIn('OPENING'), viewOf(leg(33, long), leg(-33, short))).pair.record).toMatchObject({
      phase: 'OPEN',
      openedAtMs: 1_000,
    });
  });

  it('fails when nothing was filled, with a pause that grows', () => {
    const [long, short] = openOrders(0, 0);
    const { record } = advancePair(pairIn('OPENING', { failures: 1 }), viewOf(leg(0, long), leg(0, short))).pair;
    expect(record).toMatchObject({ phase: 'FAILED', failures: 2, cooldownUntilMs: 241_000 });
  });

  it('ends as a trade, with a pause, when what was filled is gone again', () => {
    const [long, short] = openOrders(33, 33);
    const { record } = advancePair(pairIn('OPENING'), viewOf(leg(0, long), leg(0, short))).pair;
    expect(record).toMatchObject({ phase: 'CLOSED', reason: 'LEG_MISSING', failures: 1, cooldownUntilMs: 61_000 });
  });

  it('waits while an order is unresolved, whatever else is known', () => {
    const [long] = openOrders(33, 0);
    const unknown = order('short', 'open', [{ type: 'handed-over' }, { type: 'unanswered' }]);
    const step = advancePair(pairIn('OPENING'), viewOf(leg(33, long), leg(0, [unknown])));
    expect(step.commands).toEqual([]);
    expect(step.pair.record.phase).toBe('OPENING');
    expect(step.pair.timing.exposure.unhedgedQuote).toBe(33 * 60);
  });

  it('hedges what is missing when that is the better way', () => {
    const [long, short] = openOrders(33, 20);
    expect(sends(advancePair(pairIn('OPENING'), viewOf(leg(33, long), leg(-20, short))))).toEqual([
      ['short', 'sell', 13, 'hedge', false],
    ]);
  });

  it.each([
    [
      'undoing is better',
      { judgeCompletion: () => ({ action: 'unwind' as const, completeQuote: 0, unwindQuote: 0, detail: '' }) },
    ],
    ['a gate refuses more exposure', { increaseRefused: 'STALE_BOOK' }],
  ])('undoes both legs with reduce-only orders when %s', (_, changes) => {
    const [long, short] = openOrders(33, 20);
    const step = advancePair(pairIn('OPENING'), viewOf(leg(33, long), leg(-20, short), changes));
    expect(step.pair.record.phase).toBe('UNWINDING');
    expect(sends(step)).toEqual([
      ['long', 'sell', 33, 'unwind', true],
      ['short', 'buy', 20, 'unwind', true],
    ]);
  });

  it('undoes what stands alone once the ladder is used up', () => {
    const [long] = openOrders(33, 0);
    const rungs = [
      order('short', 'open', ended(0)),
      ...Array.from({ length: 4 }, () => order('short', 'hedge', ended(0))),
    ];
    const step = advancePair(pairIn('OPENING'), viewOf(leg(33, long), leg(0, rungs)));
    expect(step.pair.record).toMatchObject({ phase: 'UNWINDING', reason: 'HEDGE_EXHAUSTED' });
  });

  it('asks after 5 s without confirmation and is quarantined after 15 s', () => {
    const [long, short] = openOrders(33, 33);
    const unconfirmed = (monotonicMs: number): PairView =>
      viewOf(leg(33, long), leg(-33, short, { truth: { kind: 'unknown' } }), { monotonicMs });
    let { pair } = advancePair(pairIn('OPENING'), unconfirmed(1_000));
    expect(advancePair(pair, unconfirmed(5_900)).commands).toEqual([]);
    expect(advancePair(pair, unconfirmed(6_000)).commands).toEqual([{ type: 'reconcile', leg: 'short' }]);
    pair = advancePair(pair, unconfirmed(16_000)).pair;
    expect(pair.record).toMatchObject({ phase: 'QUARANTINED', reason: 'UNCONFIRMED' });
  });
});

describe('an order that breaks the rules', () => {
  const lost: readonly OrderInput[] = [{ type: 'handed-over' }, { type: 'resolution-exhausted' }];
  const overfilled: readonly OrderInput[] = ended(34);
  const phases = ['OPENING', 'OPEN', 'REBALANCING', 'CLOSING', 'UNWINDING'] as const;

  it.each(phases.flatMap((phase) => [[phase, 'ORDER_LOST', lost] as const, [phase, 'OVERFILL', overfilled] as const]))(
    'quarantines a pair in %s with %s, once',
    (phase, reason, inputs) => {
      const broken = viewOf(leg(33, [order('long', 'open', inputs)]), leg(-33, []));
      const { pair, commands } = advancePair(
        pairIn(phase, { exitReason: phase === 'CLOSING' ? 'MANUAL' : '' }),
        broken,
      );
      expect(pair.record).toMatchObject({ phase: 'QUARANTINED', reason, brokenOrders: 1 });
      expect(commands.filter(({ type }) => type === 'send')).toEqual([]);
      // Found to be whole again: the same order does not send it back.
      const compared = order('long', 'open', [...inputs, { type: 'fills-confirmed' }]);
      const known = viewOf(leg(33, [compared], { queries: 1 }), leg(-33, [], { queries: 1 }));
      const after = advancePair(pair, known);
      expect(after.pair.record.phase).toBe(phase === 'CLOSING' ? 'UNWINDING' : 'OPEN');
      expect(advancePair(after.pair, known).pair.record.phase).toBe(after.pair.record.phase);
    },
  );

  it('is not done with before its leg was compared', () => {
    const { pair } = advancePair(pairIn('OPENING'), viewOf(leg(0, [order('long', 'open', lost)]), leg(-33, [])));
    const half = viewOf(leg(0, [order('long', 'open', lost)], { queries: 1 }), leg(-33, [], { queries: 1 }));
    const waiting = advancePair(pair, half);
    expect(waiting.pair.record.phase).toBe('QUARANTINED');
    expect(sends(waiting)).toEqual([]);
  });
});

describe('an open pair', () => {
  const view = (changes: Partial<PairView> = {}): PairView => viewOf(leg(33, []), leg(-33, []), changes);

  it('asks for nothing while both legs are as they should be', () => {
    expect(advancePair(pairIn('OPEN'), view()).commands).toEqual([]);
  });

  it('leaves with both legs in one batch', () => {
    const step = decideToLeave(pairIn('OPEN'), 'TAKE_PROFIT', view());
    expect(step.pair.record).toMatchObject({ phase: 'CLOSING', exitReason: 'TAKE_PROFIT' });
    expect(sends(step)).toEqual([
      ['long', 'sell', 33, 'close', true],
      ['short', 'buy', 33, 'close', true],
    ]);
  });

  it.each(['CLOSING', 'UNWINDING', 'CLOSED', 'FAILED', 'QUARANTINED', 'OPENING'] as const)(
    'does not decide to leave again in %s',
    (phase) => {
      const pair = pairIn(phase);
      expect(decideToLeave(pair, 'TAKE_PROFIT', view())).toEqual({ pair, commands: [] });
    },
  );

  it('EX-9: trims the larger leg by 0.09 when drift is 2.7 % but worth 270 quote', (context) => {
    const step = advancePair(
      pairIn('OPEN'),
      viewOf(leg(330, []), leg(-321, []), { monotonicMs: 40_000, quotePerUnit: 30.0105 }),
    );
    expect(step.pair.record.phase).toBe('REBALANCING');
    expect(sends(step)).toEqual([['long', 'sell', 9, 'rebalance', true]]);
    const example = new Example('EX-9', context);
    example.is('sent', 'long sell 9 rebalance true', sends(step).flat().join(' '));
    example.is('state', 'REBALANCING', step.pair.record.phase);
  });

  it('leaves dust alone', () => {
    const step = advancePair(
      pairIn('OPEN'),
      viewOf(leg(330, []), leg(-329, []), { monotonicMs: 40_000, quotePerUnit: 4 }),
    );
    expect(step).toMatchObject({ pair: { record: { phase: 'OPEN' } }, commands: [] });
  });

  it('leaves when a leg is gone, with the one that is left', () => {
    const step = advancePair(pairIn('OPEN'), viewOf(leg(33, []), leg(0, [])));
    expect(step.pair.record).toMatchObject({ phase: 'CLOSING', reason: 'LEG_MISSING' });
    expect(sends(step)).toEqual([['long', 'sell', 33, 'close', true]]);
  });

  it('books a proven difference before anything else', () => {
    const step = advancePair(
      pairIn('OPEN'),
      viewOf(leg(33, []), leg(-33, [], { truth: { kind: 'contradicted', lots: -20 } })),
    );
    expect(step.commands).toEqual([{ type: 'adjust', leg: 'short', lots: -20 }]);
  });
});

describe('closing', () => {
  it('waits for both venues while balanced: closing one leg alone would create exposure', () => {
    const step = decideToLeave(pairIn('OPEN'), 'MANUAL', viewOf(leg(33, []), leg(-33, [], { reachable: false })));
    expect(step.pair.record.phase).toBe('CLOSING');
    expect(sends(step)).toEqual([]);
  });

  it('asks for the position before another attempt when the venue refused to reduce', () => {
    const refused = [order('short', 'close', ended(0))];
    const step = advancePair(pairIn('CLOSING'), viewOf(leg(0, []), leg(-33, refused, { queryFirst: true })));
    expect(step.commands).toEqual([{ type: 'reconcile', leg: 'short' }]);
  });

  it('sends the rest at the protective price once one leg has stood alone for 1.5 s', () => {
    const alone = (monotonicMs: number): PairView =>
      viewOf(leg(0, []), leg(-33, [order('short', 'close', ended(0))]), { monotonicMs });
    const { pair } = advancePair(pairIn('CLOSING'), alone(1_000));
    const [send] = advancePair(pair, alone(2_600)).commands;
    expect(send).toMatchObject({
      type: 'send',
      orders: [{ lots: 33, reduceOnly: true, price: { rule: 'protective' } }],
    });
  });

  it('is closed only when both venues confirm that they are flat', () => {
    expect(
      advancePair(pairIn('CLOSING'), viewOf(leg(0, []), leg(0, [], { truth: { kind: 'unknown' } }))).pair.record.phase,
    ).toBe('CLOSING');
    expect(
      advancePair(pairIn('CLOSING', { exitReason: 'MANUAL' }), viewOf(leg(0, []), leg(0, []))).pair.record,
    ).toMatchObject({ phase: 'CLOSED', reason: 'MANUAL' });
  });

  it('is quarantined after a minute', () => {
    const busy = [order('short', 'close', [{ type: 'handed-over' }])];
    const step = advancePair(pairIn('CLOSING'), viewOf(leg(0, []), leg(-33, busy), { monotonicMs: 60_000 }));
    expect(step.pair.record).toMatchObject({ phase: 'QUARANTINED', reason: 'CLOSE_EXHAUSTED' });
  });
});

describe('what venues refuse for good', () => {
  const refused = (purpose: OrderPurposeName, attempt: number): OrderState => {
    const facts = { venue: '', account: '', symbol: '', clientOrderId: '', venueOrderId: '', atMs: 0, sequence: 1 };
    const fact = { type: 'order-changed', status: 'refused', code: 'SIZE', reason: '', refusal: 'permanent' } as const;
    return order('short', purpose, [{ type: 'handed-over' }, { type: 'changed', fact: { ...facts, ...fact } }], {
      attempt,
    });
  };
  const trims = [1, 2, 3, 4].map((attempt) => refused('unwind', attempt));
  const closes = (count: number): OrderState[] =>
    Array.from({ length: count }, (_none, index) => refused('close', 5 + index));
  const short = (count: number): LegView => leg(-33, [...trims, ...closes(count)]);

  it('counts since leaving began: trims it would not take leave the close its own tries', () => {
    const left = decideToLeave(pairIn('OPEN'), 'MANUAL', viewOf(leg(33, []), short(0)));
    expect(left.pair.record.phase).toBe('CLOSING');
    expect(left.commands).toMatchObject([{ type: 'send', orders: [{ leg: 'long' }, { leg: 'short' }] }]);
    const phaseAfter = (count: number): PairPhase =>
      advancePair(left.pair, viewOf(leg(0, []), short(count))).pair.record.phase;
    expect(phaseAfter(2)).toBe('CLOSING');
    expect(phaseAfter(3)).toBe('QUARANTINED');
  });
});

describe('quarantine', () => {
  const queried = { queries: 1 };
  it.each([
    [
      'closed when flat after fills',
      leg(0, [order('long', 'open', ended(33)), order('long', 'unwind', ended(33))], queried),
      leg(0, [], queried),
      'CLOSED',
    ],
    ['failed when flat without any fill', leg(0, [], queried), leg(0, [], queried), 'FAILED'],
    ['open when balanced', leg(33, [], queried), leg(-33, [], queried), 'OPEN'],
    ['unwound when not', leg(33, [], queried), leg(0, [], queried), 'UNWINDING'],
    ['left where it is before both positions were queried again', leg(0, []), leg(0, []), 'QUARANTINED'],
  ] as const)('is %s', (_, long, short, phase) => {
    expect(advancePair(pairIn('QUARANTINED'), viewOf(long, short)).pair.record.phase).toBe(phase);
  });

  it('is closed when flat without any fill of ours, where the legs were adopted', () => {
    const { record, timing } = pairIn('QUARANTINED');
    const flat = viewOf(leg(0, [], queried), leg(0, [], queried));
    expect(advancePair({ record: { ...record, adopted: true }, timing }, flat).pair.record.phase).toBe('CLOSED');
  });

  it('stays when flattening is left to a person', () => {
    const view = viewOf(leg(33, [], queried), leg(0, [], queried), {
      policy: { ...policy, quarantine: { autoFlatten: false } },
    });
    expect(advancePair(pairIn('QUARANTINED'), view).pair.record.phase).toBe('QUARANTINED');
  });

  it('takes back an ended pair whose order filled late, to undo it', () => {
    const late = reviveForLateFill(pairIn('CLOSED'), viewOf(leg(0, []), leg(-3, [])));
    expect(late.record).toMatchObject({ phase: 'QUARANTINED', reason: 'LATE_FILL' });
    const step = advancePair(late, viewOf(leg(0, [], queried), leg(-3, [], queried)));
    expect(sends(step)).toEqual([['short', 'buy', 3, 'unwind', true]]);
  });
});

describe('a pair of which one venue gives no account', () => {
  const sent = (purpose: OrderPurposeName): OrderState =>
    order('short', purpose, [{ type: 'handed-over' }, { type: 'unanswered' }]);
  /** The long leg holds what is given and has done so since the start; the short leg's venue is away. */
  const later = (
    phase: PairPhase,
    long: LegView,
    short: LegView,
    monotonicMs: number,
  ): ReturnType<typeof advancePair> => {
    const first = advancePair(pairIn(phase), viewOf(long, short));
    return advancePair(first.pair, viewOf(long, short, { nowMs: monotonicMs, monotonicMs }));
  };
  const away = { reachable: false, truth: { kind: 'unknown' } } as const;

  it('waits for the venue, then undoes the leg it can reach early enough to be done in time', () => {
    const long = leg(33, [order('long', 'open', ended(33))]);
    const short = leg(0, [sent('open')], away);
    expect(sends(later('OPENING', long, short, 12_300))).toEqual([]);
    const step = later('OPENING', long, short, 12_400);
    expect(sends(step)).toEqual([['long', 'sell', 33, 'unwind', true]]);
    expect(step.pair.record).toMatchObject({ phase: 'UNWINDING', exitReason: 'ONE_VENUE_SILENT' });
  });

  it('takes back no more than the silent leg may fail to hedge', () => {
    const long = leg(33, [order('long', 'open', ended(33))]);
    const short = leg(-20, [sent('open')], away);
    expect(sends(later('UNWINDING', long, short, 12_400))).toEqual([['long', 'sell', 13, 'unwind', true]]);
  });

  it('counts a reduction of the silent leg as done', () => {
    const long = leg(33, [order('long', 'open', ended(33))]);
    const short = leg(-33, [order('short', 'open', ended(33)), sent('close')], away);
    expect(sends(later('CLOSING', long, short, 12_300))).toEqual([]);
    expect(sends(later('CLOSING', long, short, 12_400))).toEqual([['long', 'sell', 33, 'close', true]]);
  });

  it('leaves a leg alone that the silent one hedges to the lot', () => {
    const [longOrders, shortOrders] = openOrders(33, 33);
    expect(sends(later('CLOSING', leg(33, longOrders), leg(-33, shortOrders, away), 50_000))).toEqual([]);
  });

  it('does nothing while neither venue gives an account', () => {
    const long = leg(33, [order('long', 'open', ended(33))], away);
    expect(sends(later('OPENING', long, leg(0, [sent('open')], away), 50_000))).toEqual([]);
  });
});

describe('legs that must be closed', () => {
  const closing = (reason: string, longBps: number | undefined, shortBps: number | undefined): readonly LegSide[] => {
    const view = viewOf(leg(33, [], { closeWalkBps: longBps }), leg(-33, [], { closeWalkBps: shortBps }));
    const { commands } = decideToLeave(pairIn('OPEN'), reason, view);
    return commands.flatMap((command) => (command.type === 'send' ? command.orders.map((order) => order.leg) : []));
  };

  it('go together where both books hold them, and the thinner one first where its walk is long', () => {
    expect(closing('TAKE_PROFIT', 2, 9.9)).toEqual(['long', 'short']);
    expect(closing('TAKE_PROFIT', 2, 10.1)).toEqual(['short']);
    expect(closing('TAKE_PROFIT', Number.POSITIVE_INFINITY, 12)).toEqual(['long']);
    expect(closing('TAKE_PROFIT', undefined, 12)).toEqual(['long', 'short']);
  });

  it('go together whatever their books when leaving does not wait', () => {
    for (const reason of ['LIQUIDATION', 'LEG_MISSING', 'KILL_SWITCH', 'DAILY_LOSS'])
      expect(closing(reason, 2, 40)).toEqual(['long', 'short']);
  });

  it('follow as soon as the thinner one has begun to shrink', () => {
    const view = viewOf(leg(33, []), leg(-20, [], { closeWalkBps: 40, truth: { kind: 'unknown' } }));
    const { commands } = advancePair(pairIn('CLOSING'), view);
    expect(commands).toMatchObject([{ type: 'reconcile' }, { type: 'send', orders: [{ leg: 'long', lots: 33 }] }]);
  });
});
