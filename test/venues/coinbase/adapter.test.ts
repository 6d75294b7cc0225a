import { describe, expect, it, test } from 'vitest';
import { coinbaseAdapter } from '../../../src/venues/coinbase/adapter.ts';
import { VenueError } from '../../../src/venues/venue.ts';
import type { VenueEvent } from '../../../src/venues/venue.ts';
import { BTC, eventsOf, HOUR_MS, KEYS, OPENING_MICRO, VenueStage } from './venue-stage.ts';
import { START_MS } from '../../simulation/plain-tape.ts';

/** An hour passes in ten seconds. */
const FAST = 360;

const snapshot = (stage: VenueStage): readonly VenueEvent[] =>
  stage.adapters.main.accountSnapshot(stage.at()).flatMap((operation) => stage.ask(operation));

describe('opening an account', () => {
  const settings = {
    account: 'main',
    restUrl: 'https://drb.coinbase.com',
    streamUrl: 'wss://drb.coinbase.com',
    options: {},
    secrets: KEYS.main,
    calendarScale: 1,
  };

  test.each([
    ['no key name', { secrets: { ...KEYS.main, keyName: '' } }, 'coinbase secret keyName must be present'],
    ['no key', { secrets: { keyName: 'k' } }, 'coinbase secret privateKey must be present'],
    ['another account type', { options: { accountType: 'moon' } }, 'accountType must be global or us, was "moon"'],
    ['another limit profile', { options: { limitProfile: 'vip' } }, 'must be standard, premium or plus, was vip'],
  ])('refuses %s', (_what, change, words) => {
    expect(() => coinbaseAdapter({ ...settings, ...change })).toThrow(words);
  });

  it('goes to the venue’s own hosts, each socket to its own', () => {
    const adapter = coinbaseAdapter(settings);
    expect(adapter.serverTime().request.url).toBe('https://drb.coinbase.com/api/v2');
    expect(
      adapter
        .openStream()
        .plan([])
        .map(({ url }) => url),
    ).toEqual(['wss://drb.coinbase.com/ws/api/v2', 'wss://streams.drb.coinbase.com/ws/api/v2']);
  });
});

