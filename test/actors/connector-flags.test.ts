import { expect, it } from 'vitest';
import type { FlagsPicture } from '../../actors/connector/flags.ts';
import { DEFAULT_FLAGS, FLAG_NAMES } from '../../src/venues/flags.ts';
import type { Flags } from '../../src/venues/flags.ts';
import { ConnectorWorld } from './connector-world.ts';

function flagsOf(world: ConnectorWorld): Partial<Flags> {
  const { flags } = world.inspect().digest as { readonly flags: FlagsPicture };
  return Object.fromEntries(FLAG_NAMES.map((name) => [name, flags[name].isOn]));
}

function crash(world: ConnectorWorld, incarnation: number): void {
  world.system.crashThread('io-0');
  world.until('it lives again', () => {
    const inspected = world.inspect();
    return inspected.incarnation === incarnation && inspected.status === 'running';
  });
}

it.each(FLAG_NAMES)('goes on with %s as it was switched after every crash', (name) => {
  const world = new ConnectorWorld({ checkIsolation: false });
  const isOn = !DEFAULT_FLAGS[name];
  world.run(500);
  world.tell({ type: 'set-flag', name, isOn });
  world.run(500);
  for (const incarnation of [2, 3]) {
    crash(world, incarnation);
    world.until('the journal was read', () => flagsOf(world)[name] === isOn);
    expect(flagsOf(world)).toEqual({ ...DEFAULT_FLAGS, [name]: isOn });
  }
});

it('goes on with the last of several switches', () => {
  const world = new ConnectorWorld({ checkIsolation: false });
  for (const isOn of [false, true, false]) world.tell({ type: 'set-flag', name: 'coalescing', isOn });
  world.run(500);
  crash(world, 2);
  world.until('the journal was read', () => flagsOf(world).coalescing === false);
  world.tell({ type: 'set-flag', name: 'coalescing', isOn: true });
  world.run(500);
  crash(world, 3);
  world.run(5_000);
  expect(flagsOf(world)).toEqual(DEFAULT_FLAGS);
});

it('goes by a configuration that was changed after the switch', () => {
  const world = new ConnectorWorld({ checkIsolation: false });
  world.run(500);
  world.tell({ type: 'set-flag', name: 'cpu-pool', isOn: false });
  // Tried, and taken back.
  for (const isOn of [false, true]) world.tell({ type: 'set-flag', name: 'coalescing', isOn });
  world.run(500);
  const { disk } = world;
  const later = new ConnectorWorld({ checkIsolation: false, args: { flags: { coalescing: false } }, disk });
  later.run(100);
  later.until('the journal was read', () => flagsOf(later)['cpu-pool'] === false);
  expect(flagsOf(later)).toEqual({ ...DEFAULT_FLAGS, coalescing: false, 'cpu-pool': false });
});
