import { describe, expect, it, test } from 'vitest';
import type { QuantityLots } from '../../../src/money/units.ts';
import type { AccountOracle } from '../../../src/simulation/simulated-venue.ts';
import { VenueError } from '../../../src/venues/venue.ts';
import type { VenueEvent } from '../../../src/venues/venue.ts';
import { HOUR_MS } from '../../simulation/plain-tape.ts';
import { TAKER_DELAY_MS, VenueStage } from './venue-stage.ts';

const FIRST_FRAMES = ['positions-snapshot', 'open-orders', 'balance'] as const;

function connected(options: ConstructorParameters<typeof VenueStage>[0] = {}): VenueStage {
  const stage = new VenueStage(options);
  stage.connect();
  return stage;
}

function truth(stage: VenueStage): AccountOracle {
  const account = stage.venue.oracle().accounts.get('main');
  if (account === undefined) throw new Error('the venue has the account');
  return account;
}

function expectOwnBooks(stage: VenueStage): void {
  for (const symbol of ['BTC', 'SOL']) {
    const { bids, asks } = stage.exchange.book(symbol);
    expect(stage.stream.book(symbol)).toMatchObject({ bids: bids.slice(0, 20), asks: asks.slice(0, 20) });
  }
}

describe('connecting', () => {
  it('learns the markets, a trusted book of each, marks, funding and the account', () => {
    const stage = connected();
    const [instruments] = stage.run(stage.adapter.instruments());
    expect(instruments).toMatchObject({
      type: 'instruments',
      instruments: stage.exchange
        .markets()
        .map(
          ({
            symbol,
            priceDecimals,
            quantityDecimals,
            minQuantityLots,
            minNotionalMicro,
            maxLeverage,
            maintenanceMarginRate,
          }) => ({
            symbol,
            priceDecimals,
            quantityDecimals,
            minQuantityLots,
            minNotionalMicro,
            maxLeverage,
            maintenanceMarginRate,
          }),
        ),
    });
    expectOwnBooks(stage);
    for (const symbol of ['BTC', 'SOL']) {
      expect(stage.ofType('mark').some((event) => event.symbol === symbol)).toBe(true);
    }
    for (const type of FIRST_FRAMES) expect(stage.ofType(type).length).toBeGreaterThan(0);
    expect(stage.ofType('private-stream-ready')).toHaveLength(1);
    expect(stage.ofType('malformed-frame')).toEqual([]);
    expect(stage.ofType('venue-error')).toEqual([]);
  });

  it("keeps every book equal to the venue's own while it moves", () => {
    const stage = connected();
    for (let round = 0; round < 40; round++) {
      stage.pass(250);
      expectOwnBooks(stage);
    }
    expect(stage.ofType('book-invalid')).toEqual([]);
  });

  it('reads the venue clock, the fee tier and the settled hours', () => {
    const stage = connected();
    const [time] = stage.run(stage.adapter.serverTime());
    if (time?.type !== 'server-time') throw new Error('the venue states its time');
    expect(Math.abs(time.serverMs - stage.now().calendarMs)).toBeLessThanOrEqual(500);
    expect(stage.run(stage.adapter.feeTier(stage.now()))).toEqual([
      { type: 'fee-tier', makerFee: 0, takerFee: 280_000_000 },
    ]);
    const history = stage.run(stage.adapter.fundingHistory('BTC', stage.now().calendarMs - 10 * HOUR_MS, stage.now()));
    const rates = history.flatMap((event) => (event.type === 'funding-rate' ? [event.rate] : []));
    expect(rates.length).toBeGreaterThanOrEqual(10);
    expect(rates.every(({ kind, hourly }) => kind === 'settled' && hourly === 12_000_000)).toBe(true);
    expect(rates.map((rate) => rate.settleAtMs)).toEqual(
      rates.map((rate) => rate.settleAtMs).toSorted((a, b) => a - b),
    );
  });
});

