/** The domain's worked examples, computed by the code and shown next to the numbers worked out by hand. Those that need a scene are in the tests of their part. */
import { it } from 'vitest';
import { completeOrUnwind } from '../src/execution/complete-or-unwind.ts';
import { observeExposure, stoppedExposureClock, unhedgedForMs } from '../src/execution/exposure-clock.ts';
import { foldLedger, pairBook, pairNetMicro } from '../src/execution/ledger.ts';
import { emptyFundingCheck, fundingVerdict, notePredicted, noteSettled } from '../src/market/funding-check.ts';
import { expectedFunding, expectedRateSum, persistence } from '../src/market/funding-forecast.ts';
import type { FundingOutlook } from '../src/market/funding-forecast.ts';
import { HOUR_MS, hourlyFromText } from '../src/market/funding-rate.ts';
import { commonStep, stepQuantity } from '../src/market/instrument-match.ts';
import { notionalMicro, notionalMicroAtNano, priceOf } from '../src/money/amounts.ts';
import { midTicks, slippageBps, walkBook } from '../src/strategy/book-walk.ts';
import { liquidationDistance, liquidationPrice, legLeverage, maxLeverageFor } from '../src/strategy/liquidation.ts';
import { evaluateOpportunity } from '../src/strategy/opportunity.ts';
import type { CandidateLeg } from '../src/strategy/opportunity.ts';
import { pnlViews, viewsContradiction } from '../src/strategy/pnl-views.ts';
import type { ViewedLeg } from '../src/strategy/pnl-views.ts';
import { bestOffset, observeServerTime, unknownClockOffset } from '../src/venues/clock-offset.ts';
import { RateLimiter } from '../src/venues/rate-limiter.ts';
import type { RequestPriority } from '../src/venues/rate-limiter.ts';
import { Story } from './actors/monitor-world.ts';
import { Example } from './examples.ts';
import { book, instrument, pico } from './market/instruments.ts';
import { predicted } from './strategy/candidates.ts';

const outlook = (nextRate: number, nextSettleInH: number, intervalH = 1): FundingOutlook => ({
  nextSettleInMs: nextSettleInH * HOUR_MS,
  intervalMs: intervalH * HOUR_MS,
  nextRate,
  medianRate: nextRate,
  halfLifeHours: 8,
});

it('EX-1: one rate in the units of four feeds', (context) => {
  const example = new Example('EX-1', context);
  const hourly = (raw: string, scale: 'percent' | 'fraction', hours: number): number => {
    const rate = hourlyFromText(raw, { scale, perMs: hours * HOUR_MS });
    if (typeof rate !== 'number') throw new Error(rate.detail);
    return rate;
  };
  example.is('Lighter settled 0.0012 % per 1 h, pico per hour', 12_000_000, hourly('0.0012', 'percent', 1));
  example.is('the same per 8 h', 96_000_000, hourly('0.0012', 'percent', 1) * 8);
  example.is('APR %', 10.512, (hourly('0.0012', 'percent', 1) / 1e12) * 8_760 * 100);
  example.is('Lighter funding-rates 0.000096 per 8 h', 12_000_000, hourly('0.000096', 'fraction', 8));
  example.is('Bybit 0.0001 per 8 h', 12_500_000, hourly('0.0001', 'fraction', 8));
  example.is('Bybit 0.0001 per 4 h', 25_000_000, hourly('0.0001', 'fraction', 4));
  const [settled, mislabelled] = [hourly('0.0012', 'percent', 1), hourly('0.000096', 'fraction', 1)];
  example.is('price used: value / rate', 2_256.56, 0.02707872 / (settled / 1e12));
  example.is('mislabelled per hour, ratio', 0.125, settled / mislabelled);
  let check = emptyFundingCheck;
  for (let hour = 1; hour <= 3; hour += 1) {
    const rate = { ...predicted(mislabelled), settleAtMs: hour * HOUR_MS };
    check = notePredicted(check, rate, rate.settleAtMs - 60_000);
    check = noteSettled(check, { ...rate, kind: 'settled', hourly: pico(settled) });
  }
  const verdict = fundingVerdict(check, 3);
  example.is(
    'judged',
    'UNIT_SUSPECT(0.125)',
    'factor' in verdict ? `${verdict.state}(${verdict.factor})` : verdict.state,
  );
});

it('EX-2: walking a book', (context) => {
  const example = new Example('EX-2', context);
  const steps = { priceDecimals: 1, tickUnits: 5, quantityDecimals: 1, lotUnits: 1 };
  const view = book(
    [[119_998, 10]],
    [
      [120_000, 4],
      [120_003, 3],
      [120_008, 10],
    ],
  );
  const walk = walkBook(view.asks, 10);
  if (!walk.filled) throw new Error('the book holds 1.7');
  example.is('average of 1.0', 60_001.65, priceOf(walk.vwapTicks, steps));
  example.is('worst', 60_004, priceOf(walk.worstTicks, steps));
  example.is('slippage bps', 0.358336, slippageBps('buy', walk.vwapTicks, midTicks(view) ?? 0));
  const thin = walkBook(view.asks, 18);
  example.is('of 1.8 there are, in 0.1', 17, thin.filled ? undefined : thin.availableLots);
});

