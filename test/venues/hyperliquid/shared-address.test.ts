/** Two accounts behind one address: what the venue counts by address is divided between them. */
import { expect, it } from 'vitest';
import { createExchange } from '../../../src/simulation/exchange-engine.ts';
import { simulatedMarkets } from '../../../src/simulation/markets.ts';
import type { VenueInput, VenueOutput } from '../../../src/simulation/simulated-venue.ts';
import { hyperliquidAdapter } from '../../../src/venues/hyperliquid/adapter.ts';
import { SUBSCRIPTIONS_MAX } from '../../../src/venues/hyperliquid/limits.ts';
import { simulatedHyperliquid } from '../../../src/venues/hyperliquid/simulated.ts';
import { SUBSCRIPTIONS_EXCEEDED } from '../../../src/venues/subscriptions.ts';
import type { FrameResult, Instant, VenueAdapter, VenueEvent } from '../../../src/venues/venue.ts';
import { madeUpSymbols } from '../../engine/crowd.ts';
import { plainTape, START_MS } from '../../simulation/plain-tape.ts';
import { AGENT_KEY } from './venue-stage.ts';

/** Three subscriptions each: one account alone may hear them all, two may not. */
const COINS = madeUpSymbols(200);
const USERS = [`0x${'a1'.repeat(20)}`, `0x${'b2'.repeat(20)}`];

/** Connects both accounts from one address to one venue; returns what they heard and what the venue complained of. */
function connectBoth(addressSharedBy: number): { readonly told: readonly VenueEvent[]; readonly subscribed: number } {
  let monotonicMs = 1_000;
  const at = (): Instant => ({ calendarMs: START_MS + monotonicMs - 1_000, monotonicMs });
  const accounts = USERS.map((address, index) => ({ name: `account${index}`, address, signers: [address] }));
  const exchange = createExchange({
    venue: 'hyperliquid',
    markets: simulatedMarkets('hyperliquid', COINS),
    accounts: accounts.map(({ name }) => ({ name, openingWalletMicro: 10_000_000_000n, leverage: 5 })),
    tape: plainTape({ priceAt: () => 100 }),
    seed: 11,
    takerDelayMs: 50,
    makerDelayMs: 20,
    cancelDelayMs: 20,
    bookIntervalMs: 60_000,
  });
  const venue = simulatedHyperliquid({ exchange, accounts, seed: 11 });
  const told: VenueEvent[] = [];
  let subscribed = 0;
  let socketId = 0;
  let requestId = 0;
  const ask = (adapter: VenueAdapter): void => {
    const operation = adapter.instruments();
    const { url, method, body = '' } = operation.request;
    requestId += 1;
    const asked: VenueInput = {
      type: 'http-request',
      requestId,
      remote: '127.0.0.1',
      method,
      path: new URL(url).pathname,
      headers: {},
      body,
    };
    let outputs: readonly VenueOutput[] = venue.handle(asked, at());
    for (let waited = 0; waited < 100 && !outputs.some(({ type }) => type === 'http-answer'); waited++) {
      monotonicMs += 20;
      outputs = venue.handle({ type: 'tick' }, at());
    }
    for (const output of outputs)
      if (output.type === 'http-answer') operation.parse({ ...output, type: 'http-answered', ref: 1 }, at());
  };
  const streams = USERS.map((address) => {
    const adapter = hyperliquidAdapter({
      account: 'main',
      restUrl: 'http://venue',
      streamUrl: 'ws://venue/ws',
      options: { address },
      secrets: { privateKey: AGENT_KEY },
      calendarScale: 1,
    });
    ask(adapter);
    return adapter.openStream(addressSharedBy);
  });
  for (const stream of streams) {
    for (const { key } of stream.plan(COINS)) {
      socketId += 1;
      const id = socketId;
      const carry = (result: FrameResult): void => {
        told.push(...result.events);
        for (const frame of result.send) {
          if (frame.text.includes('"subscribe"')) subscribed += 1;
          for (const output of venue.handle({ type: 'socket-text', socketId: id, text: frame.text }, at()))
            if (output.type === 'socket-text' && output.socketId === id) carry(stream.frame(key, output.text, at()));
        }
      };
      venue.handle({ type: 'socket-requested', socketId: id, remote: '127.0.0.1', path: '/ws', headers: {} }, at());
      carry(stream.opened(key, at()));
      // A minute's messages are limited as well.
      monotonicMs += 61_000;
    }
    told.push(...stream.tick(at()).events);
  }
  return { told, subscribed };
}

it('subscribe to no more than the address may, and say what is not heard', () => {
  const { told, subscribed } = connectBoth(2);
  expect(told.filter((event) => event.type === 'venue-error' && event.code === 'STREAM_ERROR')).toEqual([]);
  expect(told.filter((event) => event.type === 'venue-error' && event.code === SUBSCRIPTIONS_EXCEEDED)).toHaveLength(2);
  expect(subscribed).toBeLessThanOrEqual(SUBSCRIPTIONS_MAX);
  expect(subscribed).toBeGreaterThan(SUBSCRIPTIONS_MAX * 0.9);
});

it('that do not know of each other are refused by the venue', () => {
  const { told } = connectBoth(1);
  expect(told.some((event) => event.type === 'venue-error' && event.reason.startsWith('Cannot track more'))).toBe(true);
});
