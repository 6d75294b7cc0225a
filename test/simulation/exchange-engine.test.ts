import { describe, expect, it } from 'vitest';
import type { ExchangeOrderState } from '../../src/simulation/exchange.ts';
import { createExchange } from '../../src/simulation/exchange-engine.ts';
import { market, stageExchange } from './exchange-stage.ts';
import type { ExchangeStage } from './exchange-stage.ts';
import { HOUR_MS, START_MS, plainTape } from './plain-tape.ts';

function lastOrder(stage: ExchangeStage): ExchangeOrderState {
  const order = stage.exchange.orders('main').at(-1);
  if (order === undefined) throw new Error('the account has no order');
  return order;
}

function bestTicks(stage: ExchangeStage, side: 'bids' | 'asks'): number {
  const level = stage.exchange.book('BTC')[side][0];
  if (level === undefined) throw new Error(`the book has no ${side}`);
  return level[0];
}

describe('orders', () => {
  it('executes a taker only after its delay, walking the book from the best price', () => {
    const stage = stageExchange();
    stage.submit({ side: 'buy', lots: 100 });
    stage.pass(299);
    expect(lastOrder(stage)).toMatchObject({ status: 'queued', filledLots: 0 });

    const ask = bestTicks(stage, 'asks');
    stage.pass(1);

    expect(lastOrder(stage)).toMatchObject({ status: 'filled', filledLots: 100 });
    expect(stage.exchange.trades('main')[0]).toMatchObject({ priceTicks: ask, lots: 100, takerSide: 'buy' });
    expect(stage.exchange.position('main', 'BTC')?.signedLots).toBe(100);
  });

  it('takes what is within the limit and cancels the rest of an immediate order', () => {
    const stage = stageExchange(plainTape({ priceAt: () => 90_000, depthQuote: 10_000 }));
    const ask = bestTicks(stage, 'asks');
    stage.submit({ side: 'buy', lots: 1_000_00, limitTicks: ask });
    stage.pass(300);
    const order = lastOrder(stage);
    expect(order).toMatchObject({ status: 'cancelled', reason: 'no-liquidity' });
    expect(order.filledLots).toBeGreaterThan(0);
    expect(order.filledLots).toBeLessThan(100_000);
    expect(bestTicks(stage, 'asks')).toBeGreaterThan(ask);
  });

  it('lets eaten liquidity come back with the next refreshes', () => {
    const stage = stageExchange(plainTape({ priceAt: () => 90_000, depthQuote: 10_000 }));
    const ask = bestTicks(stage, 'asks');
    stage.submit({ side: 'buy', lots: 100_000, limitTicks: ask });
    stage.pass(300);
    stage.pass(2_000);
    expect(bestTicks(stage, 'asks')).toBe(ask);
  });

  it('refuses a post-only order that would take', () => {
    const stage = stageExchange();
    stage.submit({ side: 'buy', lots: 100, postOnly: true, timeInForce: 'gtc', limitTicks: bestTicks(stage, 'asks') });
    stage.pass(300);
    expect(lastOrder(stage)).toMatchObject({ status: 'rejected', reason: 'post-only', filledLots: 0 });
  });

  it('fills a resting order as maker at its own price when the outside book crosses it', () => {
    const stage = stageExchange(plainTape({ priceAt: (ms) => (ms < START_MS + 2_000 ? 90_000 : 89_000) }));
    const limitTicks = 895_000;
    stage.submit({ side: 'buy', lots: 100, postOnly: true, timeInForce: 'gtc', limitTicks });
    stage.pass(1_000);
    expect(lastOrder(stage)).toMatchObject({ status: 'open' });
    expect(stage.exchange.book('BTC').bids).toContainEqual([limitTicks, 100]);
    stage.pass(1_500);
    expect(lastOrder(stage)).toMatchObject({ status: 'filled', filledLots: 100 });
    expect(stage.exchange.trades('main')[0]).toMatchObject({ priceTicks: limitTicks, maker: { feeMicro: 0n } });
  });

  it('clamps a reduce-only order to the position and drops one that has nothing to reduce', () => {
    const stage = stageExchange();
    stage.submit({ side: 'buy', lots: 100 });
    stage.pass(300);
    stage.submit({ side: 'sell', lots: 250, reduceOnly: true });
    stage.pass(300);
    expect(lastOrder(stage)).toMatchObject({ status: 'cancelled', reason: 'reduce-only', filledLots: 100 });
    stage.submit({ side: 'sell', lots: 100, reduceOnly: true });
    stage.pass(300);
    expect(lastOrder(stage)).toMatchObject({ status: 'cancelled', reason: 'reduce-only', filledLots: 0 });
    expect(stage.exchange.positions('main')).toEqual([]);
  });

  it('expires the resting order when the account would trade with itself', () => {
    const stage = stageExchange(plainTape({ priceAt: () => 90_000, spreadBps: 20 }));
    const limitTicks = bestTicks(stage, 'asks') - 100;
    stage.submit({ side: 'sell', lots: 100, postOnly: true, timeInForce: 'gtc', limitTicks });
    stage.pass(200);
    const resting = lastOrder(stage).venueOrderNumber;
    stage.submit({ side: 'buy', lots: 50 });
    stage.pass(300);
    const orders = stage.exchange.orders('main');
    expect(orders.find((order) => order.venueOrderNumber === resting)).toMatchObject({
      status: 'expired',
      reason: 'self-trade',
    });
    expect(stage.exchange.position('main', 'BTC')?.signedLots).toBe(50);
  });

  it('lets two accounts trade with each other, one taker and one maker of the same trade', () => {
    const stage = stageExchange(plainTape({ priceAt: () => 90_000, spreadBps: 20 }));
    const limitTicks = bestTicks(stage, 'asks') - 100;
    stage.submit({ account: 'other', side: 'sell', lots: 100, postOnly: true, timeInForce: 'gtc', limitTicks });
    stage.pass(200);
    stage.submit({ side: 'buy', lots: 100, limitTicks });
    stage.pass(300);
    const mine = stage.exchange.trades('main')[0];
    expect(mine).toMatchObject({ priceTicks: limitTicks, taker: { account: 'main' }, maker: { account: 'other' } });
    expect(stage.exchange.trades('other')[0]).toBe(mine);
  });

  it('cancels queued and resting orders after the cancel delay and knows no ended order', () => {
    const stage = stageExchange();
    stage.submit({ side: 'buy', lots: 100, postOnly: true, timeInForce: 'gtc', limitTicks: 890_000 });
    stage.pass(200);
    expect(stage.exchange.cancel('main', { clientOrderId: '1' }, stage.now())).toBe(true);
    expect(lastOrder(stage).status).toBe('open');
    stage.pass(100);
    expect(lastOrder(stage)).toMatchObject({ status: 'cancelled', reason: 'asked' });
    expect(stage.exchange.cancel('main', { clientOrderId: '1' }, stage.now())).toBe(false);
    expect(stage.exchange.book('BTC').bids).not.toContainEqual([890_000, 100]);
  });

  it('expires orders past their validity, queued and resting', () => {
    const stage = stageExchange();
    stage.submit({ side: 'buy', lots: 100, validUntilMs: stage.now().calendarMs + 100 });
    stage.submit({
      side: 'buy',
      lots: 100,
      postOnly: true,
      timeInForce: 'gtc',
      limitTicks: 890_000,
      validUntilMs: stage.now().calendarMs + 700,
    });
    stage.pass(400);
    expect(stage.exchange.orders('main').map((order) => order.status)).toEqual(['expired', 'open']);
    stage.pass(600);
    expect(lastOrder(stage).status).toBe('expired');
  });

  it.each([
    ['duplicate-client-id', { clientOrderId: 'known' }],
    ['unknown-symbol', { symbol: 'NOPE', limitTicks: 1 }],
    ['below-minimum', { lots: 19 }],
    ['below-minimum', { lots: 20, limitTicks: 1_000, side: 'sell' as const }],
    ['above-maximum', { lots: 10_000_000_00 }],
    ['price-band', { limitTicks: 945_001 }],
    ['margin', { lots: 1_000_000 }],
    ['expired', { validUntilMs: START_MS - 1 }],
  ])('refuses with %s', (reason, order) => {
    const stage = stageExchange();
    stage.submit({ side: 'buy', lots: 100, clientOrderId: 'known' });
    const outcome =
      'symbol' in order
        ? stage.exchange.submit(
            {
              account: 'main',
              clientOrderId: '9',
              side: 'buy',
              lots: 100,
              timeInForce: 'ioc',
              postOnly: false,
              reduceOnly: false,
              validUntilMs: Number.MAX_SAFE_INTEGER,
              ...order,
            },
            stage.now(),
          )
        : stage.submit({ side: 'buy', lots: 100, ...order });
    expect(outcome).toEqual({ accepted: false, reason });
  });
});

