import { describe, expect, it } from 'vitest';
import type { PriceTicks, QuantityLots } from '../../../src/money/units.ts';
import { VenueError } from '../../../src/venues/venue.ts';
import { PREMIUM_FORMULA } from '../../../src/venues/hyperliquid/funding-formula.ts';
import { plainTape, START_MS } from '../../simulation/plain-tape.ts';
import { eventsOf, OPENING_MICRO, VenueStage } from './venue-stage.ts';

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
    const markets = stage.exchange.markets().map((market) => ({ ...market, premiumFormula: PREMIUM_FORMULA }));
    expect(listed?.instruments).toEqual(markets);
  });

  it('tells the venue’s calendar time', () => {
    const stage = new VenueStage({ scale: 360 });
    stage.pass(777);
    const before = stage.at().calendarMs;
    const [time] = eventsOf(stage.ask(stage.adapter.serverTime()), 'server-time');
    expect(time?.serverMs).toBe(Math.floor(before));
  });

  it('reads settled rates newest last, and the account’s fees', () => {
    const stage = new VenueStage({ tape: plainTape({ priceAt: () => 90_000, ratePicoAt: () => -8_100_000 }) });
    stage.start();
    const rates = eventsOf(
      stage.ask(stage.adapter.fundingHistory('BTC', START_MS - 5 * HOUR_MS, stage.at())),
      'funding-rate',
    );
    const times = rates.map(({ rate }) => rate.settleAtMs);
    expect(times.length).toBeGreaterThanOrEqual(2);
    expect(times).toEqual(times.toSorted((left, right) => left - right));
    expect(rates[0]?.rate).toMatchObject({ kind: 'settled', hourly: -8_100_000 });
    expect(eventsOf(stage.ask(stage.adapter.feeTier(stage.at())), 'fee-tier')).toEqual([
      { type: 'fee-tier', makerFee: 150_000_000, takerFee: 450_000_000 },
    ]);
  });

  it('streams mark, oracle and the estimate of the coming hour', () => {
    const stage = new VenueStage({ tape: plainTape({ priceAt: () => 90_000, ratePicoAt: () => -8_100_000 }) });
    stage.start();
    expect(stage.facts('mark').at(-1)).toMatchObject({
      symbol: 'BTC',
      markTicksScaled: { markNano: 90_000_000_000_000n, indexNano: 90_000_000_000_000n },
    });
    expect(stage.facts('funding-rate').at(-1)?.rate).toMatchObject({
      kind: 'predicted',
      hourly: -8_100_000,
      settleAtMs: START_MS + HOUR_MS,
    });
  });

  it('names a missing key and an impossible address when opened', () => {
    expect(() => new VenueStage({ privateKey: '' })).toThrow(
      'hyperliquid secret privateKey must be present, was "absent"',
    );
    expect(() => new VenueStage({ address: 'mine' })).toThrow(
      'hyperliquid option address must be 0x and 40 hex digits, was "mine"',
    );
  });
});

