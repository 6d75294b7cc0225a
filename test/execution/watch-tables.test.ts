/** The tables drawn of how orders and pairs are watched, and of what becomes of an expected payment, say what the code does, and all of it. */
import { expect, it } from 'vitest';
import { ageExpectations, expectFunding, receiveFunding } from '../../src/execution/funding-expectation.ts';
import type { FundingExpectation } from '../../src/execution/funding-expectation.ts';
import { advanceOrder, isSettled, plannedOrder } from '../../src/execution/order-state.ts';
import type { OrderInput, OrderState } from '../../src/execution/order-state.ts';
import { watchOrder } from '../../src/execution/order-watch.ts';
import type { OrderWatch } from '../../src/execution/order-watch.ts';
import { newTiming } from '../../src/execution/pair-state.ts';
import type { Pair, PairPhase } from '../../src/execution/pair.ts';
import { isStop } from '../../src/execution/protective-stop.ts';
import { urgencyOf } from '../../src/execution/urgency.ts';
import type { Urgency } from '../../src/execution/urgency.ts';
import { changesOf, drawnTable, expectDrawn } from '../drawn-table.ts';
import { orderOf } from '../actors/monitor-world.ts';

const policy = { ackMs: 2_000, resolveMs: 10_000, resolveQueries: 8 };

interface Watched {
  readonly order: OrderState;
  readonly watch: OrderWatch;
  readonly nowMs: number;
  readonly validityLeftMs: number;
}

/** Orders in every state that is watched differently. */
function orders(): readonly OrderState[] {
  const told = (status: 'open' | 'cancelled', filledLots?: number): OrderInput => ({
    type: 'changed',
    fact: {
      type: 'order-changed',
      ...{ venue: 'L', account: 'main', symbol: 'ETH', clientOrderId: '42', venueOrderId: 'v', code: '', reason: '' },
      status,
      ...(filledLots === undefined ? {} : { filledLots }),
      atMs: 0,
      sequence: status === 'open' ? 1 : 2,
    },
  });
  const taken = orderOf('42', 0, { lots: 10 });
  const quote = { ...taken, restsUntilMs: 20_000 };
  const stop = { ...quote, trigger: { ticks: 1, direction: 'fall' as const } };
  const sent: OrderInput = { type: 'handed-over' };
  const inputs: readonly (readonly OrderInput[])[] = [
    [],
    [sent],
    [sent, told('open')],
    [sent, told('open'), { type: 'cancel-requested' }],
    [sent, { type: 'unanswered' }],
    [sent, { type: 'unanswered' }, { type: 'resolution-exhausted' }],
    [sent, told('cancelled')],
    [sent, told('cancelled', 0)],
  ];
  return [taken, quote, stop].flatMap((planned) =>
    inputs.map((list) =>
      list.reduce((order: OrderState, input) => advanceOrder(order, input).order, plannedOrder(planned)),
    ),
  );
}

function* situations(): Generator<Watched> {
  for (const order of orders())
    for (const ageMs of [0, 2_000, 12_000])
      for (const cancelledAtMs of [undefined, 0, 11_000])
        for (const validityLeftMs of [1, 0, -3_000, -10_000])
          for (const asked of [0, 8])
            for (const askedAgoMs of [0, 2_000])
              yield {
                order,
                nowMs: ageMs,
                validityLeftMs,
                watch: {
                  sinceMs: 0,
                  asked,
                  lastAskedAtMs: ageMs - askedAgoMs,
                  ...(cancelledAtMs === undefined ? {} : { cancelledAtMs }),
                },
              };
}

const rests = ({ order }: Watched): boolean => order.planned.restsUntilMs !== undefined && order.status === 'OPEN';
const ageOf = (of: Watched): number => of.nowMs - (rests(of) ? (of.watch.cancelledAtMs ?? 0) : 0);
const ORDERS: Readonly<Record<string, (of: Watched) => boolean>> = {
  any: () => true,
  'not sent': ({ order }) => order.status === 'PLANNED',
  settled: ({ order }) => isSettled(order),
  'rests, not cancelled': (of) => rests(of) && !of.order.cancelRequested,
  sent: ({ order }) => order.status === 'SENDING',
  open: ({ order }) => order.status === 'OPEN',
  'unknown, no stop': ({ order }) => order.status === 'UNKNOWN' && !isStop(order),
};
const TIMES: Readonly<Record<string, (of: Watched) => boolean>> = {
  any: () => true,
  'its end is not due': ({ validityLeftMs }) => validityLeftMs > 0,
  'no answer is due': (of) => ageOf(of) < 2_000,
  'resolving took too long': (of) => ageOf(of) >= 12_000 && of.validityLeftMs <= -10_000,
  'questions spent, death provable': ({ watch, validityLeftMs }) => watch.asked >= 8 && validityLeftMs <= -3_000,
  'asked a moment ago': ({ nowMs, watch }) => nowMs - watch.lastAskedAtMs < 2_000,
};

