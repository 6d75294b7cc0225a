import fc from 'fast-check';
import { expect, it } from 'vitest';
import { stageExchange } from './exchange-stage.ts';
import { START_MS, plainTape } from './plain-tape.ts';

const act = fc.record({
  account: fc.constantFrom('main', 'other'),
  symbol: fc.constantFrom('BTC', 'SOL'),
  side: fc.constantFrom('buy' as const, 'sell' as const),
  lots: fc.integer({ min: 20, max: 60_000 }),
  offsetBps: fc.integer({ min: -60, max: 60 }),
  timeInForce: fc.constantFrom('ioc' as const, 'gtc' as const),
  postOnly: fc.boolean(),
  reduceOnly: fc.boolean(),
  thenMs: fc.integer({ min: 0, max: 3_000 }),
  cancel: fc.integer({ min: 0, max: 9 }),
  force: fc.integer({ min: 0, max: 30 }),
});

it('conserves money and never oversteps an order, whatever is asked of it', { timeout: 120_000 }, () => {
  fc.assert(
    fc.property(fc.array(act, { minLength: 1, maxLength: 40 }), fc.integer(), (acts, seed) => {
      const tape = plainTape({
        priceAt: (ms) => 90_000 * (1 + 0.004 * Math.sin((ms - START_MS) / 900_000)),
        ratePicoAt: (ms) => ((ms / 3_600_000) % 7) * 10_000_000 - 30_000_000,
        depthQuote: 50_000,
      });
      const stage = stageExchange(tape, { seed }, 600);
      const { exchange } = stage;
      for (const { account, symbol, side, offsetBps, cancel, force, thenMs, ...order } of acts) {
        const ticksPerQuote = symbol === 'BTC' ? 10 : 1_000;
        const limitTicks = Math.round(
          (Number(exchange.stats(symbol).markNano) / 1e9) * ticksPerQuote * (1 + offsetBps / 1e4),
        );
        stage.submit({ account, symbol, side, limitTicks, ...order });
        if (cancel === 0) exchange.cancelAll(account, stage.now());
        if (force === 0) exchange.forceTrade(account, symbol, side === 'buy' ? 777 : -777, stage.now());
        stage.pass(thenMs);
        for (const name of ['BTC', 'SOL']) {
          const book = exchange.book(name);
          expect(book.bids[0]?.[0] ?? 0).toBeLessThan(book.asks[0]?.[0] ?? Infinity);
          expect([...book.bids, ...book.asks].every(([, lots]) => lots > 0)).toBe(true);
        }
      }
      for (const account of ['main', 'other']) {
        const books = exchange.oracle(account);
        const flows =
          books.fills.reduce((sum, fill) => sum + fill.realisedMicro + fill.feeMicro, 0n) +
          books.fundingPayments.reduce((sum, payment) => sum + payment.amountMicro, 0n);
        expect(books.walletMicro).toBe(books.openingWalletMicro + flows);

        const positions = new Map<string, number>();
        const filled = new Map<string, number>();
        // Cash actually paid for everything, less the cost of what is still held, is exactly what was realised.
        let cash = 0n;
        for (const fill of books.fills) {
          const signed = fill.side === 'buy' ? fill.lots : -fill.lots;
          positions.set(fill.symbol, (positions.get(fill.symbol) ?? 0) + signed);
          filled.set(fill.clientOrderId, (filled.get(fill.clientOrderId) ?? 0) + fill.lots);
          cash -= BigInt(signed) * BigInt(fill.priceTicks);
        }
        const held = exchange.positions(account).reduce((sum, position) => sum + position.costMicro, 0n);
        expect(books.fills.reduce((sum, fill) => sum + fill.realisedMicro, 0n)).toBe(cash + held);
        expect(new Map([...positions].filter(([, lots]) => lots !== 0))).toEqual(new Map(books.positions));
        for (const order of books.orders) {
          expect(order.filledLots).toBeLessThanOrEqual(order.lots);
          if (order.clientOrderId !== '') expect(order.filledLots).toBe(filled.get(order.clientOrderId) ?? 0);
        }
        const reduceOnly = new Set(
          books.orders.filter((order) => order.reduceOnly).map((order) => order.clientOrderId),
        );
        for (const trade of exchange.trades(account)) {
          for (const party of [trade.taker, trade.maker]) {
            if (party?.account !== account || !reduceOnly.has(party.clientOrderId)) continue;
            const isTaker = party === trade.taker;
            const bought = (trade.takerSide === 'buy') === isTaker;
            const after = party.positionBeforeLots + (bought ? trade.lots : -trade.lots);
            expect(Math.abs(after)).toBeLessThan(Math.abs(party.positionBeforeLots));
            expect(after === 0 || Math.sign(after) === Math.sign(party.positionBeforeLots)).toBe(true);
          }
        }
      }
    }),
    { numRuns: 100, seed: 20_260_105 },
  );
});

it('answers the same inputs with the same events', () => {
  const play = (): string => {
    const stage = stageExchange(plainTape({ priceAt: (ms) => 90_000 + ((ms / 1_000) % 50) }), { seed: 3 }, 60);
    for (let step = 0; step < 30; step++) {
      stage.submit({
        side: step % 3 === 0 ? 'sell' : 'buy',
        lots: 100 + step,
        timeInForce: step % 2 === 0 ? 'ioc' : 'gtc',
      });
      stage.pass(170);
    }
    return JSON.stringify(stage.events, (_key, value: unknown) => (typeof value === 'bigint' ? `${value}n` : value));
  };
  expect(play()).toBe(play());
});
