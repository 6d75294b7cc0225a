/** The table drawn of a pair's phases does what its rows say, and says all that the code does. */
import { it } from 'vitest';
import type { OrderInput, OrderState } from '../../src/execution/order-state.ts';
import { advancePair, decideToLeave, decideToReduce, reviveForLateFill } from '../../src/execution/pair-state.ts';
import type { LegView, Pair, PairPhase, PairRecord, PairView } from '../../src/execution/pair.ts';
import { createWorld } from '../actors/position-world.ts';
import { changesOf, expectDrawn } from '../drawn-table.ts';
import type { Transition } from '../drawn-table.ts';
import { ended, leg, order, pairIn, viewOf } from './pair-views.ts';

const queried = { queries: 1 };

const nothing = leg(0, [], queried);
const whole: readonly [LegView, LegView] = [
  leg(33, [order('long', 'open', ended(33))], queried),
  leg(-33, [order('short', 'open', ended(33))], queried),
];
const flatAfterFills: readonly [LegView, LegView] = [
  leg(0, [order('long', 'open', ended(33)), order('long', 'close', ended(33))], queried),
  leg(0, [order('short', 'open', ended(33)), order('short', 'close', ended(33))], queried),
];
const uneven: readonly [LegView, LegView] = [
  leg(33, [order('long', 'open', ended(33))], queried),
  leg(-20, [order('short', 'open', ended(20))], queried),
];
const oneGone: readonly [LegView, LegView] = [
  leg(33, [order('long', 'open', ended(33))], queried),
  leg(0, [order('short', 'open', ended(33))], queried),
];
const silent = order('short', 'open', [{ type: 'handed-over' }, { type: 'unanswered' }]);
const busy = order('short', 'close', [{ type: 'handed-over' }]);
/** A reduction that its venue will never take. */
const refusedClose = (attempt: number): OrderState =>
  order(
    'short',
    'close',
    [
      { type: 'handed-over' },
      {
        type: 'changed',
        fact: {
          type: 'order-changed',
          venue: '',
          account: '',
          symbol: '',
          clientOrderId: '',
          status: 'refused',
          venueOrderId: '',
          code: '1120',
          reason: 'below minimum size',
          refusal: 'permanent',
          atMs: 0,
          sequence: 1,
        },
      },
    ],
    { attempt },
  );
const lost: readonly OrderInput[] = [{ type: 'handed-over' }, { type: 'resolution-exhausted' }];

/** What these facts make of a pair, each view looked at in turn. */
const facts =
  (...views: readonly PairView[]) =>
  (pair: Pair): Pair =>
    views.reduce((before, view) => advancePair(before, view).pair, pair);
const at = (monotonicMs: number, [long, short]: readonly [LegView, LegView]): PairView =>
  viewOf(long, short, { nowMs: monotonicMs, monotonicMs });
/** Only of a pair in this phase; elsewhere it cannot be. */
const only =
  (phase: PairPhase, play: (pair: Pair) => Pair) =>
  (pair: Pair): Pair =>
    pair.record.phase === phase ? play(pair) : pair;

const of =
  (phases: readonly PairPhase[], play: (pair: Pair) => Pair) =>
  (pair: Pair): Pair =>
    phases.includes(pair.record.phase) ? play(pair) : pair;

const samples: Readonly<Record<string, Pair>> = {
  IDLE: pairIn('IDLE'),
  PREFLIGHT: pairIn('PREFLIGHT'),
  OPENING: pairIn('OPENING'),
  OPEN: pairIn('OPEN'),
  REBALANCING: pairIn('REBALANCING'),
  CLOSING: pairIn('CLOSING', { exitReason: 'MANUAL' }),
  UNWINDING: pairIn('UNWINDING', { exitReason: 'HEDGE_EXHAUSTED' }),
  QUARANTINED: pairIn('QUARANTINED', { reason: 'UNCONFIRMED' }),
  'QUARANTINED leaving': pairIn('QUARANTINED', { reason: 'CLOSE_EXHAUSTED', exitReason: 'MANUAL' }),
  'QUARANTINED interrupted': pairIn('QUARANTINED', { reason: 'ORDER_LOST', exitReason: 'MANUAL' }),
  CLOSED: pairIn('CLOSED', { exitReason: 'MANUAL' }),
  FAILED: pairIn('FAILED'),
};