describe('trading', () => {
  it("reports acceptance, fill, end, position and wallet of a taker, equal to the venue's own books", () => {
    const stage = connected();
    const submissionId = stage.place({ clientOrderId: '281474976710655' });
    expect(stage.ofType('submission-accepted')).toEqual([{ type: 'submission-accepted', submissionId }]);

    const fills = stage.ofType('fill').map((event) => event.fill);
    const account = truth(stage);
    expect(fills.length).toBeGreaterThan(0);
    expect(
      fills.map(({ fillId, clientOrderId, symbol, side, priceTicks, lots, feeMicro }) => ({
        fillId,
        clientOrderId,
        symbol,
        side,
        priceTicks,
        lots,
        feeMicro,
      })),
    ).toEqual(
      account.fills.map(({ fillId, clientOrderId, symbol, side, priceTicks, lots, feeMicro }) => ({
        fillId,
        clientOrderId,
        symbol,
        side,
        priceTicks,
        lots,
        feeMicro,
      })),
    );
    expect(fills.every((fill) => fill.liquidity === 'taker' && fill.feeMicro < 0n)).toBe(true);

    expect(stage.ofType('order-update').at(-1)?.order).toMatchObject({
      clientOrderId: '281474976710655',
      status: 'filled',
      filledLots: 1_000,
    });
    expect(stage.ofType('position').at(-1)?.position).toMatchObject({ symbol: 'BTC', signedLots: 1_000 });
    expect(stage.ofType('balance').at(-1)?.walletMicro).toBe(account.walletMicro);
  });

  it('never tells less of an order later: sequences grow with each change', () => {
    const stage = connected();
    stage.place();
    const reports = stage.ofType('order-update').map((event) => event.order);
    for (const [index, report] of reports.entries()) {
      if (index > 0) expect(report.sequence).toBeGreaterThan(reports[index - 1]?.sequence ?? 0);
    }
  });

  it('reads the same fills, positions and wallet by request as by stream', () => {
    const stage = connected();
    stage.place();
    stage.place({ clientOrderId: '2', side: 'sell', lots: 400 as QuantityLots });
    const asked = stage.run(stage.adapter.fillsSince(stage.now().calendarMs - HOUR_MS, stage.now()));
    expect(asked).toEqual(stage.ofType('fill'));
    const snapshot = stage.adapter.accountSnapshot(stage.now()).flatMap((operation) => stage.run(operation));
    const account = truth(stage);
    expect(snapshot).toMatchObject([
      { type: 'positions-snapshot' },
      { type: 'balance', walletMicro: account.walletMicro },
      { type: 'open-orders', orders: [] },
    ]);
    const [positions] = snapshot;
    if (positions?.type !== 'positions-snapshot') throw new Error('positions come first');
    const held = positions.positions.filter((position) => position.signedLots !== 0);
    expect(new Map(held.map(({ symbol, signedLots }) => [symbol, signedLots]))).toEqual(account.positions);
    expect(account.positions.get('BTC')).toBe(600);
  });

  it('rests, shows and cancels an order', () => {
    const stage = connected();
    const mark = Number(stage.exchange.stats('BTC').markNano) / 1e9;
    stage.place({ timeInForce: 'gtc', limitTicks: Math.round(mark * 9.8) as never });
    expect(stage.ofType('order-update').at(-1)?.order).toMatchObject({ clientOrderId: '1', status: 'open' });
    const [, openOrders] = stage.adapter.accountSnapshot(stage.now());
    if (openOrders === undefined) throw new Error('open orders are part of a snapshot');
    expect(stage.run(openOrders)).toMatchObject([
      { type: 'open-orders', orders: [{ clientOrderId: '1', status: 'open', lots: 1_000 }] },
    ]);

    stage.submit(stage.adapter.cancelOrder({ symbol: 'BTC', clientOrderId: '1' }, stage.nonce(), stage.now()));
    stage.pass(TAKER_DELAY_MS);
    expect(stage.ofType('order-update').at(-1)?.order).toMatchObject({ clientOrderId: '1', status: 'cancelled' });
  });

  it('finds orders in every state by our id, and says so when there is none', () => {
    const stage = connected();
    const mark = Number(stage.exchange.stats('BTC').markNano) / 1e9;
    stage.place({ clientOrderId: '11', timeInForce: 'gtc', limitTicks: Math.round(mark * 9.8) as never });
    stage.place({ clientOrderId: '12' });
    const find = (clientOrderId: string): VenueEvent[] =>
      stage.adapter.findOrder('BTC', clientOrderId, stage.now()).flatMap((operation) => stage.run(operation));
    expect(find('11')).toMatchObject([{ order: { clientOrderId: '11', status: 'open' } }, { found: true }]);
    expect(find('12')).toMatchObject([{ order: { clientOrderId: '12', status: 'filled' } }, { found: true }]);
    expect(find('13')).toEqual([{ type: 'order-lookup', clientOrderId: '13', found: false }]);
  });

  it('changes leverage', () => {
    const stage = connected();
    stage.submit(stage.adapter.setLeverage?.('BTC', 8, stage.nonce(), stage.now()));
    stage.pass(200);
    expect(stage.ofType('submission-refused')).toEqual([]);
    const [account] = stage.adapter.accountSnapshot(stage.now());
    stage.place();
    if (account === undefined) throw new Error('the account is part of a snapshot');
    expect(stage.run(account)[0]).toMatchObject({ positions: [{ symbol: 'BTC', signedLots: 1_000, leverage: 8 }] });
  });
});

