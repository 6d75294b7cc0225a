import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { MarketEvent } from '../../actors/connector-messages.ts';
import type { EntryPlan } from '../../actors/position-messages.ts';
import { strategy } from '../../actors/strategy.ts';
import type { StrategyArgs, StrategyState } from '../../actors/strategy.ts';
import { entryFacts } from '../../actors/strategy/candidate.ts';
import { refreshLegs } from '../../actors/strategy/candidate-table.ts';
import { exposuresOf } from '../../actors/strategy/pair-book.ts';
import type { StrategyMessage } from '../../actors/strategy-messages.ts';
import { HOUR_MS } from '../../src/market/funding-rate.ts';
import { decideEntry } from '../../src/strategy/entry-decision.ts';
import { book, instrument, micro, pico } from '../market/instruments.ts';
import { entryPolicy, predicted } from '../strategy/candidates.ts';
import { pairChanged } from './pairs.ts';
import { stage } from './stage.ts';
import type { Stage } from './stage.ts';

/** More candidates than are judged in turn, most of them carrying enough. */
const BASES = Array.from({ length: 40 }, (_, index) => `B${index}`);
const VENUES = ['lighter', 'extended'] as const;
const START_MS = 1_767_225_600_000;

const args: StrategyArgs = {
  policy: {
    ...entryPolicy,
    entry: { ...entryPolicy.entry, minExpectedValueQuote: 0, minFavourable: 0 },
    sizing: { ...entryPolicy.sizing, maxStepNotionalShare: 1 },
  },
  venues: VENUES.map((venue) => ({ venue, account: 'main', connectorPath: `connector/${venue}:main` })),
  bases: BASES,
  scanIntervalMs: 250,
  startupGraceMs: 1_000,
  calendarScale: 1,
  guardPath: 'guard',
  observerPath: 'observer',
};

interface Quote {
  readonly bidTicks: number;
  readonly spreadTicks: number;
  readonly lots: number;
  readonly hourly: number;
  readonly takerFee: number;
}
const quote: fc.Arbitrary<Quote> = fc.record({
  bidTicks: fc.integer({ min: 59_980, max: 60_020 }),
  spreadTicks: fc.integer({ min: 1, max: 30 }),
  lots: fc.integer({ min: 1, max: 50_000 }),
  hourly: fc.constantFrom(0, 50_000_000, 50_000_000, 60_000_000, 110_000_000),
  takerFee: fc.constantFrom(0, 10_000_000, 200_000_000),
});

function hear(play: Stage<StrategyState, StrategyMessage, unknown>, venue: string, quotes: readonly Quote[]): void {
  const receivedAtMonotonicMs = play.self.monotonicMs();
  const venueAtMs = play.self.nowMs();
  const events: MarketEvent[] = [
    {
      ...{ type: 'venue-status', venue, account: 'main', status: 'ready', reason: '' },
      ...{ clockOffsetMs: 0, clockErrorMs: 1, entriesAllowed: true, openBudgetShare: 1 },
    },
    {
      ...{ type: 'account-changed', venue, account: 'main', receivedAtMonotonicMs },
      ...{ walletMicro: micro(10_000_000_000n), availableMicro: micro(10_000_000_000n) },
    },
  ];
  for (const [index, { bidTicks, spreadTicks, lots, hourly, takerFee }] of quotes.entries()) {
    const [base, symbol] = [`B${index}`, `B${index}-${venue}`];
    const feed = { venue, symbol, base };
    const listed = instrument({ venue, symbol, base, takerFee: pico(takerFee), makerFee: pico(0) });
    const settleAtMs = START_MS + HOUR_MS;
    events.push(
      { type: 'instrument-listed', venue, account: 'main', symbol, instrument: listed },
      { type: 'leverage-reported', venue, account: 'main', symbol, base, leverage: 3 },
      { type: 'mark-changed', ...feed, markNano: 3_000_000_000_000n, venueAtMs, receivedAtMonotonicMs },
      {
        ...{ type: 'funding-rate-changed', ...feed, kind: 'predicted', settleAtMs, receivedAtMonotonicMs },
        rate: predicted(hourly, { venue, symbol, settleAtMs }),
      },
      {
        ...{ type: 'funding-rate-changed', ...feed, kind: 'settled', settleAtMs: START_MS, receivedAtMonotonicMs },
        rate: predicted(hourly, { venue, symbol, kind: 'settled', settleAtMs: START_MS }),
      },
      {
        ...{ type: 'book-changed', ...feed },
        book: book(
          [
            [bidTicks, lots],
            [bidTicks - 40, 100_000],
          ],
          [
            [bidTicks + spreadTicks, lots],
            [bidTicks + spreadTicks + 40, 100_000],
          ],
          { venue, symbol, venueAtMs, receivedAtMonotonicMs },
        ),
      },
    );
  }
  for (const event of events) play.deliver(event);
}

/** The best entry when every candidate is judged. */
function bestOfAll(state: StrategyState, nowMs: number, monotonicMs: number): EntryPlan | undefined {
  refreshLegs(state.table, state.market);
  const known = { ...state, exposures: exposuresOf(state.pairs) };
  return state.table.candidates
    .map((candidate) => decideEntry(entryFacts(known, candidate, { nowMs, monotonicMs }), args.policy))
    .filter((decision) => decision.plan !== undefined)
    .toSorted(
      (one, other) =>
        other.metrics.score - one.metrics.score ||
        one.metrics.roundTripCostQuote - other.metrics.roundTripCostQuote ||
        (one.plan.base < other.plan.base ? -1 : one.plan.base > other.plan.base ? 1 : 0),
    )[0]?.plan;
}

it('a scan asks for the entry that is the best of all candidates, though it does not judge them all', () => {
  let [asked, spared] = [0, 0];
  const quotes = fc.array(quote, { minLength: BASES.length, maxLength: BASES.length });
  fc.assert(
    fc.property(quotes, quotes, (one, other) => {
      const play = stage(strategy, args, { nowMs: START_MS + HOUR_MS / 2 });
      play.deliver({ type: 'engine-state-changed', state: 'TRADING', reason: '', flatten: false });
      for (const base of BASES) play.deliver(pairChanged(base));
      hear(play, VENUES[0], one);
      hear(play, VENUES[1], other);
      const expected = bestOfAll(play.state(), play.self.nowMs(), play.self.monotonicMs());
      play.deliver({ type: 'scan-opportunities' });
      const entry = play.sent.find(({ message }) => message.type === 'enter-pair')?.message as
        { readonly plan: EntryPlan } | undefined;
      expect(entry?.plan).toEqual(expected);
      if (expected !== undefined) asked += 1;
      spared += play.state().table.candidates.filter(({ seen, long, short }) => {
        return seen === undefined && Math.abs((short.hourly ?? 0) - (long.hourly ?? 0)) > 40_000_000;
      }).length;
    }),
    { numRuns: 60 },
  );
  expect(asked).toBeGreaterThan(40);
  expect(spared).toBeGreaterThan(100);
});
