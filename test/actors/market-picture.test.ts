import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { MarketEvent } from '../../actors/connector-messages.ts';
import { createCandidateTable, refreshLegs } from '../../actors/strategy/candidate-table.ts';
import { measureQuotes } from '../../actors/strategy/market-picture.ts';
import type { MarketPicture } from '../../actors/strategy/market-picture.ts';
import { strategy } from '../../actors/strategy.ts';
import { measureQuoteRates } from '../../src/market/quote-rates.ts';
import { instrument } from '../market/instruments.ts';
import { entryPolicy, predicted } from '../strategy/candidates.ts';
import { stage } from './stage.ts';

const NOW_MS = 1_767_225_600_000;
const VENUES = ['lighter', 'extended'] as const;
const BASES = ['BTC', 'ETH'] as const;
const QUOTES = { lighter: 'USDC', extended: 'USD' } as const;

/** What a venue may say of an instrument; its symbol may change from one listing to the next. */
const event = fc
  .record({
    venue: fc.constantFrom(...VENUES),
    base: fc.constantFrom(...BASES),
    name: fc.constantFrom('', '-PERP'),
    what: fc.constantFrom('listed', 'mark', 'rate'),
    price: fc.integer({ min: 1, max: 1_000_000 }),
    hasIndex: fc.boolean(),
    multiplier: fc.constantFrom(1, 1_000),
    ageMs: fc.constantFrom(0, 29_999, 30_001),
  })
  .map(({ venue, base, name, what, price, hasIndex, multiplier, ageMs }) => {
    const feed = { venue, symbol: `${base}${name}`, base };
    return (monotonicMs: number): MarketEvent => {
      if (what === 'listed') {
        const listed = instrument({ ...feed, multiplier, quote: QUOTES[venue] });
        return { type: 'instrument-listed', venue, account: 'main', symbol: feed.symbol, instrument: listed };
      }
      const receivedAtMonotonicMs = monotonicMs - ageMs;
      const nano = BigInt(price) * 1_000_000_000n;
      if (what === 'mark')
        return {
          ...{ type: 'mark-changed', ...feed, markNano: nano, venueAtMs: NOW_MS, receivedAtMonotonicMs },
          ...(hasIndex ? { indexNano: nano + 7_000_000n } : {}),
        };
      const settleAtMs = NOW_MS + 3_600_000;
      const rate = predicted(price - 500_000, { ...feed, settleAtMs });
      return { type: 'funding-rate-changed', ...feed, kind: 'predicted', settleAtMs, receivedAtMonotonicMs, rate };
    };
  });

/** The rates by what the facts themselves say, none of it kept from before. */
function freshRates({ instruments, feeds }: MarketPicture, monotonicMs: number): ReturnType<typeof measureQuoteRates> {
  const prices = [...instruments.values()].flatMap(({ venue, symbol, base, quote, multiplier }) => {
    const mark = feeds.get(`${venue}|${symbol}`)?.mark;
    if (mark === undefined || monotonicMs - mark.receivedAtMonotonicMs > 30_000) return [];
    return [{ base, quote, price: Number(mark.indexNano ?? mark.markNano) / 1e9 / multiplier }];
  });
  return measureQuoteRates(prices, {});
}

it('what is read out of facts when they are heard is what they say, whatever is listed anew in between', () => {
  let [measured, relisted] = [0, 0];
  fc.assert(
    fc.property(fc.array(event, { maxLength: 60, size: 'max' }), (events) => {
      const play = stage(
        strategy,
        {
          ...{ policy: entryPolicy, bases: BASES, scanIntervalMs: 250, startupGraceMs: 1_000, calendarScale: 1 },
          venues: VENUES.map((venue) => ({ venue, account: 'main', connectorPath: `connector/${venue}:main` })),
          ...{ guardPath: 'guard', observerPath: 'observer' },
        },
        { nowMs: NOW_MS },
      );
      const { market } = play.state();
      const [one, other] = VENUES;
      const table = createCandidateTable(BASES, [
        [
          { venue: one, account: 'main' },
          { venue: other, account: 'main' },
        ],
      ]);
      const monotonicMs = play.self.monotonicMs();
      for (const make of events) {
        const before = market.listings;
        play.deliver(make(monotonicMs));
        if (before > 0 && market.listings > before) relisted += 1;
        refreshLegs(table, market);
        for (const leg of table.legs) {
          const listed = market.instruments.get(`${leg.name.venue}:main|${leg.base}`);
          const feed = listed === undefined ? undefined : market.feeds.get(`${listed.venue}|${listed.symbol}`);
          const perContract = feed?.mark === undefined ? Number.NaN : Number(feed.mark.markNano) / 1e9;
          expect([leg.instrument, leg.hourly, leg.mark]).toEqual([
            listed,
            feed?.predicted?.rate.hourly ?? Number.NaN,
            perContract / (listed?.multiplier ?? 1),
          ]);
        }
      }
      measureQuotes(market, {}, monotonicMs);
      expect(market.quoteRates).toEqual(freshRates(market, monotonicMs));
      measured += market.quoteRates.length;
    }),
    { numRuns: 60 },
  );
  expect(measured).toBeGreaterThan(10);
  expect(relisted).toBeGreaterThan(10);
});
