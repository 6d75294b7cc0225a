/** What venues that hold orders back cost an entry, by the way its legs follow one another. */
import { expect, it } from 'vitest';
import type { MarkWatch } from '../../src/market/mark-watch.ts';
import { assessEntry } from '../../src/strategy/entry-assessment.ts';
import type { EntryFacts } from '../../src/strategy/entry-facts.ts';
import type { EntryPolicies } from '../../src/strategy/policy.ts';
import { instrument, pico } from '../market/instruments.ts';
import { candidate, entryPolicy, legFacts, MONOTONIC_MS } from './candidates.ts';

/** Moves by 1 bp in a second. */
const watch: MarkWatch = {
  sinceMs: 0,
  atMs: MONOTONIC_MS,
  markNano: 3e12,
  variancePerMs: 1e-8 / 1_000,
  premium: undefined,
};

function costOf(
  delays: { readonly long?: number; readonly short?: number },
  mode: EntryPolicies['entry']['mode'] = 'taker-taker',
  changes: Partial<EntryFacts> = {},
): { readonly adverse: number; readonly notional: number; readonly mode: string | undefined } {
  const leg = (venue: string, hourly: number, takerDelayMs: number | undefined): EntryFacts['long'] => {
    const listed = instrument({ venue, takerFee: pico(250_000_000) });
    return legFacts(venue, hourly, {
      instrument: takerDelayMs === undefined ? listed : { ...listed, takerDelayMs },
      markWatch: watch,
    });
  };
  const facts = candidate({
    long: leg('lighter', 0, delays.long),
    short: leg('extended', 50_000_000, delays.short),
    ...changes,
  });
  const policy = { ...entryPolicy, entry: { ...entryPolicy.entry, mode } };
  const priced = assessEntry(facts, policy).assessment?.priced;
  return {
    adverse: priced?.metrics.adverseMoveQuote ?? Number.NaN,
    notional: priced?.metrics.notionalQuote ?? Number.NaN,
    mode: priced?.entry.mode,
  };
}

it('is sigma times the root of the time between both executions, where one venue holds back', () => {
  const { adverse, notional } = costOf({ long: 300 });
  expect(adverse / notional).toBeCloseTo(1e-4 * Math.sqrt(0.3), 12);
  expect(costOf({ short: 300 }).adverse).toBeCloseTo(adverse, 9);
});

it('is nothing where both legs are taken and held back alike, or not at all', () => {
  expect(costOf({}).adverse).toBe(0);
  expect(costOf({ long: 300, short: 300 }).adverse).toBe(0);
  const { adverse, notional } = costOf({ long: 300, short: 200 });
  expect(adverse / notional).toBeCloseTo(1e-4 * Math.sqrt(0.1), 12);
});

it('is all of the second leg’s delay where it follows the first one’s fill', () => {
  for (const mode of ['maker-taker', 'sequential'] as const) {
    const both = costOf({ long: 300, short: 300 }, mode);
    expect(both.mode).toBe(mode);
    expect(both.adverse / both.notional).toBeCloseTo(1e-4 * Math.sqrt(0.3), 12);
  }
});

it('is nothing while nobody has watched the marks', () => {
  const unwatched = (venue: string): EntryFacts['long'] =>
    legFacts(venue, 50_000_000, { instrument: { ...instrument({ venue }), takerDelayMs: 300 } });
  const changes = { long: unwatched('lighter'), short: legFacts('extended', 50_000_000) };
  expect(costOf({}, 'taker-taker', changes).adverse).toBe(0);
});