describe('money', () => {
  it('refuses a market whose notional is finer than a micro-unit', () => {
    const make = (): unknown =>
      createExchange({
        venue: 'lighter',
        markets: [market('BTC', { priceDecimals: 2 })],
        accounts: [],
        tape: plainTape({ priceAt: () => 1 }),
        seed: 1,
        takerDelayMs: 0,
        makerDelayMs: 0,
        cancelDelayMs: 0,
        bookIntervalMs: 250,
      });
    expect(make).toThrow('price and quantity decimals of lighter BTC must add up to at most 6');
  });

  it('pays a settlement once, on the position held at its instant, even when one step crosses several', () => {
    const tape = plainTape({
      priceAt: () => 90_000,
      ratePicoAt: (ms) => (ms === START_MS + HOUR_MS ? 12_345_678 : -1_000_000),
    });
    const stage = stageExchange(tape);
    stage.submit({ side: 'buy', lots: 12_345 });
    stage.pass(300);
    stage.pass(3 * HOUR_MS);

    const payments = stage.exchange.fundingPayments('main');
    expect(payments.map((payment) => payment.settledAtMs - START_MS)).toEqual([HOUR_MS, 2 * HOUR_MS, 3 * HOUR_MS]);
    // -0.12345 x 90000 x 0.000012345678 = -0.137166660..., and +0.12345 x 90000 x 0.000001 = 0.0111105 (half to even).
    expect(payments.map((payment) => payment.amountMicro)).toEqual([-137_167n, 11_110n, 11_110n]);
    expect(stage.exchange.fundingPayments('other')).toEqual([]);
  });

  it('uses the tape price of each settlement instant when a step jumps over several', () => {
    const tape = plainTape({ priceAt: (ms) => 90_000 + Math.floor((ms - START_MS) / HOUR_MS) * 100 });
    const stage = stageExchange(tape, {}, 3_600);
    stage.submit({ side: 'buy', lots: 1_000 });
    stage.pass(300);
    stage.pass(10_000);
    const prices = stage.exchange.fundingPayments('main').map((payment) => [payment.settledAtMs, payment.priceNano]);
    expect(prices.length).toBeGreaterThan(5);
    for (const [settledAtMs, priceNano] of prices) {
      expect(priceNano).toBe(
        (90_000n + ((BigInt(settledAtMs ?? 0n) - BigInt(START_MS)) / BigInt(HOUR_MS)) * 100n) * 1_000_000_000n,
      );
    }
  });

  it('keeps the calendar for funding and the monotonic clock for delays when time is compressed', () => {
    const stage = stageExchange(undefined, {}, 3_600);
    stage.submit({ side: 'buy', lots: 1_000 });
    stage.pass(200);
    expect(lastOrder(stage).status).toBe('queued');
    stage.pass(100);
    expect(lastOrder(stage).status).toBe('filled');
    stage.pass(700);
    expect(stage.exchange.fundingPayments('main')).toHaveLength(1);
  });

  it('rounds a fee against the account', () => {
    const stage = stageExchange(plainTape({ priceAt: () => 90_000.1 }));
    stage.submit({ side: 'buy', lots: 21 });
    stage.pass(300);
    const trade = stage.exchange.trades('main')[0];
    const notional = BigInt(trade?.priceTicks ?? 0) * 21n;
    const exact = notional * 250_000_000n;
    const floor = exact / 10n ** 12n;
    expect(trade?.taker?.feeMicro).toBe(-(exact % 10n ** 12n === 0n ? floor : floor + 1n));
  });

  it('closes everything at mark once equity is below maintenance', () => {
    const stage = stageExchange(plainTape({ priceAt: (ms) => (ms < START_MS + 2_000 ? 90_000 : 60_000) }), {
      accounts: [{ name: 'main', openingWalletMicro: 20_000_000_000n, leverage: 10 }],
    });
    stage.submit({ side: 'buy', lots: 100_000 });
    stage.pass(300);
    expect(stage.exchange.position('main', 'BTC')?.liquidationPrice).toBeGreaterThan(60_000);
    stage.pass(2_000);
    expect(stage.exchange.positions('main')).toEqual([]);
    expect(stage.exchange.oracle('main').fills.at(-1)).toMatchObject({
      clientOrderId: '',
      side: 'sell',
      priceTicks: 600_000,
    });
  });

  it('changes a position from outside at mark and tells of it at the next advance', () => {
    const stage = stageExchange();
    stage.exchange.forceTrade('main', 'BTC', -500, stage.now());
    expect(stage.exchange.nextWakeMs()).toBe(stage.now().monotonicMs);
    const types = stage.pass(0).map((event) => event.type);
    expect(types).toEqual(['trade', 'order', 'position', 'wallet']);
    expect(stage.exchange.position('main', 'BTC')?.signedLots).toBe(-500);
  });
});

