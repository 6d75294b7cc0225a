import { describe, expect, it } from 'vitest';
import { foldLedger } from '../../src/execution/ledger.ts';
import { emptyStatistics, noteRow, statisticsId, statisticsOf } from '../../src/execution/pair-statistics.ts';
import type { PairStatistics } from '../../src/execution/pair-statistics.ts';
import { Story } from '../actors/monitor-world.ts';

function closedStory(): Story {
  const story = new Story();
  story.open();
  story.paid();
  story.close();
  return story;
}

function statistics(story: Story, calendarScale = 1): PairStatistics | undefined {
  const book = emptyStatistics(calendarScale);
  for (const row of story.rows) noteRow(book, row);
  return statisticsOf(book, foldLedger(story.rows), 'ETH-1');
}

describe('what became of a pair', () => {
  it('is the worked life cycle, with every amount exact', () => {
    expect(statistics(closedStory())).toMatchObject({
      pairId: 'ETH-1',
      long: 'L:main:ETH',
      short: 'S:main:ETH',
      exitReason: 'TAKE_PROFIT',
      fills: 4,
      netMicro: 3_587_883n,
      priceMicro: -330_000n,
      feesMicro: -4_992_117n,
      feesEstimatedMicro: -4_992_117n,
      fundingMicro: 8_910_000n,
      fundingExpectedMicro: 8_910_000n,
      fundingMissingMicro: 0n,
      payments: 2,
      paymentsExpected: 2,
      expectedValueQuote: 13.8012369,
      heldMs: 3_600_120,
    });
  });

  it('measures slippage from the middle of the book at the decision, in and out, positive when worse', () => {
    // Long in: 3000.95 for a middle of 3000.90; short in: 3001.15 for 3001.20; out: 3050.10 for 3050.15, 3050.40 for 3050.35.
    expect(statistics(closedStory())?.slippageBps).toEqual({
      longIn: Number(((0.05 / 3000.9) * 1e4).toFixed(6)),
      shortIn: Number(((0.05 / 3001.2) * 1e4).toFixed(6)),
      longOut: Number(((0.05 / 3050.15) * 1e4).toFixed(6)),
      shortOut: Number(((0.05 / 3050.35) * 1e4).toFixed(6)),
    });
  });

  it("measures the time and the exposure between the fills of both legs, in the engine's own time", () => {
    const real = statistics(closedStory());
    expect(real?.hedgeLatencyMs).toEqual([80, 120]);
    const exposure = 3.3 * 3001.15 * 0.08 + 3.3 * 3050.1 * 0.12;
    expect(real?.exposureQuoteSec).toBeCloseTo(exposure, 3);
    expect(real?.maxUnhedgedQuote).toBeCloseTo(3.3 * 3050.1, 6);
    // A calendar that runs 40 times as fast: the same fills were 2 and 3 ms apart.
    const compressed = statistics(closedStory(), 40);
    expect(compressed?.hedgeLatencyMs).toEqual([2, 3]);
    expect(compressed?.exposureQuoteSec).toBeCloseTo(exposure / 40, 3);
  });

  it('takes several fills in turn: U is what one leg is ahead, not what was traded', () => {
    const story = new Story();
    story.instruments();
    story.pair('OPENING');
    story.order('open-L');
    story.order('open-S', { venue: 'S', leg: 'short', side: 'sell' });
    story.fill('L', 'a', 'open-L', 'buy', 10, 3000);
    story.wait(1_000);
    story.fill('S', 'b', 'open-S', 'sell', 4, 3000);
    story.wait(2_000);
    story.fill('S', 'c', 'open-S', 'sell', 6, 3000);
    story.pair('CLOSED', { closedAtMs: story.nowMs });
    const told = statistics(story);
    expect(told?.hedgeLatencyMs).toEqual([3_000]);
    expect(told?.exposureQuoteSec).toBeCloseTo(3000 * 1.0 * 1 + 3000 * 0.6 * 2, 3);
    expect(told?.maxUnhedgedQuote).toBeCloseTo(3000, 6);
  });

  it('is not told before the pair is closed', () => {
    const story = new Story();
    story.open();
    expect(statistics(story)).toBeUndefined();
  });

  it('counts what is missing, and gets another identity with each late fact, never with a repeated row', () => {
    const story = closedStory();
    const lateAtMs = story.nowMs - 60_000;
    story.expected('S', lateAtMs, 500_000n);
    const book = emptyStatistics(1);
    for (const row of story.rows) noteRow(book, row);
    const ledger = foldLedger(story.rows);
    expect(statisticsOf(book, ledger, 'ETH-1')).toMatchObject({ fundingMissingMicro: 500_000n, paymentsExpected: 3 });
    const id = statisticsId(book, 'ETH-1');
    for (const row of story.rows) noteRow(book, row);
    expect(statisticsId(book, 'ETH-1')).toBe(id);

    story.payment('S', lateAtMs, 500_000n);
    const paid = story.rows.at(-1);
    if (paid !== undefined) noteRow(book, paid);
    expect(statisticsId(book, 'ETH-1')).not.toBe(id);
    expect(statisticsOf(book, foldLedger(story.rows), 'ETH-1')).toMatchObject({
      fundingMissingMicro: 0n,
      fundingMicro: 9_410_000n,
    });
  });
});