it('EX-3: the whole opportunity', (context) => {
  const example = new Example('EX-3', context);
  const leg = (prices: readonly [number, number, number], hourlyRate: number, takerFee: number): CandidateLeg => ({
    entryPrice: prices[0],
    exitPrice: prices[1],
    markPrice: prices[2],
    hourlyRate,
    takerFee,
    funding: outlook(hourlyRate, 0.2),
    marginQuote: (3.3 * prices[2]) / 5,
  });
  const metrics = evaluateOpportunity(
    {
      quantity: 3.3,
      long: leg([3_000.95, 3_000.55, 3_000.8], -0.00001, 0.00025),
      short: leg([3_001.15, 3_001.55, 3_001.3], 0.000035, 0),
    },
    { horizonHours: 48, haircut: 0, breakEvenLimitHours: 48 },
  );
  example.is('E_in', 0.66, metrics.entryEdgeQuote);
  example.is('E_out', 3.3, metrics.exitCostQuote);
  example.is('fees in', 2.47578375, metrics.feesInQuote);
  example.is('fees out', 2.47545375, metrics.feesOutQuote);
  example.is('C', 7.5912375, metrics.roundTripCostQuote);
  example.is('K_h', 0.44567655, metrics.hourlyCarryQuote);
  example.is('break-even by accrual, h', 17.0331, metrics.accrualBreakEvenHours);
  example.is('break-even payments', 18, metrics.breakEven?.payments);
  example.is('reached after h', 17.2, metrics.breakEven?.hours);
  example.is('E[F(48 h)]', 21.3924744, metrics.expectedFundingQuote);
  example.is('EV(48 h)', 13.8012369, metrics.expectedValueQuote);
  example.is('N', 9_903.465, metrics.notionalQuote);
  example.is('APR %', 39.4218, metrics.netAprPct);
  example.is('M', 5_942.079, metrics.capitalQuote);
  example.is('EV/M %', 0.232263, metrics.returnOnCapital * 100);
  example.is('annualised %', 42.388, metrics.annualReturnPct);
});

it('EX-4: mixed intervals', (context) => {
  const example = new Example('EX-4', context);
  const funding = (hours: number): number =>
    expectedFunding(outlook(-0.0004, 5, 8), 1, hours * HOUR_MS) +
    expectedFunding(outlook(0.00001, 0.5), -1, hours * HOUR_MS);
  example.is('within 4 h', 0.00004, funding(4));
  example.is('within 6 h', 0.00046, funding(6));
});

it('EX-5: forecast', (context) => {
  const example = new Example('EX-5', context);
  const reverting = { ...outlook(0.000045, 0.2), medianRate: 0.00001 };
  example.is('persistence', 0.9170040432, persistence(HOUR_MS, 8));
  example.is('S_48', 0.000895118, expectedRateSum(reverting, 48));
  example.is('flat', 0.00216, expectedRateSum({ ...reverting, halfLifeHours: Infinity }, 48));
});

it('EX-6: liquidation', (context) => {
  const example = new Example('EX-6', context);
  const long = liquidationPrice('long', 60_000, 5, 0.012);
  const short = liquidationPrice('short', 60_000, 5, 0.012);
  example.is('long', 48_582.995951, long);
  example.is('short', 71_146.245059, short);
  example.is('long distance %', 19.0283, liquidationDistance(60_000, long) * 100);
  example.is('short distance %', 18.5771, liquidationDistance(60_000, short) * 100);
  example.is('long leverage for 15 %', 6.2422, maxLeverageFor('long', 0.15, 0.012));
  example.is('short leverage for 15 %', 6.105, maxLeverageFor('short', 0.15, 0.012));
  const limits = { wanted: 10, cap: 10, venueMax: 20, maintenance: 0.012 };
  example.is('used for 15 %', 6, legLeverage({ side: 'short', distance: 0.15, ...limits }));
  example.is('long leverage for 25 %', 3.861, maxLeverageFor('long', 0.25, 0.012));
  example.is('short leverage for 25 %', 3.7736, maxLeverageFor('short', 0.25, 0.012));
  example.is('used for 25 %', 3, legLeverage({ side: 'long', distance: 0.25, ...limits }));
});

it('EX-7: the exposure clock', (context) => {
  const example = new Example('EX-7', context);
  let hedged = stoppedExposureClock;
  for (const [atMs, quantity] of [
    [0, 0.35],
    [1_200, 0.25],
    [3_000, 0.4],
  ] as const) {
    hedged = observeExposure(hedged, 3_000 * quantity, atMs);
    hedged = observeExposure(hedged, 0, atMs + 80);
  }
  example.is('each fill hedged, quote·s', 240, Math.round(hedged.quoteSeconds * 1e6) / 1e6);
  let waiting = observeExposure(stoppedExposureClock, 1_050, 0);
  waiting = observeExposure(waiting, 0, 80);
  waiting = observeExposure(waiting, 750, 1_200);
  example.is('unhedged at 2.7 s, ms', 1_500, unhedgedForMs(waiting, 2_700));
  waiting = observeExposure(waiting, 1_950, 3_000);
  waiting = observeExposure(waiting, 0, 3_080);
  example.is('second waits for third, quote·s', 1_590, Math.round(waiting.quoteSeconds * 1e6) / 1e6);
});