describe('the published book', () => {
  it('is rebuilt exactly from its changed levels', () => {
    const stage = stageExchange(plainTape({ priceAt: (ms) => 90_000 + 30 * Math.sin((ms - START_MS) / 700) }));
    const sides = { bids: new Map<number, number>(), asks: new Map<number, number>() };
    for (let step = 0; step < 40; step++) {
      if (step % 5 === 0) stage.submit({ side: step % 2 === 0 ? 'buy' : 'sell', lots: 5_000 });
      stage.pass(130);
    }
    for (const event of stage.events) {
      if (event.type !== 'book' || event.symbol !== 'BTC') continue;
      for (const side of ['bids', 'asks'] as const) {
        for (const [ticks, lots] of event[side]) {
          if (lots === 0) sides[side].delete(ticks);
          else sides[side].set(ticks, lots);
        }
      }
    }
    const book = stage.exchange.book('BTC');
    expect([...sides.bids].sort((a, b) => b[0] - a[0])).toEqual(book.bids);
    expect([...sides.asks].sort((a, b) => a[0] - b[0])).toEqual(book.asks);
  });

  it('publishes only levels that changed', () => {
    const stage = stageExchange();
    const later = stage.pass(250).filter((event) => event.type === 'book' && event.symbol === 'BTC');
    const changed = later.reduce(
      (sum, event) => sum + (event.type === 'book' ? event.bids.length + event.asks.length : 0),
      0,
    );
    expect(changed).toBeGreaterThan(0);
    expect(changed).toBeLessThan(25);
  });
});

