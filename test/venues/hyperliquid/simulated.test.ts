import { describe, expect, it, test } from 'vitest';
import type { PriceTicks } from '../../../src/money/units.ts';
import { hourlyRatePico, premiumPicoOf } from '../../../src/venues/hyperliquid/funding-formula.ts';
import type { ActionValue } from '../../../src/venues/hyperliquid/msgpack.ts';
import { SimulatedNonces } from '../../../src/venues/hyperliquid/simulated-intake.ts';
import {
  actionHash,
  addressOf,
  agentDigest,
  runHyperliquidSignTask,
  signDigest,
} from '../../../src/venues/hyperliquid/sign.ts';
import type { Network, SignedTerms } from '../../../src/venues/hyperliquid/sign.ts';
import { cancelAction, cloidOf, orderAction } from '../../../src/venues/hyperliquid/wire.ts';
import { plainTape } from '../../simulation/plain-tape.ts';
import { ADDRESS, AGENT_KEY, VenueStage } from './venue-stage.ts';

const DAY_MS = 86_400_000;
let lastNonce = 0;

interface Sent extends Partial<SignedTerms> {
  readonly key?: string;
  readonly network?: Network;
  /** Signs this instead of what is sent. */
  readonly signs?: ActionValue;
}

/** Signs and posts an action; returns the answer's body. */
function act(stage: VenueStage, action: ActionValue, how: Sent = {}): unknown {
  lastNonce = Math.max(lastNonce + 1, Math.floor(stage.at().calendarMs));
  const { nonce = lastNonce, vaultAddress, expiresAfter } = how;
  const terms: SignedTerms = {
    action: how.signs ?? action,
    nonce,
    ...(vaultAddress === undefined ? {} : { vaultAddress }),
    ...(expiresAfter === undefined ? {} : { expiresAfter }),
  };
  const signature = runHyperliquidSignTask({
    ...terms,
    privateKey: how.key ?? AGENT_KEY,
    network: how.network ?? 'mainnet',
  });
  const body = { action, nonce, signature, vaultAddress: vaultAddress ?? null, expiresAfter: expiresAfter ?? null };
  const answer = stage.request('/exchange', JSON.stringify(body));
  return answer?.status === 200 ? (JSON.parse(answer.body) as unknown) : answer?.status;
}

function order(change: Partial<Parameters<typeof orderAction>[0]> = {}): ActionValue {
  return orderAction({
    asset: 0,
    isBuy: true,
    price: '90250',
    size: '0.01',
    reduceOnly: false,
    timeInForce: 'Ioc',
    cloid: cloidOf('7'),
    ...change,
  });
}

const RESTING = { price: '89000', timeInForce: 'Gtc' } as const;

function statuses(answer: unknown): readonly unknown[] {
  return (answer as { response: { data: { statuses: unknown[] } } }).response.data.statuses;
}

function ask(stage: VenueStage, question: unknown): unknown {
  return JSON.parse(stage.request('/info', JSON.stringify(question))?.body ?? 'null') as unknown;
}

describe('who may act', () => {
  it('is whoever the signature recovers: the account itself is not needed, its agent is enough', () => {
    const stage = new VenueStage();
    expect(statuses(act(stage, order()))).toMatchObject([{ filled: { totalSz: '0.01000' } }]);
  });

  test.each<[string, Sent]>([
    ['another key', { key: `0x${'18'.repeat(32)}` }],
    ['another network', { network: 'testnet' }],
    ['another action', { signs: order({ size: '0.02' }) }],
    ['a number that is not in its shortest form', { signs: order({ size: '0.0100' }) }],
    ['a vault that is none', { vaultAddress: `0x${'33'.repeat(20)}` }],
  ])('is not whoever signed with %s', (_what, how) => {
    const stage = new VenueStage();
    const answer = act(stage, order(), how) as { status: string; response: string };
    expect(answer.status).toBe('err');
    expect(answer.response).toMatch(/^User or API Wallet 0x[0-9a-f]{40} does not exist\.$/);
    expect(stage.venue.oracle().accounts.get('main')?.orders).toEqual([]);
  });

  it('acts for a vault when its signer may', () => {
    const stage = new VenueStage();
    expect(statuses(act(stage, order(), { vaultAddress: ADDRESS }))).toMatchObject([{ filled: {} }]);
  });

  it('is told apart from an unreadable request, which gets plain text', () => {
    const stage = new VenueStage();
    expect(stage.request('/exchange', '{"action":{"type":"order"}}')).toMatchObject({ status: 422 });
    expect(stage.request('/exchange', 'nonsense')).toMatchObject({ status: 422 });
    expect(stage.request('/info', '{"type":"secrets"}')).toMatchObject({ status: 422 });
  });
});