function holds<Facts>(conditions: Readonly<Record<string, (of: Facts) => boolean>>, cell: string, of: Facts): boolean {
  // A cell may list several that have names of their own, or be one whose name has a comma.
  const names = cell in conditions ? [cell] : cell.split(', ');
  return names.some((name) => {
    const condition = conditions[name];
    if (condition === undefined) throw new Error(`the table names facts that no test knows: ${name}`);
    return condition(of);
  });
}

it('an order without news: every situation is decided by its first row, and every row decides one', () => {
  const rows = drawnTable('src/execution/order-watch.ts', ['order', 'time', 'action']);
  const hits = new Set<number>();
  for (const of of situations()) {
    const at = rows.findIndex(([order = '', time = '']) => holds(ORDERS, order, of) && holds(TIMES, time, of));
    hits.add(at);
    const done = watchOrder(of.order, of.watch, of.nowMs, of.validityLeftMs, policy);
    expect(rows[at]?.[2], JSON.stringify({ ...of, order: of.order.status })).toBe(done);
  }
  expect([...hits].toSorted((one, other) => one - other)).toEqual([...rows.keys()]);
});

it('how closely a pair is watched: every situation is decided by its first row, and every row decides one', () => {
  interface Facts {
    readonly phase: PairPhase;
    readonly isAlone: boolean;
    readonly danger: Urgency;
  }
  const open = ({ phase }: Facts): boolean => phase === 'OPEN';
  const conditions: Readonly<Record<string, (of: Facts) => boolean>> = {
    'something of it stands alone': ({ isAlone }) => isAlone,
    'open, in danger': (of) => open(of) && of.danger === 'urgent',
    'open, danger nearing': (of) => open(of) && of.danger === 'busy',
    open,
    'under way': () => true,
  };
  const rows = drawnTable('src/execution/urgency.ts', ['pair', 'urgency']);
  const hits = new Set<number>();
  for (const phase of ['OPEN', 'OPENING', 'REBALANCING', 'CLOSING', 'UNWINDING', 'QUARANTINED'] as const)
    for (const isAlone of [false, true])
      for (const danger of ['calm', 'busy', 'urgent'] as const) {
        const of = { phase, isAlone, danger };
        const at = rows.findIndex(([name = '']) => holds(conditions, name, of));
        hits.add(at);
        const timing = newTiming(0);
        const exposure = isAlone ? { ...timing.exposure, sinceMs: 0 } : timing.exposure;
        // Of the record, only the phase is looked at.
        const pair: Pair = { record: { phase } as Pair['record'], timing: { ...timing, exposure } };
        expect(rows[at]?.[1], JSON.stringify(of)).toBe(urgencyOf(pair, danger));
      }
  expect([...hits].toSorted((one, other) => one - other)).toEqual([...rows.keys()]);
});

it('an expected payment', () => {
  const [expected] = expectFunding([], { leg: 'L', settleAtMs: 0, expectedMicro: 1_000_000n, createdAtMs: 0 });
  if (expected === undefined) throw new Error('it must be remembered');
  const one = (list: readonly FundingExpectation[]): FundingExpectation => list[0] ?? expected;
  const changes = changesOf<FundingExpectation>(
    {
      PENDING: expected,
      MATCHED: { ...expected, status: 'MATCHED' },
      MISMATCH: { ...expected, status: 'MISMATCH' },
      MISSING: { ...expected, status: 'MISSING' },
    },
    {
      'paid as expected': (known) => one(receiveFunding([known], 'L', 0, 1_000_000n)),
      'paid otherwise': (known) => one(receiveFunding([known], 'L', 0, 900_000n)),
      'nothing for 15 min': (known) => one(ageExpectations([known], 15 * 60_000 + 1)),
    },
    ({ status }) => status,
  );
  expectDrawn('src/execution/funding-expectation.ts', changes);
});
