import { describe, expect, it } from 'vitest';
import { simulatedBases } from '../../src/simulation/markets.ts';
import { ConnectorWorld } from './connector-world.ts';

/** More channels than may be unanswered at once. */
const BASES = ['BTC', ...simulatedBases('lighter').filter((base) => base !== 'BTC')].slice(0, 20);

function channelsAsked(world: ConnectorWorld, sinceMs = 0): readonly string[] {
  return world.socketTexts
    .filter(({ atMs, path }) => atMs >= sinceMs && path.includes('"subscribe"'))
    .map(({ path }) => (JSON.parse(path) as { readonly channel: string }).channel)
    .toSorted();
}

/** Most messages that arrived within any minute. */
function mostInAMinute(world: ConnectorWorld): number {
  const times = world.socketTexts.filter(({ path }) => !path.includes('jsonapi')).map(({ atMs }) => atMs);
  return Math.max(...times.map((first) => times.filter((at) => at >= first && at - first < 60_000).length));
}

describe('control frames', () => {
  it('ask for every channel once, and after a reconnect for exactly the same ones again', () => {
    const world = new ConnectorWorld({ venue: 'lighter', bases: BASES, checkIsolation: false }).ready();
    world.run(5_000);
    const first = channelsAsked(world);
    expect(new Set(first).size).toBe(first.length);
    expect(first.length).toBe(5 + 2 * BASES.length);
    const cutAtMs = world.nowMs;
    world.network.cut(world.host);
    world.until('it is back', () => channelsAsked(world, cutAtMs).length >= first.length, 70_000);
    world.run(5_000);
    expect(channelsAsked(world, cutAtMs)).toEqual(first);
  });

  it('stay below four fifths of the venue’s limits however often the connections are cut, and the last wish leaves', () => {
    const world = new ConnectorWorld({ venue: 'lighter', bases: BASES, checkIsolation: false }).ready();
    for (let cut = 0; cut < 8; cut++) {
      world.network.cut(world.host);
      world.run(4_000);
    }
    expect(mostInAMinute(world)).toBeLessThanOrEqual(160);
    expect(mostInAMinute(world)).toBeGreaterThan(120);
    expect(world.venue.venue.oracle().rateLimitRefusals).toBe(0);
    world.run(70_000);
    expect(world.status()).toMatchObject({ status: 'ready', entriesAllowed: true });
    const since = world.nowMs;
    world.run(2_000);
    const told = (world.heard.get('strategy') ?? []).flatMap(({ event, atMs }) =>
      event.type === 'book-changed' && atMs > since ? [event.symbol] : [],
    );
    expect(new Set(told).size).toBe(BASES.length);
  });
});
