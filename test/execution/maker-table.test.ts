/** The table drawn of why quoting ends says what the code does, and all of it. */
import { it } from 'vitest';
import { observeExposure, stoppedExposureClock } from '../../src/execution/exposure-clock.ts';
import { advanceMaking } from '../../src/execution/maker-entry.ts';
import type { OrderInput, OrderState } from '../../src/execution/order-state.ts';
import type { LegView, Pair, PairView, QuoteVerdict } from '../../src/execution/pair.ts';
import { changesOf, expectDrawn } from '../drawn-table.ts';
import { ended, leg, order, pairIn, policy, viewOf } from './pair-views.ts';

const GATES: readonly string[] = ['STALE_BOOK', 'DRAINING'];

const quotingPair = (reason: string): Pair =>
  pairIn('OPENING', {
    entry: { mode: 'maker-taker', leg: 'long', quoteTicks: 1, escalate: false, ended: reason },
  });

const fair: QuoteVerdict = { touchTicks: 1, touchAdverseBps: 0, restingAdverseBps: 0 };
const handedOver: OrderInput = { type: 'handed-over' };
const refused = (refusal: 'permanent' | 'state'): readonly OrderInput[] => [
  handedOver,
  {
    type: 'changed',
    fact: {
      type: 'order-changed',
      venue: '',
      account: '',
      symbol: '',
      clientOrderId: '',
      status: 'rejected',
      venueOrderId: '',
      code: 'MARGIN',
      reason: '',
      refusal,
      atMs: 0,
      sequence: 1,
    },
  },
];
const quote = (inputs: readonly OrderInput[]): OrderState => order('long', 'open', inputs, { restsUntilMs: 15_000 });
const hedge = (inputs: readonly OrderInput[]): OrderState => order('short', 'hedge', inputs, { lots: 10 });
/** Everything of it but the cancel: it rests. */
const resting = (filledLots: number): OrderState => quote(ended(filledLots).slice(0, -1));

const looksAt =
  (long: LegView, short: LegView, changes: Partial<PairView> = {}) =>
  (pair: Pair): Pair =>
    advanceMaking(pair, viewOf(long, short, { judgeQuote: () => fair, ...changes })).step.pair;
const untouched: readonly [LegView, LegView] = [leg(0, [resting(0)]), leg(0, [])];
/** A part is filled, and this became of its hedge. */
const hedgedBy = (hedged: readonly OrderInput[]): readonly [LegView, LegView] => [
  leg(10, [resting(10)]),
  leg(0, [hedge(hedged)]),
];

const events: Readonly<Record<string, (pair: Pair) => Pair>> = {
  'nothing came': looksAt(...untouched),
  'a part is filled': looksAt(leg(10, [resting(10)]), leg(0, [])),
  'the resting price is too dear': looksAt(...untouched, { judgeQuote: () => ({ ...fair, restingAdverseBps: 6 }) }),
  'a quote is over': looksAt(leg(0, [quote(ended(0))]), leg(0, [])),
  'all but dust is filled': looksAt(leg(33, [quote(ended(33))]), leg(0, [])),
  'the last quote is over': looksAt(leg(0, [quote(ended(0))]), leg(0, []), {
    policy: { ...policy, maker: { ...policy.maker, maxQuotes: 1 } },
  }),
  'a gate refuses': looksAt(...untouched, { increaseRefused: 'STALE_BOOK' }),
  'quoting is refused': looksAt(...untouched, { quotingRefused: 'DRAINING' }),
  'the hedge is unknown': looksAt(...hedgedBy([handedOver, { type: 'unanswered' }])),
  'the quote is unknown': looksAt(leg(0, [quote([handedOver, { type: 'unanswered' }])]), leg(0, [])),
  'the quote is refused for good': looksAt(leg(0, [quote(refused('permanent'))]), leg(0, [])),
  'the second quote in a row is refused': looksAt(
    leg(0, [quote(refused('state')), quote(refused('state'))]),
    leg(0, []),
  ),
  'the third quote in a row is refused': looksAt(
    leg(0, [quote(refused('state')), quote(refused('state')), quote(refused('state'))]),
    leg(0, []),
  ),
  'the hedge is refused for good': looksAt(...hedgedBy(refused('permanent'))),
  'the hedge is not filled': looksAt(...hedgedBy(ended(0))),
  'alone for 1.5 s': (pair) => {
    const exposure = observeExposure(stoppedExposureClock, 600, 0);
    const alone = { ...pair, timing: { ...pair.timing, exposure } };
    return looksAt(leg(10, [resting(10)]), leg(0, []), { monotonicMs: 1_500 })(alone);
  },
  'quoting for 15 s': looksAt(...untouched, { monotonicMs: 15_000 }),
  'the touch is too dear': looksAt(...untouched, { judgeQuote: () => ({ ...fair, touchAdverseBps: 6 }) }),
};

function nameOf({ record: { entry } }: Pair): string {
  const reason = entry?.mode === 'maker-taker' ? entry.ended : '';
  if (reason === '') return 'quoting';
  return GATES.includes(reason) ? 'its reason' : reason.replace(/:.*/, '');
}

it('the quoting of an entry', () => {
  const samples = { quoting: quotingPair(''), MAKER_TIMEOUT: quotingPair('MAKER_TIMEOUT') };
  expectDrawn('src/execution/maker-entry.ts', changesOf(samples, events, nameOf));
});