describe('nonces', () => {
  it('are used once: the identical request cannot execute twice', () => {
    const stage = new VenueStage();
    const nonce = Math.floor(stage.at().calendarMs) + 5;
    expect(statuses(act(stage, order(), { nonce }))).toHaveLength(1);
    expect(act(stage, order(), { nonce })).toEqual({
      status: 'err',
      response: `Invalid nonce: duplicate nonce ${nonce}`,
    });
    expect(stage.venue.oracle().accounts.get('main')?.orders).toHaveLength(1);
  });

  it('may come in any order above the lowest of the hundred highest, near the clock', () => {
    const nonces = new SimulatedNonces();
    const now = 1_790_000_000_000;
    for (let index = 0; index < 100; index++) expect(nonces.use('one', now + 10 * index, now)).toBeUndefined();
    expect(nonces.use('one', now + 5, now)).toBeUndefined();
    // The lowest was pushed out by the one in between.
    expect(nonces.use('one', now, now)).toMatch(/below the 100 highest/);
    expect(nonces.use('one', now + 1, now)).toMatch(/below the 100 highest/);
    expect(nonces.use('other', now, now)).toBeUndefined();
    expect(nonces.use('other', now + DAY_MS, now)).toMatch(/not within/);
    expect(nonces.use('other', now - 2 * DAY_MS, now)).toMatch(/not within/);
  });

  it('of a stale action are used up, the action is not', () => {
    const stage = new VenueStage();
    const now = Math.floor(stage.at().calendarMs);
    expect(act(stage, order(), { expiresAfter: now - 1 })).toMatchObject({
      status: 'err',
      response: `Action expired at ${now - 1}.`,
    });
    expect(stage.venue.oracle().accounts.get('main')?.orders).toEqual([]);
  });
});

describe('orders', () => {
  it.each([
    [{ price: '90250.5' }, 'Price must be divisible by tick size. asset=0'],
    [{ price: '0.01' }, 'Price must be divisible by tick size. asset=0'],
    [{ size: '0.000001' }, 'Order has invalid size. asset=0'],
    [{ size: '0' }, 'Order has zero size. asset=0'],
    [{ size: '0.0001' }, 'Order must have minimum value of $10. asset=0'],
    [{ asset: 9 }, 'Invalid asset. asset=9'],
  ])('with %j are refused in the venue’s words', (change, text) => {
    expect(statuses(act(new VenueStage(), order(change)))).toEqual([{ error: text }]);
  });

  it('come back with one status each, in their order', () => {
    const stage = new VenueStage();
    const batch: ActionValue = {
      type: 'order',
      orders: [
        { a: 0, b: true, p: '89000', s: '0.01', r: false, t: { limit: { tif: 'Gtc' } }, c: cloidOf('1') },
        { a: 0, b: true, p: '90250', s: '0.00001', r: false, t: { limit: { tif: 'Ioc' } } },
        { a: 0, b: true, p: '90250', s: '0.01', r: false, t: { limit: { tif: 'Alo' } } },
        { a: 0, b: true, p: '90250', s: '0.01', r: false, t: { limit: { tif: 'Ioc' } } },
      ],
      grouping: 'na',
    };
    expect(statuses(act(stage, batch))).toMatchObject([
      { resting: { cloid: cloidOf('1') } },
      { error: 'Order must have minimum value of $10. asset=0' },
      {
        error: expect.stringMatching(
          /^Post only order would have immediately matched, bbo was 8\d{4}\.0@9\d{4}\.0\. asset=0$/,
        ) as string,
      },
      { filled: { totalSz: '0.01000' } },
    ]);
  });

  it('with the id of an open order are refused; with that of an ended one they are not', () => {
    const stage = new VenueStage();
    expect(statuses(act(stage, order(RESTING)))).toMatchObject([{ resting: {} }]);
    expect(statuses(act(stage, order(RESTING)))).toEqual([{ error: `Duplicate cloid ${cloidOf('7')}. asset=0` }]);
    expect(statuses(act(stage, cancelAction([{ asset: 0, cloid: cloidOf('7') }])))).toEqual(['success']);
    expect(statuses(act(stage, order()))).toMatchObject([{ filled: {} }]);
    expect(
      stage.venue
        .oracle()
        .accounts.get('main')
        ?.orders.map(({ clientOrderId, status }) => [clientOrderId, status]),
    ).toEqual([
      ['7', 'cancelled'],
      ['7', 'filled'],
    ]);
    expect(ask(stage, { type: 'orderStatus', user: ADDRESS, oid: cloidOf('7') })).toMatchObject({
      order: { status: 'filled' },
    });
  });

  it('are cancelled by number too, once', () => {
    const stage = new VenueStage();
    const [resting] = statuses(act(stage, order(RESTING))) as [{ resting: { oid: number } }];
    const cancel: ActionValue = { type: 'cancel', cancels: [{ a: 0, o: resting.resting.oid }] };
    expect(statuses(act(stage, cancel))).toEqual(['success']);
    expect(statuses(act(stage, cancel))).toEqual([
      { error: 'Order was never placed, already canceled, or filled. asset=0' },
    ]);
  });

  it('of the account are nobody else’s: an agent’s address shows nothing instead of an error', () => {
    const stage = new VenueStage();
    act(stage, order(RESTING));
    expect(ask(stage, { type: 'frontendOpenOrders', user: ADDRESS })).toHaveLength(1);
    expect(ask(stage, { type: 'frontendOpenOrders', user: addressOf(AGENT_KEY) })).toEqual([]);
    expect(ask(stage, { type: 'orderStatus', user: addressOf(AGENT_KEY), oid: cloidOf('7') })).toEqual({
      status: 'unknownOid',
    });
  });
});