describe('funding', () => {
  it('books each payment once, with the rate the statistics settled on', () => {
    const stage = connected({ scale: 3_600 });
    stage.place();
    const sinceMs = stage.now().calendarMs - 2 * HOUR_MS;
    stage.pass(3_000);
    const payments = stage
      .run(stage.adapter.fundingPaymentsSince(sinceMs, stage.now()))
      .flatMap((event) => (event.type === 'funding-payment' ? [event.payment] : []));
    const account = truth(stage);
    expect(payments.length).toBeGreaterThanOrEqual(2);
    expect(
      payments.map(({ paymentId, symbol, amountMicro, signedLots, settledAtMs }) => ({
        paymentId,
        symbol,
        amountMicro,
        signedLots,
        settledAtMs,
      })),
    ).toEqual(
      account.fundingPayments.map(({ paymentId, symbol, amountMicro, signedLots, settledAtMs }) => ({
        paymentId,
        symbol,
        amountMicro,
        signedLots,
        settledAtMs,
      })),
    );
    expect(payments.every(({ amountMicro, rate }) => amountMicro < 0n && rate === 12_000_000)).toBe(true);
    expect(stage.ofType('balance').at(-1)?.walletMicro).toBe(account.walletMicro);

    const settled = stage.ofType('funding-rate').filter(({ rate }) => rate.kind === 'settled' && rate.symbol === 'BTC');
    const times = new Set(settled.map(({ rate }) => rate.settleAtMs));
    for (const payment of payments) expect(times.has(payment.settledAtMs)).toBe(true);
    expect(stage.ofType('funding-rate').every(({ rate }) => rate.hourly === 12_000_000)).toBe(true);
  });

  it('predicts the coming hour, never one that has passed', () => {
    const stage = connected({ scale: 3_600 });
    stage.pass(3_000);
    const predicted = stage.ofType('funding-rate').filter(({ rate }) => rate.kind === 'predicted');
    expect(predicted.every(({ rate }) => rate.settleAtMs > rate.venueAtMs - 60_000)).toBe(true);
  });
});

