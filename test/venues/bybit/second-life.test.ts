import { expect, it } from 'vitest';
import type { PriceTicks, QuantityLots } from '../../../src/money/units.ts';
import { buildVenue } from '../../../src/simulation/build-venue.ts';
import type { BuiltVenue } from '../../../src/simulation/build-venue.ts';
import { demoAccount } from '../../../src/simulation/demo-accounts.ts';
import type { ExchangeFact } from '../../../src/simulation/exchange-facts.ts';
import { bybitAdapter } from '../../../src/venues/bybit/adapter.ts';
import type { Instant, Operation, SubmissionPlan, VenueEvent } from '../../../src/venues/venue.ts';
import { plainTape, START_MS } from '../../simulation/plain-tape.ts';

const SPEC = {
  venue: 'bybit',
  bases: ['BTC'],
  accounts: [{ name: 'main', balance: 10_000 }],
  limits: 'standard',
  seed: 3,
  calendarScale: 1,
  takerDelayMs: 10,
  makerDelayMs: 10,
  cancelDelayMs: 10,
  bookIntervalMs: 250,
} as const;
const TAPE = plainTape({ priceAt: () => 50_000, intervalMs: 8 * 3_600_000 });
const adapter = bybitAdapter({
  account: 'main',
  restUrl: 'http://venue',
  streamUrl: 'ws://venue',
  options: {},
  secrets: demoAccount('bybit', 'main').secrets,
  calendarScale: 1,
});
const at = (ms: number): Instant => ({ calendarMs: START_MS + ms, monotonicMs: ms });

function ask(built: BuiltVenue, operation: Operation, now: Instant): readonly VenueEvent[] {
  const { method, url, headers, body = '' } = operation.request;
  const path = url.slice('http://venue'.length);
  const [answer] = built.venue.handle(
    { type: 'http-request', requestId: 1, remote: 'r', method, path, headers, body },
    now,
  );
  if (answer?.type !== 'http-answer') throw new Error(`${operation.name} must be answered`);
  return operation.parse({ ...answer, type: 'http-answered', ref: 1 }, now).events;
}
function submit(built: BuiltVenue, plan: SubmissionPlan | undefined, now: Instant): void {
  if (plan === undefined) throw new Error('the adapter must have a plan for it');
  const submission = plan.submit(undefined, now);
  if (submission.via !== 'http') throw new Error('Bybit submits over HTTP');
  ask(built, submission.operation, now);
}

it('a simulated venue goes on where its last life ended: orders, fees, positions, leverage, ids', () => {
  const facts: ExchangeFact[] = [];
  const first = buildVenue(SPEC, TAPE, {});
  first.venue.handle({ type: 'tick' }, at(1));
  ask(first, adapter.instruments(), at(2));
  submit(first, adapter.setLeverage?.('BTCUSDT', 4, undefined, at(3)), at(3));
  for (const [clientOrderId, limitTicks, timeInForce] of [
    ['1', 501_000, 'ioc'],
    ['2', 499_000, 'gtc'],
  ] as const) {
    const order = {
      clientOrderId,
      symbol: 'BTCUSDT',
      side: 'buy',
      lots: 10 as QuantityLots,
      limitTicks: limitTicks as PriceTicks,
      timeInForce,
      postOnly: false,
      reduceOnly: false,
      validUntilMs: at(5_000).calendarMs,
    } as const;
    submit(first, adapter.placeOrder(order, undefined, at(10)), at(10));
  }
  first.venue.handle({ type: 'tick' }, at(100));
  facts.push(...first.takeFacts());
  const before = first.venue.oracle().accounts.get('main');
  expect(before?.fills.length).toBeGreaterThan(0);

  const past = { facts, keepsake: first.venue.keepsake(), calendarMs: at(100).calendarMs };
  const second = buildVenue(SPEC, TAPE, { past });
  second.venue.handle({ type: 'tick' }, at(200));
  const after = second.venue.oracle().accounts.get('main');
  expect(after?.fills).toEqual(before?.fills);
  expect(after?.positions).toEqual(before?.positions);
  expect(after?.walletMicro).toBe(before?.walletMicro);

  const now = at(300);
  const events = adapter.accountSnapshot(now).flatMap((operation) => ask(second, operation, now));
  expect(events).toMatchObject([
    { type: 'positions-snapshot', positions: [{ symbol: 'BTCUSDT', signedLots: 10, leverage: 4 }] },
    { type: 'balance', walletMicro: before?.walletMicro },
    { type: 'open-orders', orders: [{ clientOrderId: '2', status: 'open' }] },
  ]);
  expect(adapter.leverageOf(['BTCUSDT'], now).flatMap((operation) => ask(second, operation, now))).toEqual([
    { type: 'leverage', symbol: 'BTCUSDT', leverage: 4 },
  ]);
  const fills = ask(second, adapter.fillsSince(START_MS, now), now);
  expect(fills.map((event) => (event.type === 'fill' ? event.fill.fillId : event.type))).toEqual(
    before?.fills.map(({ fillId }) => fillId),
  );
});