const INTERRUPTED = ['ORDER_LOST', 'OVERFILL', 'LATE_FILL', 'ONE_VENUE_SILENT', 'RECOVERY_TOO_LONG'];

/** A pair that must leave is quarantined in two ways: given up, or interrupted by an order or a silence. */
function nameOf({ record: { phase, reason, exitReason } }: Pair): string {
  if (phase !== 'QUARANTINED' || exitReason === '') return phase;
  return INTERRUPTED.includes(reason) ? 'QUARANTINED interrupted' : 'QUARANTINED leaving';
}

const undoing = {
  judgeCompletion: () => ({ action: 'unwind' as const, completeQuote: 0, unwindQuote: 0, detail: '' }),
};
const away = { reachable: false, truth: { kind: 'unknown' } } as const;

const events: Readonly<Record<string, (pair: Pair) => Pair>> = {
  'legs whole': facts(viewOf(...whole)),
  'flat without a fill': facts(viewOf(nothing, nothing)),
  'flat after fills': facts(viewOf(...flatAfterFills)),
  'legs differ': facts(viewOf(...uneven)),
  'undoing is better': only('OPENING', facts(viewOf(...uneven, undoing))),
  'a leg is gone': facts(viewOf(...oneGone)),
  liquidated: facts(viewOf(...oneGone, { reductions: { count: 1, liquidated: true } })),
  'an order is lost': facts(viewOf(leg(33, [order('long', 'open', lost)]), leg(-33, []))),
  overfilled: facts(viewOf(leg(34, [order('long', 'open', ended(34))]), leg(-33, []))),
  'unconfirmed for 15 s': (pair) => {
    const unconfirmed = [whole[0], { ...whole[1], truth: { kind: 'unknown' } }] as const;
    return facts(at(1_000, unconfirmed), at(16_000, unconfirmed))(pair);
  },
  'not flat for 60 s': facts(at(60_000, [nothing, leg(-33, [busy])])),
  'refused for good thrice': of(['CLOSING', 'UNWINDING'], facts(viewOf(nothing, leg(-3, [1, 2, 3].map(refusedClose))))),
  'one venue silent for long': (pair) => {
    const lone = [whole[0], leg(0, [silent], away)] as const;
    return facts(at(1_000, lone), at(12_400, lone))(pair);
  },
  'two trims failed': only('REBALANCING', (pair) =>
    facts(viewOf(...uneven))({ ...pair, timing: { ...pair.timing, sends: 2 } }),
  ),
  'decided to leave': (pair) => decideToLeave(pair, 'TAKE_PROFIT', viewOf(...whole)).pair,
  'decided to reduce': (pair) =>
    decideToReduce(pair, { long: 20, short: 20 }, 'LIQUIDATION_NEAR', viewOf(...whole)).pair,
  'late fill': (pair) => reviveForLateFill(pair, viewOf(leg(0, []), leg(-3, []))),
};

/** What the actor does before there is anything to advance, seen in its journal rows. */
function entered(): readonly Transition[] {
  const world = createWorld();
  const until = (phase: PairPhase, afterMs = 5_000): void =>
    world.runUntil(() => world.pictures.at(-1)?.phase === phase, afterMs);
  const enter = (): void => world.deliver({ type: 'enter-pair', plan: world.plan() });
  until('IDLE');
  enter();
  until('OPEN');
  world.deliver({ type: 'exit-pair', reason: 'MANUAL' });
  until('CLOSED');
  world.run(1_000);
  enter();
  world.engine('HALTED');
  until('FAILED');
  world.engine('TRADING');
  world.run(61_000);
  enter();
  until('OPEN');
  const phases = world.rows.flatMap(({ type, payload }) =>
    type === 'pair-state' ? [(payload['pair'] as PairRecord).phase] : [],
  );
  return ['IDLE' as const, ...phases].flatMap((from, index, all): Transition[] => {
    const to = all[index + 1];
    if (to === undefined || to === from) return [];
    if (to === 'PREFLIGHT') return [[from, 'entered', to]];
    return from === 'PREFLIGHT' ? [[from, to === 'OPENING' ? 'plan durable' : 'a gate refuses', to]] : [];
  });
}

it('a pair', () => {
  expectDrawn('src/execution/pair-state.ts', [...changesOf(samples, events, nameOf), ...entered()]);
});
