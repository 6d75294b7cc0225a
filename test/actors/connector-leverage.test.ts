/** Leverage is set at the venue before a symbol is traded, and believed only when it is read. */
import { describe, expect, it } from 'vitest';
import { refOf } from '../../src/runtime/actor.ts';
import type { ConnectorArgs } from '../../actors/connector/state.ts';
import type { ConnectorEvent } from '../../actors/connector-messages.ts';
import { factsOf, VENUES } from '../conformance/venues.ts';
import { madeUpSymbols } from '../engine/crowd.ts';
import { ConnectorWorld } from './connector-world.ts';

const args = { leverage: { wanted: 3, cap: 3, distance: 0.25 } };

function told(world: ConnectorWorld): number | undefined {
  return world.events('leverage-reported', 'strategy').at(-1)?.leverage;
}

function inForce(world: ConnectorWorld): number | undefined {
  return world.venue.exchange.position('main', world.symbol)?.leverage;
}

/** Quote the account could still use as margin, by its own connector's word. */
function available(world: ConnectorWorld): number {
  const account = world.events('account-changed', 'strategy').at(-1);
  if (account === undefined) throw new Error('the account must have been told');
  return Number(account.availableMicro) / 1e6;
}

describe.each(VENUES)('leverage at %s', (venue) => {
  it.skipIf(factsOf(venue).hasNoLeverage)(
    'is set once to what is asked for, read back and told, and the margin of a position follows it',
    () => {
      const world = new ConnectorWorld({ venue, args });
      world.until('the leverage is told', () => told(world) === 3);
      world.ready();
      const before = available(world);
      world.untilStatus(world.place({ lots: 10_000 }), 'filled');
      world.run(2_000);
      expect(inForce(world)).toBe(3);
      // Worth 10,000: a third of it is margin, give or take fees and the price of the fill.
      const used = before - available(world);
      expect(used).toBeGreaterThan(3_300);
      expect(used).toBeLessThan(3_400);
      expect(world.logs.filter(({ event }) => event === 'leverage-not-taken')).toEqual([]);
    },
  );

  it.skipIf(factsOf(venue).hasNoLeverage)('is told as the venue says it, not as it was asked for', () => {
    const world = new ConnectorWorld({ venue, args });
    world.damage = (_path, body) =>
      body
        .replaceAll('"leverage":"3"', '"leverage":"10"')
        .replaceAll('"leverage":{"type":"cross","value":3}', '"leverage":{"type":"cross","value":10}')
        .replaceAll('"initial_margin_fraction":"33.33"', '"initial_margin_fraction":"10.00"');
    world.ready();
    world.run(20_000);
    expect(told(world)).toBe(10);
    expect(world.logs.some(({ event }) => event === 'leverage-not-taken')).toBe(true);
  });

  it.skipIf(factsOf(venue).hasNoLeverage)('needs no answer to the setting: reading it is enough', () => {
    const world = new ConnectorWorld({ venue, args });
    world.damage = (path, body) =>
      path === 'socket'
        ? body.replace('jsonapi/sendtx', 'jsonapi/lost')
        : (path.includes('leverage') && !body.includes('[')) || path === '/exchange'
          ? '{"status":'
          : body;
    world.until('the leverage is told', () => told(world) === 3, 60_000);
    expect(world.count('outcomes-unknown')).toBeGreaterThan(0);
  });

  // Where the market allows no more than what is asked for, being left alone and being set look alike.
  it.skipIf(factsOf(venue).maxLeverage === 3)('is left alone under a position and set once that is closed', () => {
    const world = new ConnectorWorld({ venue, args });
    world.network.poke(world.host, (_venue, at) => world.venue.exchange.forceTrade('main', world.symbol, 1_000, at));
    world.ready();
    world.run(10_000);
    expect(inForce(world)).toBe(10);
    expect(told(world)).not.toBe(3);
    world.untilStatus(world.place({ side: 'sell', reduceOnly: true, lots: 1_000 }), 'filled');
    world.until('the leverage is told', () => told(world) === 3, 60_000);
  });

  it('is told again to a new subscriber', () => {
    const world = new ConnectorWorld({ venue, args });
    // Where almost a third must be left for maintenance, a quarter's distance leaves room for no more than the position itself.
    const wanted = factsOf(venue).maxLeverage === 3 ? 1 : 3;
    world.until('the leverage is told', () => told(world) === wanted);
    world.run(100);
    const before = world.events('leverage-reported').length;
    world.tell({ type: 'resend-state', to: refOf<ConnectorEvent>('position/BTC'), bases: ['BTC'] });
    world.run(100);
    expect(world.events('leverage-reported').slice(before)).toMatchObject([{ symbol: world.symbol, leverage: wanted }]);
  });
});

it('is read again when a position comes with another one, and set again when that is true', () => {
  const world = new ConnectorWorld({ venue: 'lighter', args });
  world.until('the leverage is told', () => told(world) === 3);
  world.damage = (_path, body) =>
    body.replaceAll('"initial_margin_fraction":"33.33"', '"initial_margin_fraction":"10.00"');
  world.until('the other leverage is told', () => told(world) === 10, 60_000);
  world.damage = (_path, body) => body;
  world.until('the leverage is told', () => told(world) === 3, 60_000);
});

it('of thirty symbols whose questions weigh much is read within minutes, and openings have their share all the while', () => {
  const bases = ['BTC', ...madeUpSymbols(29)];
  const world = new ConnectorWorld({ venue: 'hyperliquid', bases, args, checkIsolation: false }).ready();
  // The channel that would bring them for nothing stays silent.
  world.damage = (_path, body) => body.replace('"channel":"activeAssetData"', '"channel":"somethingElse"');
  const shares: number[] = [];
  for (let second = 0; second < 200; second++) {
    world.run(1_000);
    const status = world.events('venue-status', 'strategy').at(-1);
    if (status?.status === 'ready') shares.push(status.openBudgetShare);
  }
  expect(new Set(world.events('leverage-reported', 'strategy').map(({ base }) => base)).size).toBe(30);
  expect(shares.length).toBeGreaterThan(150);
  expect(Math.min(...shares)).toBeGreaterThan(0.2);
  expect(world.venue.venue.oracle().rateLimitRefusals).toBe(0);
});

it('of eight symbols is set and read within two minutes of the first day, where a socket brings it', () => {
  const bases = ['BTC', ...madeUpSymbols(7)];
  const usageRamp = { startShare: 0.1, stepShare: 0.1, stepMs: 86_400_000 };
  const world = new ConnectorWorld({
    venue: 'hyperliquid',
    bases,
    args: { ...args, usageRamp },
    checkIsolation: false,
  });
  world.ready();
  const threes = (): number =>
    world.events('leverage-reported', 'strategy').filter(({ leverage }) => leverage === 3).length;
  world.until('all are told', () => threes() === 8, 120_000);
  expect(world.requestsSince(0, 'activeAssetData')).toEqual([]);
  expect(world.venue.venue.oracle().rateLimitRefusals).toBe(0);
});

it('costs no request where the venue keeps none', () => {
  const bases = ['BTC', ...madeUpSymbols(9)];
  const asked = (changed: Pick<ConnectorArgs, 'leverage'>): readonly number[] => {
    const world = new ConnectorWorld({ venue: 'coinbase', bases, args: changed }).ready();
    world.run(20_000);
    expect(told(world)).toBe(changed.leverage?.wanted);
    return [world.requests.length, world.socketTexts.length];
  };
  expect(asked(args)).toEqual(asked({}));
});