describe('refusals and faults', () => {
  it('learns of a wrong nonce, and the right one is still free', () => {
    const stage = connected();
    const next = stage.nonce();
    stage.submit(stage.adapter.placeOrder(stage.order({}), next + 5n, stage.now()));
    stage.pass(100);
    expect(stage.ofType('submission-refused')).toMatchObject([{ code: '21104', class: 'nonce' }]);
    expect(stage.nonce()).toBe(next);
  });

  it('is refused a second order of the same id', () => {
    const stage = connected();
    stage.place();
    stage.place();
    expect(stage.ofType('submission-refused')).toMatchObject([{ code: '21728', class: 'duplicate' }]);
  });

  it('is refused a transaction that comes too late', () => {
    const stage = connected();
    stage.place({ validUntilMs: stage.now().calendarMs - 1 });
    expect(stage.ofType('submission-refused')).toHaveLength(1);
    expect(truth(stage).orders).toEqual([]);
  });

  it('hears of a later rejection on the order channel only', () => {
    const stage = connected();
    stage.venue.inject('reject-next-order');
    const submissionId = stage.place();
    expect(stage.ofType('submission-accepted')).toEqual([{ type: 'submission-accepted', submissionId }]);
    expect(stage.ofType('order-update').at(-1)?.order).toMatchObject({
      status: 'cancelled',
      reason: 'canceled-margin-not-allowed',
      filledLots: 0,
    });
  });

  it('hears nothing of an order dropped in silence, and does not find it', () => {
    const stage = connected();
    stage.venue.inject('silent-drop-next-order');
    stage.place();
    expect(stage.ofType('order-update')).toEqual([]);
    const found = stage.adapter.findOrder('BTC', '1', stage.now()).flatMap((operation) => stage.run(operation));
    expect(found).toEqual([{ type: 'order-lookup', clientOrderId: '1', found: false }]);
  });

  it('hears nothing of an impossible reduce-only order', () => {
    const stage = connected();
    stage.place({ reduceOnly: true });
    expect(stage.ofType('order-update')).toEqual([]);
    expect(truth(stage).fills).toEqual([]);
  });

  it('finds out what became of an order whose answer was lost', () => {
    const stage = connected();
    stage.venue.inject('lose-next-answer');
    stage.place();
    expect(stage.ofType('submission-accepted')).toEqual([]);
    const found = stage.adapter.findOrder('BTC', '1', stage.now()).flatMap((operation) => stage.run(operation));
    expect(found).toMatchObject([{ order: { status: 'filled' } }, { found: true }]);
  });

  it('takes a refusal without reference for the oldest open submission', () => {
    const stage = connected();
    stage.venue.inject('refuse-next', { code: 21739 });
    stage.place();
    expect(stage.ofType('submission-refused')).toMatchObject([{ code: '21739', class: 'state' }]);
    expect(stage.ofType('submission-refused')[0]?.submissionId).toBeUndefined();
  });

  it('repairs a book after a lost frame without trusting it in between', () => {
    const stage = connected();
    stage.venue.inject('skip-book-frame', { marketId: 0 });
    stage.pass(5_000);
    expect(stage.ofType('book-invalid')).toMatchObject([{ symbol: 'BTC', reason: 'gap' }]);
    expect(stage.stream.book('BTC')).toBeDefined();
  });

  it('repairs a book after a damaged frame', () => {
    const stage = connected();
    stage.venue.inject('malformed-frame');
    stage.pass(5_000);
    expect(stage.ofType('malformed-frame')).toHaveLength(1);
    expect(stage.stream.book('BTC')).toBeDefined();
    expect(stage.stream.book('SOL')).toBeDefined();
  });

  it('comes back with books and account after all sockets dropped', () => {
    const stage = connected();
    stage.venue.inject('drop-sockets');
    stage.pass(2_000);
    expect(stage.ofType('book-invalid').map((event) => event.reason)).toEqual(['closed', 'closed']);
    expect(stage.ofType('private-stream-ready')).toHaveLength(2);
    expect(stage.stream.book('BTC')).toBeDefined();
  });

  it('is told that it asks too much', () => {
    const stage = connected();
    stage.venue.inject('rate-limit');
    const ask = (): unknown => stage.run(stage.adapter.feeTier(stage.now()));
    expect(ask).toThrow(VenueError);
    stage.pass(5_000);
    expect(ask()).toHaveLength(1);
  });

  test.each(['standard', 'premium'] as const)(
    'meets the real limit of a %s account at the weights it states',
    (tier) => {
      const stage = new VenueStage({ tier, takerFeeTicks: tier === 'standard' ? 0 : 280 });
      const { rest } = stage.adapter.limits;
      let used = 0;
      for (;;) {
        const operation = stage.adapter.feeTier(stage.now());
        if (used + operation.weight > rest.max) break;
        used += operation.weight;
        stage.run(operation);
      }
      expect(() => stage.run(stage.adapter.feeTier(stage.now()))).toThrow(/23000/);
    },
  );
});

describe('long runs', () => {
  it('keeps its private channels through token renewals', () => {
    // The venue's clock runs faster than the adapter knows, so that its tokens end within seconds.
    const stage = connected({ scale: 1_200, adapterScale: 1 });
    stage.pass(50_000);
    expect(stage.ofType('private-stream-ready')).toHaveLength(3);
    expect(stage.ofType('venue-error')).toEqual([]);
    stage.place({ validUntilMs: stage.now().calendarMs + 3_600_000 });
    expect(stage.ofType('fill').length).toBeGreaterThan(0);
  });
});