describe('one order from placement to funding', () => {
  it('fills an immediate order and reports order, fill, position and balance with the exchange’s exact numbers', () => {
    const stage = new VenueStage();
    stage.start();
    const [accepted] = eventsOf(stage.place(), 'submission-accepted');
    expect(Number(accepted?.venueOrderId)).toBeGreaterThan(2 ** 32);
    stage.pass(200);

    const fills = stage.facts('fill').map(({ fill }) => fill);
    const truth = stage.venue.oracle().accounts.get('main');
    expect(
      fills.map((fill) => [fill.fillId, fill.clientOrderId, fill.lots, fill.priceTicks, fill.feeMicro, fill.side]),
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
    expect(fills.reduce((sum, { lots }) => sum + lots, 0)).toBe(1_000);
    expect(fills[0]).toMatchObject({ liquidity: 'taker', venueOrderId: accepted?.venueOrderId });
    expect(stage.facts('order-update').at(-1)?.order).toMatchObject({
      clientOrderId: '1001',
      status: 'filled',
      filledLots: 1_000,
    });
    expect(stage.facts('positions-snapshot').at(-1)?.positions).toMatchObject([
      { symbol: 'BTC', signedLots: 1_000, leverage: 5 },
    ]);
    expect(stage.facts('balance').at(-1)?.walletMicro).toBe(truth?.walletMicro);
    expect(stage.facts('malformed-frame')).toEqual([]);
    expect(stage.facts('venue-error')).toEqual([]);

    const listed = eventsOf(stage.ask(stage.adapter.fillsSince(START_MS, stage.at())), 'fill');
    expect(listed.map(({ fill }) => fill)).toEqual(fills);
  });

  it('snapshots positions, balance and open orders', () => {
    const stage = new VenueStage();
    stage.start();
    stage.place({ side: 'sell', limitTicks: 897_000 as PriceTicks });
    stage.place({ clientOrderId: '1002', timeInForce: 'gtc', postOnly: true, limitTicks: 890_000 as PriceTicks });
    stage.pass(200);
    const events = stage.adapter.accountSnapshot(stage.at()).flatMap((operation) => stage.ask(operation));
    expect(eventsOf(events, 'positions-snapshot')[0]?.positions).toMatchObject([{ symbol: 'BTC', signedLots: -1_000 }]);
    expect(eventsOf(events, 'open-orders')[0]?.orders).toMatchObject([
      { clientOrderId: '1002', status: 'open', side: 'buy' },
    ]);
    const wallet = stage.exchange.wallet('main');
    expect(eventsOf(events, 'balance')[0]).toEqual({
      type: 'balance',
      walletMicro: wallet.walletMicro,
      availableMicro: wallet.availableMicro,
    });
  });

  it('lets a resting order outlive the validity of its action, and cancels it by our id', () => {
    const stage = new VenueStage();
    stage.start();
    stage.place({ timeInForce: 'gtc', postOnly: true, limitTicks: 890_000 as PriceTicks });
    stage.pass(20_000);
    expect(stage.facts('order-update').at(-1)?.order.status).toBe('open');
    const cancel = stage.adapter.cancelOrder({ symbol: 'BTC', clientOrderId: '1001' }, undefined, stage.at());
    expect(stage.ask(stage.operationOf(cancel))).toEqual([{ type: 'submission-accepted' }]);
    expect(stage.facts('order-update').at(-1)?.order).toMatchObject({
      status: 'cancelled',
      reason: 'canceled',
      filledLots: 0,
    });
    const again = stage.adapter.cancelOrder({ symbol: 'BTC', clientOrderId: '1001' }, undefined, stage.at());
    expect(refusal(() => stage.ask(stage.operationOf(again)))).toEqual({
      code: 'ORDER_WAS_NEVER_PLACED_ALREADY_CANCELED_OR_FILLED',
      class: 'state',
    });
  });

  it('finds an order by our id, ended ones too, and does not find one that never was', () => {
    const stage = new VenueStage();
    stage.start();
    stage.place();
    const [found] = stage.adapter.findOrder('BTC', '1001', stage.at()).map((operation) => stage.ask(operation));
    expect(found).toMatchObject([
      { order: { clientOrderId: '1001', status: 'filled', filledLots: 1_000 } },
      { found: true },
    ]);
    const [missing] = stage.adapter.findOrder('BTC', '77', stage.at()).map((operation) => stage.ask(operation));
    expect(missing).toEqual([{ type: 'order-lookup', clientOrderId: '77', found: false }]);
  });

  it('rounds a limit to five digits on the safe side and sends shortest numbers', () => {
    const stage = new VenueStage();
    stage.start();
    const body = (side: 'buy' | 'sell'): { p: string; s: string } => {
      const order = stage.order({ side, limitTicks: 900_017 as PriceTicks, lots: 1_000 as QuantityLots });
      const sent = JSON.parse(
        stage.operationOf(stage.adapter.placeOrder(order, undefined, stage.at())).request.body ?? '',
      ) as {
        action: { orders: { p: string; s: string }[] };
      };
      return sent.action.orders[0] ?? { p: '', s: '' };
    };
    expect(body('buy')).toMatchObject({ p: '90001', s: '0.01' });
    expect(body('sell')).toMatchObject({ p: '90002', s: '0.01' });
  });

  it('pays funding by the oracle price every hour: on the stream, in the list and in the wallet alike', () => {
    const stage = new VenueStage({ scale: 3_600 });
    stage.start();
    stage.place({ side: 'sell', limitTicks: 897_000 as PriceTicks });
    stage.pass(2_500);
    const truth = stage.venue.oracle().accounts.get('main');
    expect(truth?.fundingPayments.length).toBeGreaterThanOrEqual(2);
    // Short, positive rate: received. 0.01 x 90,000 x 0.0012 %.
    expect(truth?.fundingPayments[0]).toMatchObject({ amountMicro: 10_800n, signedLots: -1_000 });
    const streamed = stage.facts('funding-payment').map(({ payment }) => payment);
    const listed = eventsOf(stage.ask(stage.adapter.fundingPaymentsSince(START_MS, stage.at())), 'funding-payment');
    expect(streamed.map(({ paymentId, amountMicro, signedLots }) => [paymentId, amountMicro, signedLots])).toEqual(
      truth?.fundingPayments
        .slice(0, streamed.length)
        .map(({ paymentId, amountMicro, signedLots }) => [paymentId, amountMicro, signedLots]),
    );
    expect(listed.slice(0, streamed.length).map(({ payment }) => payment)).toEqual(streamed);
    const fees = truth?.fills.reduce((sum, fill) => sum + fill.feeMicro + fill.realisedMicro, 0n) ?? 0n;
    const paid = truth?.fundingPayments.reduce((sum, payment) => sum + payment.amountMicro, 0n) ?? 0n;
    expect(truth?.walletMicro).toBe(OPENING_MICRO + fees + paid);
  });

  it('sets leverage, and is told when the market does not have so much', () => {
    const stage = new VenueStage();
    stage.start();
    const set = (leverage: number): unknown =>
      stage.ask(stage.operationOf(stage.adapter.setLeverage?.('BTC', leverage, undefined, stage.at())));
    const inForce = (): unknown =>
      stage.adapter.leverageOf(['BTC', 'SOL'], stage.at()).flatMap((operation) => stage.ask(operation));
    expect(inForce()).toEqual([
      { type: 'leverage', symbol: 'BTC', leverage: 5 },
      { type: 'leverage', symbol: 'SOL', leverage: 5 },
    ]);
    expect(set(3)).toEqual([{ type: 'submission-accepted' }]);
    expect(inForce()).toContainEqual({ type: 'leverage', symbol: 'BTC', leverage: 3 });
    expect(refusal(() => set(41))).toEqual({ code: 'INVALID_LEVERAGE', class: 'permanent' });
  });
});

describe('refusals', () => {
  it.each([
    [{ lots: 1 as QuantityLots }, 'ORDER_MUST_HAVE_MINIMUM_VALUE', 'permanent'],
    [{ lots: 1_000_000 as QuantityLots }, 'INSUFFICIENT_MARGIN', 'state'],
    [{ limitTicks: 890_000 as PriceTicks }, 'ORDER_COULD_NOT_IMMEDIATELY_MATCH', 'state'],
    [{ timeInForce: 'gtc', postOnly: true }, 'POST_ONLY_ORDER_WOULD_HAVE_IMMEDIATELY_MATCHED', 'state'],
    [{ reduceOnly: true }, 'REDUCE_ONLY_ORDER_WOULD_INCREASE_POSITION', 'state'],
    [{ limitTicks: 9_000_000 as PriceTicks }, 'ORDER_PRICE_TOO_FAR_FROM_ORACLE', 'state'],
    [{ validUntilMs: START_MS - 1 }, 'ACTION_EXPIRED', 'transient'],
  ] as const)('of %j are told as %s', (change, code, kind) => {
    const stage = new VenueStage();
    stage.start();
    expect(refusal(() => stage.place(change))).toEqual({ code, class: kind });
    expect(stage.venue.oracle().accounts.get('main')?.fills).toEqual([]);
  });

  it('of a key that may not act for the account stop everything', () => {
    const stage = new VenueStage({ privateKey: `0x${'18'.repeat(32)}` });
    stage.start();
    expect(refusal(() => stage.place())).toEqual({ code: 'USER_OR_API_WALLET', class: 'fatal' });
  });
});

describe('nonces', () => {
  it('grow strictly however many actions are made in one ms', () => {
    const stage = new VenueStage();
    stage.start();
    const nonces = Array.from({ length: 5 }, (_, index) => {
      const plan = stage.adapter.placeOrder(
        stage.order({ clientOrderId: String(2_000 + index) }),
        undefined,
        stage.at(),
      );
      return (plan.sign?.input as { nonce: number } | undefined)?.nonce ?? 0;
    });
    expect(nonces[0]).toBe(Math.floor(stage.at().calendarMs));
    expect(nonces.map((nonce) => nonce - (nonces[0] ?? 0))).toEqual([0, 1, 2, 3, 4]);
  });
});