it('EX-8: complete or unwind', (context) => {
  const example = new Example('EX-8', context);
  const verdict = completeOrUnwind({
    expectedValueQuote: 13.8012369,
    plannedQuantity: 3.3,
    filledQuantity: 0.6,
    completion: { side: 'buy', plannedPrice: 3000.95, price: 3006, feeRate: 0.00025 },
    unwinding: { side: 'buy', filledPrice: 3001.2, price: 3003, feeRate: 0 },
    maxBps: 30,
    overdue: false,
  });
  example.is('V_complete', -0.5214417, verdict.completeQuote);
  example.is('V_unwind', -1.08, verdict.unwindQuote);
  example.is('decision', 'complete', verdict.action);
});

it('EX-10: three views of one pair, exact and in agreement with each other', (context) => {
  const example = new Example('EX-10', context);
  const steps = instrument();
  const leg = (sign: 1 | -1, entry: number, mark: number, close: number, takerFee: number): ViewedLeg => ({
    steps,
    signedLots: 33 * sign,
    costMicro: notionalMicro(steps, Math.round(entry / 0.05), 33 * sign),
    markNano: BigInt(Math.round(mark * 100)) * 10_000_000n,
    indexNano: undefined,
    book: book([[Math.round(close / 0.05), 50]], [[Math.round(close / 0.05), 50]]),
    takerFee: pico(takerFee),
  });
  const views = pnlViews(leg(1, 3_000.95, 3_039.2, 3_038.95, 250_000_000), leg(-1, 3_001.15, 3_040, 3_040.3, 0), 0n);
  example.is('A short', -128_205_000n, views.short.atMarkMicro - views.short.costMicro);
  example.is('A long', 126_225_000n, views.long.atMarkMicro - views.long.costMicro);
  example.is('A', -1_980_000n, views.markMicro);
  example.is('B', 660_000n, views.unifiedMicro);
  // 2.50713375 rounded against us.
  example.is('exit fee', -2_507_134n, views.long.exitFeeMicro);
  example.is('C before funding and entry fees', -6_302_134n, views.executableMicro);
  example.is('contradiction of the views', 'none', viewsContradiction(views) ?? 'none');
});

it('EX-11: clock', (context) => {
  const example = new Example('EX-11', context);
  const sample = { sentAtMs: 1_000, serverMs: 1_052, receivedAtMs: 1_080, scale: 1, nowMonotonicMs: 0 };
  const offset = bestOffset(observeServerTime(unknownClockOffset, sample), 0);
  example.is('offset, ms', 12, offset?.offsetMs);
  example.is('error, ms', 40, offset?.errorMs);
});

it('EX-12: common step', (context) => {
  const example = new Example('EX-12', context);
  const lot = (lotUnits: number) => instrument({ quantityDecimals: 3, lotUnits });
  example.is('of lots 0.005 and 0.002', 0.01, stepQuantity(commonStep(lot(5), lot(2))));
  example.is('notional of 0.04 at 61,234.5', 2_449_380_000n, notionalMicroAtNano(lot(5), 61_234_500_000_000n, 8));
  const thousands = instrument({ base: 'PEPE', multiplier: 1_000, quantityDecimals: 0, lotUnits: 100 });
  const single = instrument({ base: 'PEPE', quantityDecimals: 0, lotUnits: 1 });
  example.is('1000PEPE and PEPE', 100_000, stepQuantity(commonStep(thousands, single)));
});

it('EX-13: the result of a whole life, from its journal', (context) => {
  const example = new Example('EX-13', context);
  const story = new Story();
  story.open();
  story.paid();
  story.close();
  const pair = pairBook(foldLedger(story.rows), 'ETH-1');
  example.is('price', -330_000n, pair.priceMicro);
  // 2.47578375 and 2.5163325, each rounded against us.
  example.is('fees', -4_992_117n, pair.feesMicro);
  example.is('funding', 8_910_000n, pair.fundingMicro);
  example.is('net', 3_587_883n, pairNetMicro(pair));
});

it('EX-16: rate budget', (context) => {
  const example = new Example('EX-16', context);
  const limiter = new RateLimiter({ name: 'rest', max: 24_000, windowMs: 60_000 });
  let refreshes = 0;
  while (limiter.acquire(3_000, 2, refreshes * 500) === 0) refreshes += 1;
  example.is('refreshes of ten symbols in one minute', 4, refreshes);
  const calls = (priority: RequestPriority): number => {
    const fresh = new RateLimiter({ name: 'rest', max: 24_000, windowMs: 60_000 });
    let passed = 0;
    while (fresh.acquire(300, priority, passed * 500) === 0) passed += 1;
    return passed;
  };
  example.is('polls of market data, 20 % of half', 8, calls(5));
  example.is('snapshots of accounts, 10 % of half', 4, calls(4));
});
