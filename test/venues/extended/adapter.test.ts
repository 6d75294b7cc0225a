import { describe, expect, it } from 'vitest';
import type { PriceTicks, QuantityLots } from '../../../src/money/units.ts';
import { VenueError } from '../../../src/venues/venue.ts';
import { PREMIUM_FORMULA } from '../../../src/venues/extended/wire.ts';
import { eventsOf, OPENING_MICRO, VenueStage } from './venue-stage.ts';
import { plainTape, START_MS } from '../../simulation/plain-tape.ts';

const HOUR_MS = 3_600_000;

function refusal(act: () => unknown): { readonly code: string; readonly class: string } {
  try {
    act();
  } catch (error) {
    if (error instanceof VenueError) return { code: error.code, class: error.class };
    throw error;
  }
  throw new Error('a refusal was expected');
}

describe('what the venue says about itself', () => {
  it('lists the exchange’s instruments with every step and limit as they are', () => {
    const stage = new VenueStage();
    const [listed] = eventsOf(stage.ask(stage.adapter.instruments()), 'instruments');
    // The volume is a statistic of the day, not a property of the exchange's market.
    const markets = stage.exchange.markets().map((market) => {
      const { maintenanceMarginRate } = market;
      const tier = { fromMicro: 0n, maxLeverage: market.maxLeverage, maintenanceMarginRate };
      return { ...market, volume24hQuote: 1_000_000_000, premiumFormula: PREMIUM_FORMULA, marginTiers: [tier] };
    });
    expect(listed?.instruments).toEqual(markets);
  });

  it('tells the venue’s calendar time to within half a second', () => {
    const stage = new VenueStage({ scale: 360 });
    stage.pass(777);
    const [time] = eventsOf(stage.ask(stage.adapter.serverTime()), 'server-time');
    expect(Math.abs((time?.serverMs ?? 0) - stage.at().calendarMs)).toBeLessThanOrEqual(500);
  });

  it('polls mark, index and predicted funding of the watched markets, as a fraction per hour paid at the next hour', () => {
    const stage = new VenueStage({ tape: plainTape({ priceAt: () => 90_000, ratePicoAt: () => -34_000_000 }) });
    stage.start();
    const events = stage.ask(stage.adapter.marketPoll?.(stage.at()) ?? stage.adapter.instruments());
    expect(eventsOf(events, 'mark')).toMatchObject([
      { symbol: 'BTC-USD', markTicksScaled: { markNano: 90_000_000_000_000n, indexNano: 90_000_000_000_000n } },
    ]);
    const [{ rate } = { rate: undefined }] = eventsOf(events, 'funding-rate');
    expect(rate).toMatchObject({
      kind: 'predicted',
      unit: { scale: 'fraction', perMs: HOUR_MS },
      hourly: -34_000_000,
      intervalMs: HOUR_MS,
      settleAtMs: START_MS + HOUR_MS,
    });
  });

  it('reads settled rates newest last', () => {
    const stage = new VenueStage();
    stage.ask(stage.adapter.instruments());
    const rates = eventsOf(
      stage.ask(stage.adapter.fundingHistory('BTC-USD', START_MS - 5 * HOUR_MS, stage.at())),
      'funding-rate',
    );
    const times = rates.map(({ rate }) => rate.settleAtMs);
    expect(times.length).toBeGreaterThanOrEqual(2);
    expect(times).toEqual(times.toSorted((left, right) => left - right));
    expect(rates[0]?.rate).toMatchObject({ kind: 'settled', hourly: 12_000_000 });
  });

  it('reads the account’s fees and signs at least for them', () => {
    const stage = new VenueStage();
    stage.ask(stage.adapter.instruments());
    expect(eventsOf(stage.ask(stage.adapter.feeTier(stage.at())), 'fee-tier')[0]).toMatchObject({
      symbol: 'BTC-USD',
      makerFee: 0,
      takerFee: 250_000_000,
    });
  });

  it('refuses to start on a chain its signatures are not for', () => {
    const stage = new VenueStage();
    const operation = stage.adapter.serverTime();
    const body = '{"status":"OK","data":{"name":"Perpetuals","version":"v0","chainId":"SN_SEPOLIA","revision":1}}';
    const parse = (): unknown =>
      operation.parse(
        { type: 'http-answered', ref: 1, status: 200, headers: { date: 'Thu, 01 Jan 1970 00:00:00 GMT' }, body },
        stage.at(),
      );
    expect(refusal(parse)).toEqual({ code: 'CHAIN_MISMATCH', class: 'fatal' });
  });

  it('names a missing secret or vault when opened', () => {
    expect(() => new VenueStage({ apiKey: '' })).toThrow(/apiKey must be present/);
  });
});

