import { expect, it } from 'vitest';
import { refOf } from '../../src/runtime/actor.ts';
import { simulatedBases, simulatedMarkets } from '../../src/simulation/markets.ts';
import { ConnectorWorld } from '../actors/connector-world.ts';
import type { WorldVenue } from '../actors/connector-world.ts';

const HOUR_MS = 3_600_000;
const STEP_MS = 2_000;

/**
 * As much as can be asked for: entries that are cancelled again, watchers of every symbol in every step, sockets that are cut now and
 * then. The venue refuses whatever exceeds one of its limits in any window.
 */
it.each<[WorldVenue, 'standard' | 'premium']>([
  ['lighter', 'premium'],
  ['lighter', 'standard'],
  ['extended', 'standard'],
  ['bybit', 'standard'],
  ['hyperliquid', 'standard'],
  ['coinbase', 'standard'],
])('an hour at full load at %s (%s) exceeds no limit', { timeout: 3_600_000 }, (venue, limits) => {
  const bases = ['BTC', ...simulatedBases(venue).filter((base) => base !== 'BTC')].slice(0, 5);
  const world = new ConnectorWorld({ venue, limits, bases, checkIsolation: false }).ready();
  const symbols = simulatedMarkets(venue, bases).map(({ symbol }) => symbol);
  const endMs = world.nowMs + HOUR_MS;
  let watcher = 0;
  let accepted = 0;
  for (let step = 0; world.nowMs < endMs; step++) {
    const order = world.place({ timeInForce: 'gtc', priceOffset: -0.01, lots: 20 });
    for (const symbol of symbols) {
      watcher += 1;
      world.tell({
        ...{ type: 'reconcile-symbol', reconcileId: watcher, symbol, sinceMs: world.system.nowMs(), orders: [] },
        replyTo: refOf('position/BTC'),
      });
    }
    if (step % 150 === 149) world.network.cut(world.host);
    world.run(STEP_MS);
    const statuses = world.statuses(order.clientOrderId);
    if (statuses.includes('open')) accepted += 1;
    // As a position does: what was refused is nothing to cancel.
    if (statuses.at(-1) !== 'refused') world.cancel(order.clientOrderId);
    world.heard.clear();
    world.logs.length = 0;
  }
  expect(world.venue.venue.oracle().rateLimitRefusals).toBe(0);
  expect(world.count('rate-limit-refusals')).toBe(0);
  // It was a load: orders went through all the time, as many as a small limit allows.
  expect(accepted).toBeGreaterThan(limits === 'standard' && venue === 'lighter' ? 50 : 500);
});
