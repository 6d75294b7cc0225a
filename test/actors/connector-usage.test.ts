import { describe, expect, it } from 'vitest';
import type { LimitsPicture } from '../../actors/connector/limits-picture.ts';
import { isEntryBudgetFree } from '../../actors/connector/entry-budget.ts';
import { bareConnector } from './bare-connector.ts';
import { ConnectorWorld } from './connector-world.ts';

const DAY_MS = 86_400_000;
const ramp = { startShare: 0.1, stepShare: 0.1, stepMs: DAY_MS };

function limitsOf(world: ConnectorWorld): LimitsPicture {
  return (world.inspect().digest as { readonly limits: LimitsPicture }).limits;
}

function shareOf(world: ConnectorWorld): number | undefined {
  return limitsOf(world).ramp?.share;
}

describe('the use that a connector makes of a venue’s limits', () => {
  it('begins with a tenth, grows by a tenth with every clean day, and stops at half', () => {
    // A day passes in ten seconds.
    const world = new ConnectorWorld({ scale: DAY_MS / 10_000, checkIsolation: false, args: { usageRamp: ramp } });
    world.run(1_000);
    const shares = [shareOf(world)];
    for (let day = 0; day < 6; day++) {
      world.run(10_000);
      shares.push(shareOf(world));
    }
    expect(shares).toEqual([0.1, 0.2, 0.3, 0.4, 0.5, 0.5, 0.5]);
    expect(limitsOf(world).limits.map(({ usable }) => usable)).toEqual([0.5]);
  });

  it('goes down a step for a refusal, not below where it began, and counts the days anew', () => {
    const world = new ConnectorWorld({ venue: 'bybit', args: { usageRamp: { ...ramp, stepMs: 60_000 } } });
    world.run(130_000);
    expect(shareOf(world)).toBe(0.3);
    world.inject('rate-limit', { durationMs: 1_000 });
    world.until('it is refused', () => world.count('rate-limit-refusals') > 0);
    const [refused] = [shareOf(world)];
    expect(refused).toBeLessThan(0.3);
    expect(refused).toBeGreaterThanOrEqual(0.1);
    const [step] = world.logs.filter(({ event, level }) => event === 'usage-ramp' && level === 'warn');
    expect(step?.fields).toMatchObject({ cause: 'refused', from: 0.3 });
    world.run(50_000);
    expect(shareOf(world)).toBe(refused);
    world.run(20_000);
    expect(shareOf(world)).toBeCloseTo((refused ?? 0) + 0.1, 6);
  });

  it('goes on after a crash where it was, from the journal', () => {
    const world = new ConnectorWorld({ args: { usageRamp: { ...ramp, stepMs: 60_000 } } });
    world.run(125_000);
    expect(shareOf(world)).toBe(0.3);
    world.system.crashThread('io-0');
    world.until('it lives again', () => world.inspect().incarnation === 2 && world.inspect().status === 'running');
    expect(shareOf(world)).toBe(0.1);
    world.run(5_000);
    expect(shareOf(world)).toBe(0.3);
    world.run(55_000);
    expect(shareOf(world)).toBe(0.4);
  });

  it('divides what the address may among the accounts behind it', () => {
    const alone = new ConnectorWorld({ venue: 'lighter' });
    const shared = new ConnectorWorld({ venue: 'lighter', args: { addressSharedBy: 2 } });
    const most = (world: ConnectorWorld): Record<string, number> => {
      world.run(100);
      return Object.fromEntries(limitsOf(world).limits.map(({ name, max }) => [name, max]));
    };
    expect(most(alone)).toEqual({
      'lighter-rest': 24_000,
      'lighter-transactions': 4_000,
      'lighter-messages': 200,
      'lighter-connects': 255,
    });
    expect(most(shared)).toMatchObject({
      'lighter-rest': 12_000,
      'lighter-transactions': 4_000,
      'lighter-messages': 100,
    });
  });

  it('counts what carries a key towards what a key may ask in an hour, orders included', () => {
    const world = new ConnectorWorld({ venue: 'coinbase-us' }).ready();
    world.run(40_000);
    world.untilStatus(world.place(), 'filled');
    world.run(1_000);
    const keyed = world.requests.filter(({ path }) => !/\/(market\/|time)/.test(path));
    expect(keyed.length).toBeGreaterThan(8);
    expect(world.requests.length).toBeGreaterThan(keyed.length);
    expect(limitsOf(world).limits.find(({ name }) => name === 'coinbase-hour')).toMatchObject({
      max: 10_000,
      used: keyed.length,
    });
  });

  it('lets no entry begin whose end could find that of all requests used up', () => {
    const { state, self } = bareConnector('bybit');
    expect(isEntryBudgetFree(state, self)).toBe(true);
    const { addressLimiter } = state;
    addressLimiter?.book(addressLimiter.bucket.max * 0.6, self.monotonicMs());
    expect(isEntryBudgetFree(state, self)).toBe(false);
  });

  it('is corrected by what the venue says of its own count', () => {
    const world = new ConnectorWorld({ venue: 'bybit' }).ready();
    const used = (): number => limitsOf(world).limits.find(({ name }) => name === 'bybit-rest')?.used ?? 0;
    world.run(2_000);
    expect(used()).toBeLessThan(20);
    // Somebody else uses the account: of fifty a second one remains.
    world.damageHeaders = (headers) =>
      headers['x-bapi-limit-status'] === undefined ? headers : { ...headers, 'x-bapi-limit-status': '1' };
    world.until('it is booked', () => used() >= 40, 60_000);
  });
});