describe('one order from placement to funding', () => {
  it('fills an IOC order and reports order, fill, position and balance with the exchange’s exact numbers', () => {
    const stage = new VenueStage();
    stage.start();
    const accepted = eventsOf(stage.place(), 'submission-accepted');
    expect(accepted[0]?.venueOrderId).toMatch(/^\d{19}$/);
    expect(stage.facts('fill')).toEqual([]);
    stage.pass(200);

    const fills = stage.facts('fill');
    const truth = stage.venue.oracle().accounts.get('main');
    expect(
      fills.map(({ fill }) => [fill.fillId, fill.clientOrderId, fill.lots, fill.priceTicks, fill.feeMicro, fill.side]),
    ).toEqual(
      truth?.fills.map((fill) => [
        fill.fillId,
        fill.clientOrderId,
        fill.lots,
        fill.priceTicks,
        fill.feeMicro,
        fill.side,
      ]),
    );
    expect(fills.reduce((sum, { fill }) => sum + fill.lots, 0)).toBe(1_000);
    expect(fills[0]?.fill).toMatchObject({ liquidity: 'taker', venueOrderId: accepted[0]?.venueOrderId });
    expect(stage.facts('order-update').at(-1)?.order).toMatchObject({
      clientOrderId: '1001',
      status: 'filled',
      filledLots: 1_000,
    });
    expect(stage.facts('position').at(-1)?.position).toMatchObject({
      symbol: 'BTC-USD',
      signedLots: 1_000,
      leverage: 5,
    });
    expect(stage.facts('balance').at(-1)?.walletMicro).toBe(truth?.walletMicro);

    const listed = eventsOf(stage.ask(stage.adapter.fillsSince(START_MS, stage.at())), 'fill');
    expect(listed.map(({ fill }) => fill)).toEqual(fills.map(({ fill }) => fill));
  });

  it('snapshots positions, balance and open orders', () => {
    const stage = new VenueStage();
    stage.start();
    stage.place({ side: 'sell', limitTicks: 179_000 as PriceTicks });
    stage.place({ clientOrderId: '1002', timeInForce: 'gtc', postOnly: true, limitTicks: 178_000 as PriceTicks });
    stage.pass(200);
    const events = stage.adapter.accountSnapshot(stage.at()).flatMap((operation) => stage.ask(operation));
    expect(eventsOf(events, 'positions-snapshot')[0]?.positions).toMatchObject([
      { symbol: 'BTC-USD', signedLots: -1_000 },
    ]);
    expect(eventsOf(events, 'open-orders')[0]?.orders).toMatchObject([
      { clientOrderId: '1002', status: 'open', side: 'buy' },
    ]);
    const wallet = stage.exchange.wallet('main');
    expect(eventsOf(events, 'balance')[0]).toMatchObject({
      walletMicro: wallet.walletMicro,
      availableMicro: wallet.availableMicro,
    });
  });

  it('reads the 404 of an empty account as a balance of zero', () => {
    const stage = new VenueStage({ openingMicro: 0n });
    stage.ask(stage.adapter.instruments());
    const [, balance] = stage.adapter.accountSnapshot(stage.at());
    expect(stage.ask(balance ?? stage.adapter.serverTime())).toEqual([
      { type: 'balance', walletMicro: 0n, availableMicro: 0n },
    ]);
  });

  it('cancels by its own id and hears the end on the account stream', () => {
    const stage = new VenueStage();
    stage.start();
    stage.place({ timeInForce: 'gtc', postOnly: true, limitTicks: 178_000 as PriceTicks });
    stage.pass(100);
    expect(stage.facts('order-update').at(-1)?.order.status).toBe('open');
    stage.ask(
      stage.operationOf(stage.adapter.cancelOrder({ symbol: 'BTC-USD', clientOrderId: '1001' }, undefined, stage.at())),
    );
    stage.pass(100);
    expect(stage.facts('order-update').at(-1)?.order).toMatchObject({ clientOrderId: '1001', status: 'cancelled' });
    const unknown = stage.operationOf(
      stage.adapter.cancelOrder({ symbol: 'BTC-USD', clientOrderId: '9' }, undefined, stage.at()),
    );
    expect(refusal(() => stage.ask(unknown)).class).toBe('state');
  });

  it('finds an order by our id, and knows when there is none', () => {
    const stage = new VenueStage();
    stage.start();
    stage.place({ lots: 500 as QuantityLots });
    stage.pass(100);
    const find = (id: string): readonly unknown[] =>
      stage.adapter.findOrder('BTC-USD', id, stage.at()).flatMap((operation) => stage.ask(operation));
    expect(find('1001')).toMatchObject([
      { type: 'order-update', order: { clientOrderId: '1001', status: 'filled', lots: 500, filledLots: 500 } },
      { type: 'order-lookup', clientOrderId: '1001', found: true },
    ]);
    expect(find('1002')).toEqual([{ type: 'order-lookup', clientOrderId: '1002', found: false }]);
  });

  it('hears a settlement, then reads the payment to the micro-unit', () => {
    const stage = new VenueStage({
      scale: 3_600,
      tape: plainTape({ priceAt: () => 90_000, ratePicoAt: () => 12_345_678 }),
    });
    stage.start();
    stage.place({ lots: 1_003 as QuantityLots });
    stage.pass(2_500);
    const settled = stage.facts('funding-rate').filter(({ rate }) => rate.kind === 'settled');
    expect(settled.map(({ rate }) => [rate.settleAtMs, rate.hourly])).toEqual([
      [START_MS + HOUR_MS, 12_345_678],
      [START_MS + 2 * HOUR_MS, 12_345_678],
    ]);
    const payments = eventsOf(
      stage.ask(stage.adapter.fundingPaymentsSince(START_MS, stage.at())),
      'funding-payment',
    ).map(({ payment }) => payment);
    const truth = stage.venue.oracle().accounts.get('main');
    expect(
      payments.map(({ paymentId, amountMicro, signedLots, settledAtMs }) => ({
        paymentId,
        amountMicro,
        signedLots,
        settledAtMs,
      })),
    ).toEqual(
      truth?.fundingPayments.map(({ paymentId, amountMicro, signedLots, settledAtMs }) => ({
        paymentId,
        amountMicro,
        signedLots,
        settledAtMs,
      })),
    );
    expect(payments).toHaveLength(2);
    expect(payments[0]?.amountMicro).toBeLessThan(0n);
    expect(payments[0]?.rate).toBe(12_345_678);
    const fees = truth?.fills.reduce((sum, fill) => sum + fill.feeMicro, 0n) ?? 0n;
    const funding = payments.reduce((sum, payment) => sum + payment.amountMicro, 0n);
    expect(stage.facts('balance').at(-1)?.walletMicro).toBe(OPENING_MICRO + fees + funding);
  });

  it('pages through more fills than one answer holds, stopping at what is older', () => {
    const stage = new VenueStage({ takerDelayMs: 0 });
    stage.start();
    for (let order = 0; order < 60; order += 1) {
      stage.place({ clientOrderId: String(2_000 + 2 * order), lots: 10 as QuantityLots });
      stage.place({
        clientOrderId: String(2_001 + 2 * order),
        side: 'sell',
        lots: 10 as QuantityLots,
        limitTicks: 179_000 as PriceTicks,
      });
      stage.pass(5);
    }
    const truth = stage.venue.oracle().accounts.get('main')?.fills ?? [];
    expect(truth.length).toBeGreaterThanOrEqual(120);
    const ids = (sinceMs: number): readonly string[] =>
      eventsOf(stage.ask(stage.adapter.fillsSince(sinceMs, stage.at())), 'fill').map(({ fill }) => fill.fillId);
    expect([...ids(0)].sort()).toEqual(truth.map(({ fillId }) => fillId).sort());
    const since = truth[50]?.atMs ?? 0;
    expect([...ids(since)].sort()).toEqual(
      truth
        .filter(({ atMs }) => atMs >= since)
        .map(({ fillId }) => fillId)
        .sort(),
    );
  });

  it('sets leverage, which is in force once it can be read', () => {
    const stage = new VenueStage();
    stage.ask(stage.adapter.instruments());
    const set = (leverage: number): readonly unknown[] =>
      stage.ask(stage.operationOf(stage.adapter.setLeverage?.('BTC-USD', leverage, undefined, stage.at())));
    expect(set(10)).toEqual([{ type: 'submission-accepted' }]);
    const [question] = stage.adapter.leverageOf(['BTC-USD'], stage.at());
    if (question === undefined) throw new Error('there must be one question');
    expect(stage.ask(question)).toEqual([{ type: 'leverage', symbol: 'BTC-USD', leverage: 10 }]);
    expect(refusal(() => set(51))).toEqual({ code: '1050', class: 'permanent' });
  });
});

