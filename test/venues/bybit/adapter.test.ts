import { describe, expect, it, test } from 'vitest';
import { bybitAdapter } from '../../../src/venues/bybit/adapter.ts';
import { VenueError } from '../../../src/venues/venue.ts';
import { plainTape, START_MS } from '../../simulation/plain-tape.ts';
import { eventsOf, FUNDING_MS, VenueStage } from './venue-stage.ts';

const settings = {
  account: 'main',
  restUrl: 'http://venue/',
  streamUrl: 'ws://venue/',
  options: {},
  secrets: { apiKey: 'k', apiSecret: 's' },
  calendarScale: 1,
};

describe('an account', () => {
  test.each([
    [{ secrets: { apiKey: 'k' } }, 'bybit secret apiSecret must be present'],
    [{ secrets: { apiSecret: 's' } }, 'bybit secret apiKey must be present'],
    [{ options: { settleCoin: 'BTC' } }, 'bybit option settleCoin must be USDT or USDC'],
    [{ options: { limitProfile: 'gold' } }, 'bybit limitProfile must be standard, vip1, vip2 or vip3, was gold'],
  ])('with %j is refused by name', (change, message) => {
    expect(() => bybitAdapter({ ...settings, ...change })).toThrow(message);
  });

  it('knows its limits', () => {
    expect(bybitAdapter(settings).limits.orders).toMatchObject({ max: 10, windowMs: 1_000 });
    expect(bybitAdapter({ ...settings, options: { limitProfile: 'vip3' } }).limits.orders?.max).toBe(60);
  });
});

describe('reading', () => {
  it('tells the venue’s time to the ms', () => {
    const stage = new VenueStage();
    expect(stage.ask(stage.adapters.main.serverTime())).toEqual([{ type: 'server-time', serverMs: START_MS }]);
  });

  it('tells instruments, fees and the account', () => {
    const stage = new VenueStage();
    const { main } = stage.adapters;
    const [listed] = eventsOf(stage.ask(main.instruments()), 'instruments');
    expect(listed?.instruments).toMatchObject([
      { symbol: 'BTCUSDT', base: 'BTC', fundingIntervalMs: FUNDING_MS, maxLeverage: 100, priceBand: 10_000_000_000 },
      { symbol: 'SOLUSDT', base: 'SOL' },
    ]);
    expect(stage.ask(main.feeTier(stage.at()))).toMatchObject([
      { type: 'fee-tier', symbol: 'BTCUSDT', makerFee: 200_000_000, takerFee: 550_000_000 },
      { symbol: 'SOLUSDT' },
    ]);
    const events = main.accountSnapshot(stage.at()).flatMap((operation) => stage.ask(operation));
    expect(events).toEqual([
      { type: 'positions-snapshot', positions: [] },
      { type: 'balance', walletMicro: 10_000_000_000n, availableMicro: 10_000_000_000n },
      { type: 'open-orders', orders: [] },
    ]);
  });

  it('signs when it leaves, not when it was made', () => {
    const stage = new VenueStage().start();
    const [positions] = stage.adapters.main.accountSnapshot(stage.at());
    stage.pass(20_000);
    if (positions === undefined) throw new Error('there must be a question');
    expect(stage.ask(positions)).toMatchObject([{ type: 'positions-snapshot' }]);
    expect(stage.send(positions.request)?.body).toContain('10002');
  });

  it('reads every page of open orders before it tells any, with the cursor signed as it came', () => {
    const stage = new VenueStage({ tier: 'vip3' }).start();
    for (let index = 0; index < 57; index++) {
      stage.place({ clientOrderId: String(2_000 + index), lots: 1, limitTicks: 499_000, timeInForce: 'gtc' });
      stage.pass(20);
    }
    stage.pass(1_000);
    const [, , open] = stage.adapters.main.accountSnapshot(stage.at());
    if (open === undefined) throw new Error('there must be a question');
    const events = stage.ask(open);
    expect(events).toHaveLength(1);
    const [list] = eventsOf(events, 'open-orders');
    expect(new Set(list?.orders.map(({ clientOrderId }) => clientOrderId)).size).toBe(57);
  });

  it('finds fills of many weeks, oldest first within a page, each once', () => {
    // A day passes in 8.64 s.
    const stage = new VenueStage({ scale: 10_000 }).start();
    for (let index = 0; index < 4; index++) {
      stage.place({
        clientOrderId: String(3_000 + index),
        side: index % 2 === 0 ? 'buy' : 'sell',
        limitTicks: index % 2 === 0 ? 501_000 : 499_000,
      });
      stage.pass(60_000);
    }
    const fills = eventsOf(stage.ask(stage.adapters.main.fillsSince(START_MS, stage.at())), 'fill');
    expect(fills.map(({ fill }) => fill.fillId)).toEqual(
      stage.venue
        .oracle()
        .accounts.get('main')
        ?.fills.map(({ fillId }) => fillId),
    );
    expect(new Set(fills.map(({ fill }) => fill.clientOrderId)).size).toBe(4);
  });

  it('tells settled rates newest last, and reads them again when a settlement passed', () => {
    const tape = plainTape({
      priceAt: () => 50_000,
      intervalMs: FUNDING_MS,
      ratePicoAt: (atMs) => (atMs / FUNDING_MS) % 1_000,
    });
    const stage = new VenueStage({ scale: 3_600, tape }).start();
    const { main } = stage.adapters;
    const history = eventsOf(
      stage.ask(main.fundingHistory('BTCUSDT', START_MS - 24 * 3_600_000, stage.at())),
      'funding-rate',
    );
    const times = history.map(({ rate }) => rate.settleAtMs);
    expect(times).toEqual(times.toSorted((one, other) => one - other));
    expect(times.at(-1)).toBe(START_MS);
    stage.pass(9_000);
    if (main.marketPoll === undefined) throw new Error('the market must be polled');
    const settled = eventsOf(stage.ask(main.marketPoll(stage.at())), 'funding-rate').filter(
      ({ rate }) => rate.kind === 'settled',
    );
    expect(settled.map(({ rate }) => rate.settleAtMs)).toContain(START_MS + FUNDING_MS);
    const again = eventsOf(stage.ask(main.marketPoll(stage.at())), 'funding-rate').filter(
      ({ rate }) => rate.kind === 'settled',
    );
    expect(again).toEqual([]);
  });
});

