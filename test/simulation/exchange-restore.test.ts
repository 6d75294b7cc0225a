import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Exchange } from '../../src/simulation/exchange.ts';
import { createExchange } from '../../src/simulation/exchange-engine.ts';
import type { ExchangeFact } from '../../src/simulation/exchange-facts.ts';
import { decodePayload, encodePayload } from '../../src/storage/payload.ts';
import type { ExchangeStage } from './exchange-stage.ts';
import { stageExchange } from './exchange-stage.ts';
import { START_MS, plainTape } from './plain-tape.ts';

const HOUR_MS = 3_600_000;
const SCALE = 600;

const TAPE = plainTape({
  priceAt: (ms) => 90_000 * (1 + 0.004 * Math.sin((ms - START_MS) / 900_000)),
  ratePicoAt: (ms) => ((ms / HOUR_MS) % 7) * 10_000_000 - 30_000_000,
  depthQuote: 50_000,
});

/** The exchange's next life, from its facts as a file gives them back. */
function nextLife(stage: ExchangeStage, facts: readonly ExchangeFact[], laterMs = 0): Exchange {
  const written = decodePayload(encodePayload({ facts }));
  const { calendarMs } = stage.now();
  const exchange = createExchange(stage.options, { facts: written['facts'] as readonly ExchangeFact[], calendarMs });
  // Another process: its monotonic clock begins anew.
  exchange.advance({ monotonicMs: 5, calendarMs: calendarMs + laterMs });
  return exchange;
}

const act = fc.record({
  account: fc.constantFrom('main', 'other'),
  symbol: fc.constantFrom('BTC', 'SOL'),
  side: fc.constantFrom('buy' as const, 'sell' as const),
  lots: fc.integer({ min: 20, max: 60_000 }),
  timeInForce: fc.constantFrom('ioc' as const, 'gtc' as const),
  reduceOnly: fc.boolean(),
  thenMs: fc.integer({ min: 0, max: 9_000 }),
  cancel: fc.integer({ min: 0, max: 9 }),
  force: fc.integer({ min: 0, max: 20 }),
});

describe('the next life of an exchange', () => {
  it('has the same wallets, positions, orders, fills and payments, wherever the first one ended', () => {
    fc.assert(
      fc.property(fc.array(act, { minLength: 1, maxLength: 30 }), fc.integer(), (acts, seed) => {
        const stage = stageExchange(TAPE, { seed }, SCALE);
        for (const { cancel, force, thenMs, ...order } of acts) {
          stage.submit(order);
          if (cancel === 0) stage.exchange.cancelAll(order.account, stage.now());
          if (force === 0) stage.exchange.forceTrade(order.account, order.symbol, 777, stage.now());
          stage.pass(thenMs);
        }
        // What is under way ends one way or another in either life: quiet makes them comparable.
        stage.pass(2_000);
        const again = nextLife(stage, stage.takeFacts());
        for (const account of ['main', 'other']) {
          const [before, after] = [stage.exchange.oracle(account), again.oracle(account)];
          expect(after).toEqual(before);
          expect(again.orders(account)).toEqual(stage.exchange.orders(account));
          expect(again.trades(account)).toEqual(stage.exchange.trades(account));
          expect(again.fundingPayments(account)).toEqual(stage.exchange.fundingPayments(account));
          expect(again.wallet(account).walletMicro).toBe(stage.exchange.wallet(account).walletMicro);
        }
      }),
      { numRuns: 50, seed: 20_260_106 },
    );
  });

  it('pays the settlements that passed in between, and no earlier one again', () => {
    const stage = stageExchange(TAPE, {}, SCALE);
    stage.submit({ side: 'buy', lots: 100 });
    stage.pass(HOUR_MS / SCALE);
    const paid = stage.exchange.fundingPayments('main').length;
    expect(paid).toBeGreaterThanOrEqual(1);
    const again = nextLife(stage, stage.takeFacts(), 3 * HOUR_MS);
    const payments = again.fundingPayments('main');
    expect(payments.length).toBe(paid + 3);
    expect(new Set(payments.map(({ settledAtMs }) => settledAtMs)).size).toBe(payments.length);
    expect(new Set(payments.map(({ paymentNumber }) => paymentNumber)).size).toBe(payments.length);
  });

  it('executes what was accepted but still queued, refuses its client order id, and goes on counting', () => {
    const stage = stageExchange(TAPE, {}, SCALE);
    stage.submit({ side: 'buy', lots: 100 });
    stage.pass(1_000);
    const queued = stage.submit({ side: 'buy', lots: 50, clientOrderId: 'queued' });
    expect(queued).toMatchObject({ accepted: true });
    const again = nextLife(stage, stage.takeFacts());
    expect(again.oracle('main').orders.at(-1)).toMatchObject({ clientOrderId: 'queued', status: 'filled' });
    expect(again.oracle('main').positions.get('BTC')).toBe(150);
    const fillIds = again.oracle('main').fills.map(({ fillId }) => fillId);
    expect(new Set(fillIds).size).toBe(fillIds.length);
    const repeat = again.orders('main').at(-1);
    if (repeat === undefined) throw new Error('the queued order must be listed');
    const at = { monotonicMs: 6, calendarMs: stage.now().calendarMs };
    expect(again.submit({ ...repeat, validUntilMs: at.calendarMs + HOUR_MS }, at)).toEqual({
      accepted: false,
      reason: 'duplicate-client-id',
    });
  });

  it('is refused when a fill would book other amounts than it did', () => {
    const stage = stageExchange(TAPE, {}, SCALE);
    stage.submit({ side: 'buy', lots: 100 });
    stage.pass(1_000);
    const facts = stage.takeFacts().map((fact) => {
      const taker = fact.type === 'trade' ? fact.trade.taker : undefined;
      if (fact.type !== 'trade' || taker === undefined) return fact;
      return { ...fact, trade: { ...fact.trade, taker: { ...taker, feeMicro: taker.feeMicro - 1n } } };
    });
    expect(() => nextLife(stage, facts)).toThrow(/^trade \d+ of main in BTC must book fee -\d+, result 0 on 0 lots/);
  });
});
