/** The table drawn of the stages of a position's life says which there are, and in which order they come. */
import { expect, it } from 'vitest';
import { drawnTransitions } from '../drawn-table.ts';
import { createWorld } from './position-world.ts';
import type { World } from './position-world.ts';

/** Stages seen while it runs, each change once. */
function stagesOf(world: World, ms: number): readonly string[] {
  const seen: string[] = [];
  const look = (): void => {
    const { stage } = world.stage().state();
    if (seen.at(-1) !== stage) seen.push(stage);
  };
  look();
  for (let at = 0; at < ms; at += 5) {
    world.run(5);
    look();
  }
  return seen;
}

const drawn = drawnTransitions('actors/position/recover.ts');

it('every life goes through all stages in the order of the table', () => {
  const order = [drawn[0]?.[0], ...drawn.map(([, , to]) => to)];
  expect(drawn.map(([from]) => from)).toEqual(order.slice(0, -1));
  expect(stagesOf(createWorld(), 5_000)).toEqual(order);
});

it('nothing is compared before the journal is read, and nothing runs before what can be compared is', () => {
  const world = createWorld();
  world.run(1_000);
  world.journalMode = 'mute';
  world.crash(5);
  world.run(10);
  expect(stagesOf(world, 5_000)).toEqual(['starting']);
  const waiting = createWorld();
  waiting.runUntil(() => waiting.pictures.at(-1)?.phase === 'IDLE', 5_000);
  waiting.deliver({ type: 'enter-pair', plan: waiting.plan() });
  waiting.runUntil(() => waiting.picture().phase === 'OPEN', 5_000);
  waiting.venues.a.queriesFail = true;
  waiting.crash(5);
  waiting.run(10);
  expect(stagesOf(waiting, 3_000).at(-1)).toBe('comparing');
});
