import { beforeAll, describe, expect, it } from 'vitest';
import { lintPlanted } from './planted.ts';
import type { Complaint } from './planted.ts';

const forbidden: readonly (readonly [from: string, source: string])[] = [
  ['src/runtime/a.ts', "import '../money/units.ts';"],
  ['src/runtime/b.ts', "import type { T } from '../ports/ports.ts';\nexport type U = T;"],
  ['src/runtime/c.ts', "export * from '../../actors/position.ts';"],
  ['src/money/a.ts', "import '../market/book.ts';"],
  ['src/market/a.ts', "import type { T } from '../runtime/actor.ts';\nexport type U = T;"],
  ['src/strategy/a.ts', "import type { T } from '../ports/ports.ts';\nexport type U = T;"],
  ['src/strategy/b.ts', "import 'undici';"],
  ['src/risk/a.ts', "import '../../actors/guard.ts';"],
  ['src/risk/b.ts', "import '../venues/venue.ts';"],
  ['src/execution/a.ts', "import '../venues/lighter/parse.ts';"],
  ['src/execution/b.ts', "import '../observe/log.ts';"],
  ['actors/a.ts', "import '../src/ports/live/http-port.ts';"],
  ['actors/b.ts', "import '../src/storage/journal.ts';"],
  ['actors/c.ts', "import '../src/simulation/scheduler.ts';"],
  ['actors/deep/d.ts', "import '../../src/main.ts';"],
  ['src/control/a.ts', "import '../../actors/position.ts';"],
  ['src/control/b.ts', "export { position } from '../../actors/position.ts';"],
  ['src/control/c.ts', "export const late = import('../../actors/position.ts');"],
  ['src/simulation/scheduler.ts', "import '../../actors/position.ts';"],
  ['src/venues/lighter/a.ts', "import '../extended/parse.ts';"],
  ['src/venues/extended/deep/a.ts', "import type { T } from '../../lighter/parse.ts';\nexport type U = T;"],
  ['src/observe/a.ts', "import '../main.ts';"],
  ['src/cli/bench.ts', "import '../main.ts';"],
  ['workers/a.ts', "import '../src/main.ts';"],
];

const allowed: readonly (readonly [from: string, source: string])[] = [
  ['src/runtime/z.ts', "import './actor.ts';\nimport 'msgpackr';"],
  ['src/money/z.ts', "import './units.ts';\nimport 'node:assert/strict';"],
  ['src/market/z.ts', "import '../money/units.ts';"],
  ['src/risk/z.ts', "import '../market/book.ts';\nimport type { T } from '../venues/venue.ts';\nexport type U = T;"],
  [
    'actors/z.ts',
    "import '../src/runtime/actor.ts';\nimport '../src/strategy/entry.ts';\nimport '../src/venues/venues.ts';",
  ],
  [
    'actors/deep/y.ts',
    "import type { T } from '../../src/ports/ports.ts';\nimport '../journal-messages.ts';\nexport type U = T;",
  ],
  ['actors/x.ts', "import { type T } from '../src/storage/rows.ts';\nexport type U = T;"],
  ['src/control/z.ts', "import type { T } from '../../actors/position-messages.ts';\nexport type U = T;"],
  ['src/simulation/world.ts', "import '../../actors/position.ts';"],
  ['src/main.ts', "import '../actors/position.ts';\nimport './control/server.ts';"],
  ['src/cli/start.ts', "export const late = () => import('../main.ts');"],
  ['src/venues/lighter/z.ts', "import '../venue.ts';\nimport './parse.ts';\nimport '../../simulation/exchange.ts';"],
  ['workers/z.ts', "import '../actors/position.ts';\nimport '../src/runtime/actor.ts';"],
  ['test/z.ts', "import '../src/main.ts';\nimport '../src/venues/lighter/parse.ts';"],
];

describe('the direction of imports', () => {
  let complaints: readonly Complaint[] = [];
  beforeAll(async () => {
    complaints = await lintPlanted(
      Object.fromEntries([...forbidden, ...allowed].map(([from, source]) => [from, `${source}\n`])),
    );
  });
  const messagesFor = (file: string) =>
    complaints
      .filter((complaint) => complaint.file === file && complaint.rule === 'tandem(import-direction)')
      .map((complaint) => complaint.message);

  it.each(forbidden)('%s must not say %s', (from) => {
    expect(messagesFor(from)).toHaveLength(1);
    expect(messagesFor(from)[0]).toMatch(new RegExp(`^${from} must not import .+: .+`));
  });

  it.each(allowed)('%s may say %s', (from) => {
    expect(messagesFor(from)).toEqual([]);
  });
});
