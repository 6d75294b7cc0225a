import { describe, expect, it } from 'vitest';
import { decideEntry } from '../../src/strategy/entry-decision.ts';
import { chooseEntryMode, chooseMaker } from '../../src/strategy/entry-mode.ts';
import type { EntryModePolicy, MakerEntryPolicy, ModeLeg } from '../../src/strategy/entry-mode.ts';
import { candidate, entryPolicy } from './candidates.ts';

const maker: MakerEntryPolicy = {
  minSavingBps: 2,
  fillProbability: 0.7,
  maxAdverseBps: 5,
  timeoutMs: 15_000,
  escalate: false,
};
const auto: EntryModePolicy = { mode: 'auto', queriedVenues: [] };

/** A spread of 10 bps around 100 on both, fee 2.5 bps less for a maker on the long one, which is the thinner. */
const long: ModeLeg = {
  venue: 'extended',
  side: 'long',
  takePrice: 100.05,
  quotePrice: 99.95,
  quoteTicks: 9_995,
  takerFee: 0.00025,
  makerFee: 0,
  depth: 10,
  canHedge: true,
  settlesInMs: 600_000,
};
const short: ModeLeg = {
  ...long,
  venue: 'lighter',
  side: 'short',
  takePrice: 99.95,
  quotePrice: 100.05,
  quoteTicks: 10_005,
  takerFee: 0,
  depth: 20,
};

describe('the leg that is quoted', () => {
  it('saves its spread and its fee when the quote is filled, and costs the adverse move when it is not', () => {
    const choice = chooseMaker([long, short], maker);
    expect(choice?.leg.side).toBe('long');
    // 0.10 of 100.05 and 2.5 bps of fee.
    expect(choice?.savingBps).toBeCloseTo(9.995 + 2.5, 3);
    expect(choice?.expectedSavingBps).toBeCloseTo(0.7 * 12.495 - 0.3 * 5, 3);
  });

  it.each([
    ['the other book, where the hedge goes, is thinner', { ...long, depth: 30 }, { ...short, quotePrice: undefined }],
    ['the hedge has no room in its budget', long, { ...short, canHedge: false }],
    ['it has nothing to rest beside', { ...long, quotePrice: undefined }, short],
    ['funding settles before the quote would end', { ...long, settlesInMs: 15_000 }, short],
  ])('is none when %s', (_, one, other) => {
    expect(chooseMaker([one, other], maker)).toBeUndefined();
  });

  it('is the one with the higher saving in fees between equally deep books', () => {
    expect(
      chooseMaker(
        [
          { ...long, depth: 20, takerFee: 0 },
          { ...short, takerFee: 0.0005 },
        ],
        maker,
      )?.leg.side,
    ).toBe('short');
  });
});

describe('the way to enter', () => {
  it('is quoted when that is expected to save more than the least', () => {
    expect(chooseEntryMode([long, short], auto, maker)).toEqual({
      mode: 'maker-taker',
      leg: 'long',
      quoteTicks: 9_995,
      escalate: false,
    });
    // 0.7 x 12.495 - 0.3 x 5 = 7.2465
    expect(chooseEntryMode([long, short], auto, { ...maker, minSavingBps: 7.25 })).toEqual({ mode: 'taker-taker' });
  });

  it('is what was set, as far as it can be', () => {
    expect(chooseEntryMode([long, short], { ...auto, mode: 'taker-taker' }, maker)).toEqual({ mode: 'taker-taker' });
    const dear = { ...maker, minSavingBps: 100 };
    expect(chooseEntryMode([long, short], { ...auto, mode: 'maker-taker' }, dear).mode).toBe('maker-taker');
    const blocked = { ...long, canHedge: false };
    expect(chooseEntryMode([blocked, { ...short, canHedge: false }], { ...auto, mode: 'maker-taker' }, maker)).toEqual({
      mode: 'taker-taker',
    });
  });

  it('is sequential when the fills of a venue must be asked for, that leg first', () => {
    expect(chooseEntryMode([long, short], { ...auto, queriedVenues: ['lighter'] }, maker)).toEqual({
      mode: 'sequential',
      leg: 'short',
    });
    expect(chooseEntryMode([long, short], { ...auto, mode: 'sequential' }, maker)).toEqual({
      mode: 'sequential',
      leg: 'long',
    });
  });
});

describe('a decision to enter', () => {
  it('says how, and counts a quote with the chance that it is filled', () => {
    const facts = candidate();
    const taken = decideEntry(facts, { ...entryPolicy, entry: { ...entryPolicy.entry, mode: 'taker-taker' } });
    const quoted = decideEntry(facts, { ...entryPolicy, entry: { ...entryPolicy.entry, mode: 'maker-taker' } });
    expect(taken.plan?.entry).toEqual({ mode: 'taker-taker' });
    expect(quoted.plan?.entry.mode).toBe('maker-taker');
    const leg = quoted.plan?.entry.mode === 'maker-taker' ? quoted.plan.entry.leg : 'long';
    const facing = facts[leg];
    const touch = (leg === 'long' ? facing.book?.bids : facing.book?.asks)?.[0]?.[0];
    expect(quoted.plan?.entry).toMatchObject({ quoteTicks: touch });
    // The limits and averages of taking stay in the plan: what is completed later is measured against them.
    expect(quoted.plan?.long).toEqual(taken.plan?.long);
    const instrument = facing.instrument;
    const book = facing.book;
    if (instrument === undefined || book === undefined || taken.plan === undefined) throw new Error('facts missing');
    const tick = instrument.tickUnits / 10 ** instrument.priceDecimals;
    const quantity = (taken.plan[leg].lots * instrument.lotUnits) / 10 ** instrument.quantityDecimals;
    const take = taken.plan[leg].vwapTicks * tick;
    const quote = (touch ?? 0) * tick;
    const way = leg === 'long' ? 1 : -1;
    const missed = take * (1 + (way * 5) / 1e4);
    const price = 0.7 * quote + 0.3 * missed;
    const fee = (0.7 * instrument.makerFee + 0.3 * instrument.takerFee) / 1e12;
    const cheaper = quantity * (way * (take - price) + take * (instrument.takerFee / 1e12) - price * fee);
    const { metrics: before } = taken;
    expect(before?.roundTripCostQuote ?? 0).toBeCloseTo((quoted.metrics?.roundTripCostQuote ?? 0) + cheaper, 9);
  });
});