describe('limits', () => {
  it('refuse the question that would exceed 1,200 a minute, and let it pass when the minute is over', () => {
    const stage = new VenueStage();
    const statusesOf = Array.from({ length: 61 }, () => stage.request('/info', '{"type":"meta"}')?.status);
    expect(statusesOf).toEqual([...Array.from({ length: 60 }, () => 200), 429]);
    expect(stage.venue.oracle().rateLimitRefusals).toBe(1);
    expect(act(stage, { type: 'noop' })).toBe(429);
    stage.pass(60_001);
    expect(stage.request('/info', '{"type":"meta"}')?.status).toBe(200);
  });

  it('charge listings by their items', () => {
    const stage = new VenueStage();
    // Two hundred settled hours: 20 + 10.
    const question = JSON.stringify({ type: 'fundingHistory', coin: 'BTC', startTime: 0 });
    const items = (JSON.parse(stage.request('/info', question)?.body ?? '[]') as unknown[]).length;
    const each = 20 + Math.floor(items / 20);
    let asked = 1;
    while (stage.request('/info', question)?.status === 200) asked += 1;
    expect(asked).toBe(Math.floor((1_200 - 20) / each) + 1);
  });

  it('let an account without budget act once in ten seconds, and cancel on', () => {
    const stage = new VenueStage();
    act(stage, order(RESTING));
    stage.venue.inject('spend-actions', { account: 'main', used: 10_000 });
    expect(statuses(act(stage, order({ ...RESTING, cloid: cloidOf('8') })))).toMatchObject([{ resting: {} }]);
    expect(act(stage, order({ ...RESTING, cloid: cloidOf('9') }))).toMatchObject({
      status: 'err',
      response: expect.stringMatching(/^Too many cumulative requests sent \(10002 > 10000\)/) as string,
    });
    expect(statuses(act(stage, cancelAction([{ asset: 0, cloid: cloidOf('7') }])))).toEqual(['success']);
    stage.pass(10_000);
    expect(statuses(act(stage, order({ ...RESTING, cloid: cloidOf('9') })))).toMatchObject([{ resting: {} }]);
  });

  it('tell an account what it has used', () => {
    const stage = new VenueStage();
    act(stage, order());
    expect(ask(stage, { type: 'userRateLimit', user: ADDRESS })).toMatchObject({
      nRequestsUsed: 1,
      nRequestsCap: 10_900,
    });
  });
});

describe('funding', () => {
  it('follows the venue’s formula, and every rate has a premium that gives it', () => {
    expect(hourlyRatePico(0)).toBe(12_500_000);
    expect(hourlyRatePico(-5_000_000_000)).toBe(-562_500_000);
    expect(hourlyRatePico(10 ** 12)).toBe(40_000_000_000);
    for (const rate of [0, 12_500_000, 12_500_001, -8_100_000, 100_810_000, 40_000_000_000, -40_000_000_000])
      expect(hourlyRatePico(premiumPicoOf(rate))).toBe(rate);
  });
});

describe('an account that runs out of margin', () => {
  it('is closed by the venue: the fill names the liquidation and its orders end as liquidated', () => {
    let price = 90_000;
    const stage = new VenueStage({ tape: plainTape({ priceAt: () => price }), openingMicro: 400_000_000n });
    stage.start();
    stage.place();
    stage.place({ clientOrderId: '1002', timeInForce: 'gtc', limitTicks: 400_000 as PriceTicks, reduceOnly: false });
    price = 50_500;
    stage.pass(1_000);
    const fills = ask(stage, { type: 'userFills', user: ADDRESS }) as { liquidation?: unknown }[];
    expect(fills[0]).toMatchObject({ dir: 'Close Long', liquidation: { liquidatedUser: ADDRESS, method: 'market' } });
    expect(stage.facts('fill').at(-1)?.fill).toMatchObject({ side: 'sell', clientOrderId: '' });
    expect(stage.facts('positions-snapshot').at(-1)?.positions).toEqual([]);
    expect(
      stage
        .facts('order-update')
        .find(({ order: { clientOrderId, status } }) => clientOrderId === '1002' && status !== 'open')?.order,
    ).toMatchObject({ status: 'cancelled', reason: 'liquidatedCanceled' });
  });
});

it('signs over the digest that the venue recovers from', () => {
  const terms: SignedTerms = { action: { type: 'noop' }, nonce: 1 };
  expect(runHyperliquidSignTask({ ...terms, privateKey: AGENT_KEY, network: 'testnet' })).toEqual(
    signDigest(agentDigest(actionHash(terms), 'testnet'), AGENT_KEY),
  );
});
