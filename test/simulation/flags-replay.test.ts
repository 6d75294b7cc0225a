import { join } from 'node:path';
import { expect, it } from 'vitest';
import { connectorRef, positionRef } from '../../actors/addresses.ts';
import type { ConnectorMessage } from '../../actors/connector-messages.ts';
import type { PositionMessage } from '../../actors/position-messages.ts';
import { loadConfig } from '../../config/load.ts';
import { marketCalendar, tapeSpec } from '../../src/composition/market.ts';
import { buildTape } from '../../src/simulation/live/build-tape.ts';
import { simulateWorld } from '../../src/simulation/world.ts';
import { DEFAULT_FLAGS, FLAG_NAMES } from '../../src/venues/flags.ts';
import type { FlagName } from '../../src/venues/flags.ts';

const VENUES = ['lighter', 'extended', 'bybit', 'coinbase'];
const START_MS = Date.UTC(2026, 0, 5);
/** Virtual ms: the flag is switched before the pair is opened, which a person closes. */
const SWITCHED_AT_MS = 2_000;
const CLOSED_AT_MS = 7_500;
const END_MS = 9_000;

const config = loadConfig(join(import.meta.dirname, '..', '..', 'config', 'demo.yaml'), {
  symbols: ['BTC'],
  resumeTrading: true,
});

/** Plays the same market again; returns every decision with its time, prices and amounts. */
function play(switched?: FlagName): readonly string[] {
  const { startAtMs } = marketCalendar(config, START_MS);
  const world = simulateWorld(config, { seed: 1, tape: buildTape(tapeSpec(config, startAtMs)), startAtMs });
  // A network that draws nothing: one request less shifts no other's time.
  for (const venue of VENUES)
    world.network.setConditions(`${venue}.test`, { latencyMsMin: 10, latencyMsMax: 10, slowChance: 0 });
  world.system.runUntil(SWITCHED_AT_MS);
  for (const venue of switched === undefined ? [] : VENUES) {
    const { path } = connectorRef(venue, 'main');
    const command: ConnectorMessage = {
      type: 'set-flag',
      name: switched ?? '',
      isOn: switched !== undefined && !DEFAULT_FLAGS[switched],
    };
    world.system.tell(path, command);
  }
  world.system.runUntil(CLOSED_AT_MS);
  if (switched !== undefined)
    expect(world.system.inspect(connectorRef('lighter', 'main').path)?.digest).toMatchObject({
      flags: { [switched]: { isOn: !DEFAULT_FLAGS[switched] } },
    });
  const exit: PositionMessage = { type: 'exit-pair', reason: 'MANUAL' };
  world.system.tell(positionRef('BTC').path, exit);
  world.system.runUntil(END_MS);
  return world.disk
    .rowsAfter(0)
    .filter(({ type }) => type === 'intent' || type === 'order-planned')
    .map(({ id, atMs, payload }) => `${id} ${atMs} ${JSON.stringify(payload)}`);
}

const usual = play();

it('opens and closes a pair', () => {
  expect(usual.filter((row) => row.includes('"purpose":"open"')).length).toBeGreaterThanOrEqual(2);
  expect(usual.filter((row) => row.includes('"purpose":"close"')).length).toBeGreaterThanOrEqual(2);
});

it.each(FLAG_NAMES)('decides the same with %s switched', (name) => {
  expect(play(name)).toEqual(usual);
});