describe('reading the venue', () => {
  it('reads time, instruments and settled rates', () => {
    const stage = new VenueStage();
    const { main } = stage.adapters;
    expect(stage.ask(main.serverTime())).toEqual([{ type: 'server-time', serverMs: START_MS }]);
    const [listed] = eventsOf(stage.ask(main.instruments()), 'instruments');
    expect(listed?.instruments).toMatchObject([
      { symbol: BTC, base: 'BTC', tickUnits: 5, priceDecimals: 1, lotUnits: 1, quantityDecimals: 4 },
      { symbol: 'SOL_USDC-PERPETUAL' },
    ]);
    const rates = eventsOf(stage.ask(main.fundingHistory(BTC, START_MS - 3 * HOUR_MS, stage.at())), 'funding-rate');
    expect(rates.map(({ rate }) => [rate.kind, rate.settleAtMs - START_MS, rate.hourly])).toEqual([
      ['settled', -3 * HOUR_MS, 12_000_000],
      ['settled', -2 * HOUR_MS, 12_000_000],
      ['settled', -HOUR_MS, 12_000_000],
      ['settled', 0, 12_000_000],
    ]);
  });

  it('signs in once for all private calls, with either kind of key', () => {
    const stage = new VenueStage();
    for (const account of ['main', 'mirror'] as const) {
      stage.ask(stage.adapters[account].instruments());
      const events = stage.adapters[account].accountSnapshot(stage.at()).flatMap((operation) => stage.ask(operation));
      expect(eventsOf(events, 'balance')).toEqual([
        { type: 'balance', walletMicro: OPENING_MICRO, availableMicro: OPENING_MICRO },
      ]);
    }
    // Three questions are put together before the first is answered; the next time nobody signs in.
    const signedIn = stage.calls.filter((method) => method === 'public/auth').length;
    snapshot(stage);
    expect(stage.calls.filter((method) => method === 'public/auth')).toHaveLength(signedIn);
  });

  it('renews the access token before it ends, one asker at a time', () => {
    const stage = new VenueStage();
    stage.ask(stage.adapters.main.instruments());
    const question = (): void => void stage.ask(stage.adapters.main.feeTier(stage.at()));
    const signIns = (): number => stage.calls.filter((method) => method === 'public/auth').length;
    question();
    expect(signIns()).toBe(1);
    stage.pass(719_000);
    question();
    expect(signIns()).toBe(1);
    stage.pass(2_000);
    const [first, second] = [stage.adapters.main.feeTier(stage.at()), stage.adapters.main.feeTier(stage.at())];
    expect([first.name, second.name]).toEqual(['public/auth', 'private/get_account_summary']);
    stage.ask(first);
    stage.ask(second);
    expect(signIns()).toBe(2);
    stage.pass(600_000);
    question();
    expect(signIns()).toBe(2);
  });

  it('signs in anew after the venue has dropped its token', () => {
    const stage = new VenueStage();
    stage.ask(stage.adapters.main.instruments());
    snapshot(stage);
    stage.venue.inject('revoke-tokens');
    expect(() => snapshot(stage)).toThrow(expect.objectContaining({ code: '13009', class: 'transient' }));
    expect(eventsOf(snapshot(stage), 'balance')).toHaveLength(1);
  });

  it('names a wrong key as what no retry mends', () => {
    const stage = new VenueStage({ privateKey: Buffer.alloc(32, 9).toString('base64') });
    stage.ask(stage.adapters.main.instruments());
    expect(() => snapshot(stage)).toThrow(expect.objectContaining({ code: '13004', class: 'fatal' }));
  });

  it('reads the account’s own fees', () => {
    const stage = new VenueStage();
    stage.ask(stage.adapters.main.instruments());
    expect(eventsOf(stage.ask(stage.adapters.main.feeTier(stage.at())), 'fee-tier').at(-1)).toMatchObject({
      symbol: 'SOL_USDC-PERPETUAL',
      makerFee: 0,
      takerFee: 500_000_000,
    });
  });

  it('polls what the stream is silent about, and rates of hours that ended', () => {
    const stage = new VenueStage({ scale: FAST, bookIntervalMs: 5_000 }).start();
    const poll = (): readonly VenueEvent[] => stage.ask(stage.adapters.main.marketPoll?.(stage.at()) ?? fail());
    expect(eventsOf(poll(), 'funding-rate').map(({ rate }) => rate.kind)).toEqual(['settled']);
    expect(eventsOf(poll(), 'funding-rate')).toEqual([]);
    stage.pass(HOUR_MS / FAST);
    expect(eventsOf(poll(), 'funding-rate').map(({ rate }) => [rate.kind, rate.settleAtMs])).toContainEqual([
      'settled',
      START_MS + HOUR_MS,
    ]);
  });
});

