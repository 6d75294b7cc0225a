import { expect, it } from 'vitest';
import type { PriceTicks, QuantityLots } from '../../../src/money/units.ts';
import { buildVenue } from '../../../src/simulation/build-venue.ts';
import type { BuiltVenue } from '../../../src/simulation/build-venue.ts';
import { demoAccount } from '../../../src/simulation/demo-accounts.ts';
import { coinbaseAdapter } from '../../../src/venues/coinbase/adapter.ts';
import type { Instant, Operation, OutboundFrame, VenueEvent } from '../../../src/venues/venue.ts';
import { plainTape, START_MS } from '../../simulation/plain-tape.ts';

const SPEC = {
  venue: 'coinbase',
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
const TAPE = plainTape({ priceAt: () => 50_000 });
const BTC = 'BTC_USDC-PERPETUAL';
const adapter = coinbaseAdapter({
  account: 'main',
  restUrl: 'http://venue',
  streamUrl: 'ws://venue',
  options: {},
  secrets: demoAccount('coinbase', 'main').secrets,
  calendarScale: 1,
});
const at = (ms: number): Instant => ({ calendarMs: START_MS + ms, monotonicMs: ms });

function ask(built: BuiltVenue, operation: Operation, now: Instant): readonly VenueEvent[] {
  const { method, url, headers, body = '' } = operation.requestAt?.(now) ?? operation.request;
  const path = url.slice('http://venue'.length);
  const outputs = built.venue.handle(
    { type: 'http-request', requestId: 1, remote: 'r', method, path, headers, body },
    now,
  );
  const answer = outputs.find((output) => output.type === 'http-answer');
  if (answer?.type !== 'http-answer') throw new Error(`${operation.name} must be answered`);
  const { events, next } = operation.parse({ ...answer, type: 'http-answered', ref: 1 }, now);
  return [...events, ...(next === undefined ? [] : ask(built, next, now))];
}

it('a simulated venue goes on where its last life ended: orders, positions, payments, ids', () => {
  const first = buildVenue(SPEC, TAPE, {});
  first.venue.handle({ type: 'tick' }, at(1));
  ask(first, adapter.instruments(), at(2));
  const stream = adapter.openStream();
  const [account] = stream.plan([BTC]);
  if (account === undefined) throw new Error('there must be a socket for the account');
  const path = new URL(account.url).pathname;
  const say = (frames: readonly OutboundFrame[], ms: number): void => {
    for (const { text } of frames)
      for (const output of first.venue.handle({ type: 'socket-text', socketId: 5, text }, at(ms)))
        if (output.type === 'socket-text') say(stream.frame(account.key, output.text, at(ms)).send, ms);
  };
  first.venue.handle({ type: 'socket-requested', socketId: 5, remote: 'r', path, headers: {} }, at(3));
  say(stream.opened(account.key, at(3)).send, 3);
  for (const [clientOrderId, limitTicks, timeInForce] of [
    ['1', 100_200, 'ioc'],
    ['2', 99_800, 'gtc'],
  ] as const) {
    const order = {
      clientOrderId,
      symbol: BTC,
      side: 'buy',
      lots: 10 as QuantityLots,
      limitTicks: limitTicks as PriceTicks,
      timeInForce,
      postOnly: false,
      reduceOnly: false,
      validUntilMs: at(5_000).calendarMs,
    } as const;
    const made = adapter.placeOrder(order, undefined, at(10)).submit(undefined, at(10));
    if (made.via === 'socket') say([made.frame], 10);
  }
  first.venue.handle({ type: 'tick' }, at(100));
  const facts = first.takeFacts();
  const before = first.venue.oracle().accounts.get('main');
  expect(before?.fills.length).toBeGreaterThan(0);

  const second = buildVenue(SPEC, TAPE, {
    past: { facts, keepsake: first.venue.keepsake(), calendarMs: at(100).calendarMs },
  });
  second.venue.handle({ type: 'tick' }, at(200));
  const after = second.venue.oracle().accounts.get('main');
  expect(after?.fills).toEqual(before?.fills);
  expect(after?.positions).toEqual(before?.positions);
  expect(after?.walletMicro).toBe(before?.walletMicro);

  const now = at(300);
  // The access token was the first life's: it is refused once, and the next call signs in anew.
  const events = adapter.accountSnapshot(now).flatMap((operation) => ask(second, operation, now));
  expect(events).toMatchObject([
    { type: 'positions-snapshot', positions: [{ symbol: BTC, signedLots: 10 }] },
    { type: 'balance', walletMicro: before?.walletMicro },
    { type: 'open-orders', orders: [{ clientOrderId: '2', status: 'open' }] },
  ]);
  const fills = ask(second, adapter.fillsSince(START_MS, now), now);
  expect(fills.map((event) => (event.type === 'fill' ? event.fill.fillId : event.type))).toEqual(
    before?.fills.map(({ fillId }) => fillId),
  );
});