describe('an order that waits for the mark', () => {
  let price = 90_000;
  const moving = (): ExchangeStage => {
    price = 90_000;
    return stageExchange(plainTape({ priceAt: () => price }));
  };
  const stop = { side: 'sell', lots: 1_000, reduceOnly: true, limitTicks: 800_000 } as const;
  const fall = { markTicks: 810_000, direction: 'fall' } as const;
  const stopOf = (stage: ExchangeStage): ExchangeOrderState | undefined => stage.exchange.orders('main').at(-1);

  it('is in no book, is executed once the mark is there, and closes no more than there is', () => {
    const stage = moving();
    stage.submit({ side: 'buy', lots: 400 });
    stage.pass(1_000);
    stage.submit({ ...stop, trigger: fall });
    const told = stage.pass(1_000).filter(({ type }) => type === 'order');
    expect(told).toMatchObject([{ order: { status: 'open', trigger: fall } }]);
    const asks = stage.exchange.book('BTC').asks;
    expect(asks.find(([ticks]) => ticks === 800_000)).toBeUndefined();
    price = 81_500;
    stage.pass(1_000);
    expect(stopOf(stage)).toMatchObject({ status: 'open', filledLots: 0 });
    price = 80_900;
    stage.pass(1_000);
    expect(stopOf(stage)).toMatchObject({ status: 'cancelled', reason: 'reduce-only', filledLots: 400 });
    expect(stage.exchange.position('main', 'BTC')).toBeUndefined();
  });

  it('can be cancelled, expires, and outlives the position it was for', () => {
    const stage = moving();
    stage.submit({ side: 'buy', lots: 400 });
    stage.pass(1_000);
    stage.submit({ ...stop, trigger: fall });
    stage.pass(1_000);
    stage.submit({ side: 'sell', lots: 400, reduceOnly: true });
    stage.pass(1_000);
    const number = stage.exchange.orders('main').find(({ trigger }) => trigger !== undefined)?.venueOrderNumber ?? 0;
    expect(stage.exchange.orders('main').find((order) => order.venueOrderNumber === number)?.status).toBe('open');
    expect(stage.exchange.cancel('main', { venueOrderNumber: number }, stage.now())).toBe(true);
    stage.pass(1_000);
    expect(stage.exchange.orders('main').find((order) => order.venueOrderNumber === number)?.status).toBe('cancelled');
    stage.submit({ ...stop, trigger: fall, validUntilMs: stage.now().calendarMs + 5_000 });
    stage.pass(10_000);
    expect(stopOf(stage)?.status).toBe('expired');
  });

  it('waits on in the next life of its exchange', () => {
    const stage = moving();
    stage.submit({ side: 'buy', lots: 400 });
    stage.pass(1_000);
    stage.submit({ ...stop, trigger: fall });
    stage.pass(1_000);
    const { calendarMs } = stage.now();
    const again = createExchange(stage.options, { facts: stage.takeFacts(), calendarMs });
    again.advance({ monotonicMs: 5, calendarMs });
    expect(again.orders('main').at(-1)).toMatchObject({ status: 'open', trigger: fall });
    price = 80_500;
    again.advance({ monotonicMs: 2_000, calendarMs: calendarMs + 2_000 });
    expect(again.orders('main').at(-1)).toMatchObject({ filledLots: 400 });
  });
});