describe('orders', () => {
  it('places, is answered with its trades, and hears of them again under the same ids', () => {
    const stage = new VenueStage().start();
    const events = stage.place();
    const accepted = eventsOf(events, 'submission-accepted');
    expect(accepted).toMatchObject([
      { submissionId: '4004', venueOrderId: expect.stringMatching(/^USDC-\d+$/) as string },
    ]);
    const fills = eventsOf(events, 'fill');
    expect(new Set(fills.map(({ fill }) => fill.fillId)).size).toBe(fills.length / 2);
    expect(fills[0]?.fill).toMatchObject({ clientOrderId: '1001', side: 'buy', liquidity: 'taker' });
    expect(eventsOf(events, 'order-update').at(-1)?.order).toMatchObject({
      status: 'filled',
      lots: 100,
      filledLots: 100,
    });
    expect(eventsOf(events, 'position').at(-1)?.position).toMatchObject({ symbol: BTC, signedLots: 100 });
    expect(eventsOf(events, 'balance').length).toBeGreaterThan(0);
    const oracle = stage.venue.oracle().accounts.get('main');
    expect(new Set(oracle?.fills.map(({ fillId }) => fillId))).toEqual(new Set(fills.map(({ fill }) => fill.fillId)));
  });

  it('rests, is found by label, and is cancelled by its id, by its label, or with all others', () => {
    const stage = new VenueStage().start();
    const { main } = stage.adapters;
    for (const clientOrderId of ['1', '2', '3', '4'])
      stage.place({ clientOrderId, timeInForce: 'gtc', limitTicks: 99_000, postOnly: true });
    const open = (): readonly string[] =>
      eventsOf(snapshot(stage), 'open-orders').flatMap(({ orders }) =>
        orders.map(({ clientOrderId }) => clientOrderId),
      );
    expect(open()).toEqual(['1', '2', '3', '4']);
    const [operation] = main.findOrder(BTC, '1', stage.at());
    const [found] = operation === undefined ? [] : eventsOf(stage.ask(operation), 'order-update');
    expect(found?.order).toMatchObject({ clientOrderId: '1', status: 'open', lots: 100 });
    const venueOrderId = found?.order.venueOrderId ?? '';
    expect(
      stage.submit(main.cancelOrder({ symbol: BTC, clientOrderId: '1', venueOrderId }, undefined, stage.at())),
    ).toContainEqual(expect.objectContaining({ type: 'submission-accepted', submissionId: '5' }));
    stage.submit(main.cancelOrder({ symbol: BTC, clientOrderId: '2' }, undefined, stage.at()));
    expect(open()).toEqual(['3', '4']);
    for (const request of main.cancelAll([])) stage.submit(request(undefined, stage.at()));
    expect(open()).toEqual([]);
    expect(stage.facts('order-update').filter(({ order }) => order.status === 'cancelled')).toHaveLength(5);
  });

  it('hears no from a cancel that comes too late, whichever way it names the order', () => {
    const stage = new VenueStage().start();
    const { main } = stage.adapters;
    const [accepted] = eventsOf(stage.place(), 'submission-accepted');
    const late = { symbol: BTC, clientOrderId: '1001' };
    const venueOrderId = accepted?.venueOrderId ?? '';
    for (const order of [{ ...late, venueOrderId }, late, { ...late, venueOrderId: 'USDC-1' }]) {
      const events = stage.submit(main.cancelOrder(order, undefined, stage.at()));
      expect(eventsOf(events, 'submission-refused')).toMatchObject([{ class: 'state' }]);
    }
  });

  test.each([
    ['a post-only order that would take', { postOnly: true, timeInForce: 'gtc' as const }, '11054', 'state'],
    ['more than the account can carry', { lots: 50_000 }, '10009', 'state'],
    ['reducing nothing', { reduceOnly: true }, '11029', 'permanent'],
    ['a price out of the band', { limitTicks: 150_000 }, '10007', 'state'],
    ['a time that is over', { validUntilMs: START_MS - 1 }, '13888', 'transient'],
  ])('is refused: %s', (_what, change, code, refusal) => {
    const stage = new VenueStage().start();
    expect(eventsOf(stage.place(change), 'submission-refused')).toMatchObject([{ code, class: refusal }]);
    expect(stage.venue.oracle().accounts.get('main')?.fills).toEqual([]);
  });

  it('never sends a worse price than was approved where prices have coarser steps', () => {
    const stage = new VenueStage().start();
    const steps = [{ above_price: 40_000, tick_size: 2 }];
    const listing = stage
      .send(stage.adapters.main.instruments().request)
      ?.body.replaceAll('"tick_size_steps":[]', `"tick_size_steps":${JSON.stringify(steps)}`);
    stage.adapters.main
      .instruments()
      .parse({ type: 'http-answered', ref: 1, status: 200, headers: {}, body: listing ?? '' }, stage.at());
    const priceOf = (side: 'buy' | 'sell'): unknown => {
      const order = stage.order({ side, limitTicks: 100_001 });
      const made = stage.adapters.main.placeOrder(order, undefined, stage.at()).submit(undefined, stage.at());
      return made.via === 'socket'
        ? (JSON.parse(made.frame.text) as { params: { price: number } }).params.price
        : undefined;
    };
    expect([priceOf('buy'), priceOf('sell')]).toEqual([50_000, 50_002]);
  });

  it('finds nothing of an order that never arrived, and one that ended long ago', () => {
    const stage = new VenueStage({ scale: FAST, bookIntervalMs: 5_000 }).start();
    stage.place();
    const look = (clientOrderId: string): readonly VenueEvent[] =>
      stage.adapters.main.findOrder(BTC, clientOrderId, stage.at()).flatMap((operation) => stage.ask(operation));
    expect(look('77')).toEqual([{ type: 'order-lookup', clientOrderId: '77', found: false }]);
    stage.pass((2 * HOUR_MS) / FAST);
    expect(look('1001').at(-1)).toEqual({ type: 'order-lookup', clientOrderId: '1001', found: true });
    expect(stage.calls.at(-1)).toBe('private/get_order_history_by_instrument');
  });
});