describe('refusals', () => {
  it('classes a repeated client order id as duplicate', () => {
    const stage = new VenueStage();
    stage.start();
    stage.place();
    expect(refusal(() => stage.place())).toEqual({ code: '1134', class: 'duplicate' });
  });

  it('stops for good when signatures are wrong', () => {
    const stage = new VenueStage();
    stage.start();
    const plan = stage.adapter.placeOrder(stage.order(), undefined, stage.at());
    const tampered = plan.submit({ r: '0x1', s: '0x2' }, stage.at());
    expect(refusal(() => (tampered.via === 'http' ? stage.ask(tampered.operation) : []))).toEqual({
      code: '1101',
      class: 'fatal',
    });
    const other = new VenueStage({ privateKey: '0x123456789' });
    other.start();
    expect(refusal(() => other.place())).toEqual({ code: '1100', class: 'fatal' });
    const stranger = new VenueStage({ apiKey: 'wrong' });
    stranger.ask(stranger.adapter.instruments());
    expect(refusal(() => stranger.place()).class).toBe('fatal');
  });

  it('classes 429 as rate limit and counts it in the oracle', () => {
    const stage = new VenueStage({ requestsPerMinute: 3 });
    stage.ask(stage.adapter.instruments());
    stage.ask(stage.adapter.serverTime());
    stage.ask(stage.adapter.serverTime());
    expect(refusal(() => stage.ask(stage.adapter.serverTime())).class).toBe('rate-limit');
    expect(stage.venue.oracle().rateLimitRefusals).toBe(1);
    stage.pass(60_000);
    expect(eventsOf(stage.ask(stage.adapter.serverTime()), 'server-time')).toHaveLength(1);
  });

  it('leaves the outcome open after a maintenance or application error, and after an error page', () => {
    const stage = new VenueStage();
    stage.start();
    for (const code of [1006, 1010, 4711]) {
      stage.venue.inject('refuse-next', { code });
      expect(refusal(() => stage.place({ clientOrderId: String(code) })).class).toBe('unknown-outcome');
    }
    const operation = stage.operationOf(
      stage.adapter.placeOrder(stage.order({ clientOrderId: '77' }), undefined, stage.at()),
    );
    const answer = {
      type: 'http-answered',
      ref: 1,
      status: 502,
      headers: {},
      body: '<html>Bad gateway</html>',
    } as const;
    expect(refusal(() => operation.parse(answer, stage.at()))).toEqual({ code: 'HTTP_502', class: 'unknown-outcome' });
  });

  it('says malformed, with the place and the rule, for answers that are no envelope', () => {
    const stage = new VenueStage();
    for (const body of ['', 'null', '[]', '{}', '{"status":"OK"}', '{"status":"OK","data":[{"name":1}]}']) {
      const answer = { type: 'http-answered', ref: 1, status: 200, headers: {}, body } as const;
      expect(() => stage.adapter.fillsSince(0, stage.at()).parse(answer, stage.at())).toThrow(/ must be /);
    }
  });
});