describe('orders', () => {
  it('are taken, filled on the stream, and found by our id', () => {
    const stage = new VenueStage().start();
    expect(stage.place()).toMatchObject([{ type: 'submission-accepted' }]);
    expect(stage.facts('fill')).toEqual([]);
    stage.pass(100);
    const oracle = stage.venue.oracle().accounts.get('main');
    expect(stage.facts('fill').map(({ fill }) => [fill.fillId, fill.feeMicro])).toEqual(
      oracle?.fills.map(({ fillId, feeMicro }) => [fillId, feeMicro]),
    );
    expect(stage.facts('order-update').at(-1)?.order).toMatchObject({
      clientOrderId: '1001',
      status: 'filled',
      filledLots: 10,
    });
    expect(stage.facts('position').at(-1)?.position).toMatchObject({ symbol: 'BTCUSDT', signedLots: 10 });
    expect(stage.facts('balance').at(-1)?.walletMicro).toBe(oracle?.walletMicro);
    const [lookup] = stage.adapters.main.findOrder('BTCUSDT', '1001', stage.at());
    if (lookup === undefined) throw new Error('there must be a question');
    expect(stage.ask(lookup)).toMatchObject([
      { type: 'order-update', order: { status: 'filled' } },
      { type: 'order-lookup', clientOrderId: '1001', found: true },
    ]);
  });

  it('nobody placed are not found, after both lists were asked', () => {
    const stage = new VenueStage().start();
    const [lookup] = stage.adapters.main.findOrder('BTCUSDT', '77', stage.at());
    if (lookup === undefined) throw new Error('there must be a question');
    expect(stage.ask(lookup)).toEqual([{ type: 'order-lookup', clientOrderId: '77', found: false }]);
  });

  it('are dead when their validity ends, to the ms', () => {
    const stage = new VenueStage().start();
    const operation = stage.placement();
    stage.pass(5_000);
    expect(stage.send(operation.request)?.body).toContain('"retCode":0');
    const late = stage.placement({ clientOrderId: '1002' });
    stage.pass(5_001);
    const refusal = stage.send(late.request);
    expect(refusal?.body).toContain('"retCode":10002');
    expect(
      stage.venue
        .oracle()
        .accounts.get('main')
        ?.orders.map(({ clientOrderId }) => clientOrderId),
    ).toEqual(['1001']);
  });

  test.each([
    ['sent twice', { clientOrderId: '1001' }, '110072', 'duplicate'],
    ['far from the mark', { limitTicks: 520_000 }, '110003', 'state'],
    ['too small a value', { symbol: 'SOLUSDT', lots: 1, limitTicks: 400 }, '110094', 'permanent'],
    ['too large for the account', { lots: 4_000 }, '110007', 'state'],
    ['that reduce nothing', { reduceOnly: true }, '110017', 'state'],
  ])('%s are refused in the venue’s words', (what, change, code, refusal) => {
    const stage = new VenueStage().start();
    if (what === 'sent twice') stage.place();
    let error: unknown;
    try {
      stage.place({ clientOrderId: '1002', ...change });
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(VenueError);
    expect(error).toMatchObject({ code, class: refusal });
  });

  it('that would take although they may only make end as cancelled, later', () => {
    const stage = new VenueStage().start();
    stage.place({ postOnly: true, timeInForce: 'gtc' });
    stage.pass(100);
    expect(stage.facts('order-update').at(-1)?.order).toMatchObject({
      status: 'cancelled',
      reason: 'EC_PostOnlyWillTakeLiquidity',
    });
  });

  it('that rest are cancelled when asked, and gone when asked again', () => {
    const stage = new VenueStage().start();
    stage.place({ timeInForce: 'gtc', limitTicks: 499_000 });
    stage.pass(100);
    const cancel = (): ReturnType<VenueStage['ask']> =>
      stage.ask(
        stage.operationOf(
          stage.adapters.main.cancelOrder({ symbol: 'BTCUSDT', clientOrderId: '1001' }, undefined, stage.at()),
        ),
      );
    expect(cancel()).toEqual([{ type: 'submission-accepted' }]);
    stage.pass(100);
    expect(stage.facts('order-update').at(-1)?.order).toMatchObject({
      status: 'cancelled',
      reason: 'EC_PerCancelRequest',
    });
    expect(cancel).toThrow('110001');
  });

  it('outlive the answer that was lost', () => {
    const stage = new VenueStage().start();
    stage.venue.inject('lose-next-answer');
    expect(stage.send(stage.placement().request)).toBeUndefined();
    stage.pass(100);
    expect(stage.facts('fill').length).toBeGreaterThan(0);
  });
});

it('leverage that is set already is fine, and can be read flat', () => {
  const stage = new VenueStage().start();
  const set = (leverage: number): ReturnType<VenueStage['ask']> =>
    stage.ask(stage.operationOf(stage.adapters.main.setLeverage?.('BTCUSDT', leverage, undefined, stage.at())));
  const done = [{ type: 'submission-accepted' }];
  const told = (): ReturnType<VenueStage['ask']> =>
    stage.adapters.main.leverageOf(['BTCUSDT', 'SOLUSDT'], stage.at()).flatMap((operation) => stage.ask(operation));
  expect(set(5)).toEqual(done);
  expect(set(5)).toEqual(done);
  expect(() => set(200)).toThrow('110013');
  expect(told()).toEqual([
    { type: 'leverage', symbol: 'BTCUSDT', leverage: 5 },
    { type: 'leverage', symbol: 'SOLUSDT', leverage: 10 },
  ]);
});

it('two accounts have their own keys, streams, orders and books', () => {
  const stage = new VenueStage().start().start('mirror');
  stage.place();
  stage.place({ side: 'sell', limitTicks: 499_000, lots: 5 }, 'mirror');
  stage.pass(100);
  expect(stage.facts('position').at(-1)?.position.signedLots).toBe(10);
  expect(stage.facts('position', 'mirror').at(-1)?.position.signedLots).toBe(-5);
  const { accounts } = stage.venue.oracle();
  for (const account of ['main', 'mirror'] as const) {
    expect(stage.facts('fill', account).map(({ fill }) => fill.fillId)).toEqual(
      accounts.get(account)?.fills.map(({ fillId }) => fillId),
    );
    expect(stage.facts('balance', account).at(-1)?.walletMicro).toBe(accounts.get(account)?.walletMicro);
  }
});