describe('books of record', () => {
  it('reads all fills since then, page by page, also those that are history', () => {
    const stage = new VenueStage({ scale: FAST, bookIntervalMs: 5_000 }).start();
    stage.place({ clientOrderId: '1' });
    stage.pass((30 * HOUR_MS) / FAST);
    stage.place({ clientOrderId: '2' });
    const fills = eventsOf(stage.ask(stage.adapters.main.fillsSince(START_MS, stage.at())), 'fill');
    const ids = new Set(fills.map(({ fill }) => fill.fillId));
    expect(ids).toEqual(
      new Set(
        stage.venue
          .oracle()
          .accounts.get('main')
          ?.fills.map(({ fillId }) => fillId),
      ),
    );
    expect(new Set(fills.map(({ fill }) => fill.clientOrderId))).toEqual(new Set(['1', '2']));
  });

  it('reads funding payments to the micro-unit, with the rate that explains them', () => {
    const stage = new VenueStage({ scale: FAST, bookIntervalMs: 5_000 }).start();
    stage.place();
    stage.pass((3 * HOUR_MS) / FAST);
    const payments = eventsOf(
      stage.ask(stage.adapters.main.fundingPaymentsSince(START_MS, stage.at())),
      'funding-payment',
    );
    const truth = stage.venue.oracle().accounts.get('main');
    expect(payments.map(({ payment }) => [payment.paymentId, payment.amountMicro, payment.signedLots])).toEqual(
      truth?.fundingPayments.map(({ paymentId, amountMicro, signedLots }) => [paymentId, amountMicro, signedLots]),
    );
    expect(payments).toHaveLength(3);
    expect(payments[0]?.payment).toMatchObject({ amountMicro: -6_000n, rate: 12_000_000, signedLots: 100 });
  });

  it('has the same wallet before and after the session is booked', () => {
    const stage = new VenueStage({ scale: FAST, bookIntervalMs: 5_000 }).start();
    stage.place();
    const wallet = (): bigint | undefined => eventsOf(snapshot(stage), 'balance')[0]?.walletMicro;
    stage.pass((7.5 * HOUR_MS) / FAST);
    expect(wallet()).toBe(stage.venue.oracle().accounts.get('main')?.walletMicro);
    stage.pass(HOUR_MS / FAST);
    expect(wallet()).toBe(stage.venue.oracle().accounts.get('main')?.walletMicro);
  });

  it('stays within every limit when it asks for everything again and again, as its own buckets allow', () => {
    const stage = new VenueStage().start();
    for (let round = 0; round < 20; round++) {
      snapshot(stage);
      stage.pass(1_000);
    }
    expect(stage.venue.oracle().rateLimitRefusals).toBe(0);
  });

  it('says when it was refused for its limit, and how long to wait', () => {
    const stage = new VenueStage().start();
    stage.venue.inject('rate-limit', { durationMs: 3_000 });
    expect(() => stage.ask(stage.adapters.main.serverTime())).toThrow(
      expect.objectContaining({ code: '10028', class: 'rate-limit', retryAfterMs: 5_000 }),
    );
    stage.pass(3_000);
    expect(stage.ask(stage.adapters.main.serverTime())).toHaveLength(1);
  });

  it('takes an answer that is no answer for what it is', () => {
    const stage = new VenueStage();
    const parse = (status: number, body: string): unknown =>
      stage.adapters.main.serverTime().parse({ type: 'http-answered', ref: 1, status, headers: {}, body }, stage.at());
    expect(() => parse(502, '<html>bad gateway</html>')).toThrow(
      expect.objectContaining({ code: 'HTTP_502', class: 'unknown-outcome' }),
    );
    expect(() => parse(200, '<html>')).toThrow('must be JSON');
    expect(() => parse(200, '{"id":1}')).toThrow('an answer with a result or an error');
    expect(() => parse(403, 'no')).toThrow(VenueError);
  });
});

function fail(): never {
  throw new Error('the venue must have a poll');
}
