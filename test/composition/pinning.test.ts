import { describe, expect, it } from 'vitest';
import { matchesPath, pinActors } from '../../src/composition/pinning.ts';
import type { ChildSpec, SupervisorSpec } from '../../src/runtime/child-spec.ts';

const actor = (id: string, thread: string): ChildSpec => ({
  type: 'actor',
  id,
  kind: id.split('/')[0] ?? id,
  args: {},
  thread,
});
const tree: SupervisorSpec = {
  type: 'supervisor',
  id: 'root',
  children: [
    actor('journal', 'store'),
    {
      type: 'supervisor',
      id: 'positions',
      children: [actor('position/BTC', 'trading-0'), actor('position/ETH', 'trading-0')],
    },
  ],
};

function threadsOf(spec: ChildSpec): Readonly<Record<string, string | undefined>> {
  return spec.type === 'actor' ? { [spec.id]: spec.thread } : Object.assign({}, ...spec.children.map(threadsOf));
}

const trading = ({ thread = '' }: { readonly thread?: string }): readonly string[] =>
  thread === 'store' ? ['store'] : ['trading-0', 'trading-1'];

describe('pinning', () => {
  it('leaves a tree without rules as it is', () => {
    expect(pinActors(tree, [], trading)).toEqual(tree);
  });

  it('follows the first rule that matches', () => {
    const pinned = pinActors(
      tree,
      [
        { paths: 'position/BTC', thread: 'trading-0' },
        { paths: 'position/*', thread: 'trading-1' },
      ],
      trading,
    );
    expect(threadsOf(pinned)).toEqual({ journal: 'store', 'position/BTC': 'trading-0', 'position/ETH': 'trading-1' });
  });

  it('refuses a rule that matches nobody', () => {
    expect(() => pinActors(tree, [{ paths: 'position/X*', thread: 'trading-1' }], trading)).toThrow(
      'placement must name paths of actors, "position/X*" matches none that an earlier rule left',
    );
  });

  it('refuses a thread that cannot run the actor', () => {
    expect(() => pinActors(tree, [{ paths: 'position/*', thread: 'io-0' }], trading)).toThrow(
      'placement of "position/*" must be a thread that can run position/BTC (trading-0, trading-1), was "io-0"',
    );
  });
});

describe('a path pattern', () => {
  it.each([
    ['position/BTC', 'position/BTC', true],
    ['position/BTC', 'position/BTCX', false],
    ['*', '', true],
    ['position/*', 'position/', true],
    ['position/*', 'guard', false],
    ['*:main', 'connector/lighter:main', true],
    ['c*:*n', 'connector/lighter:main', true],
    ['ab*ba', 'aba', false],
    ['a*b*c', 'axxbyyc', true],
    ['a*b*c', 'acb', false],
  ])('%s and %s: %s', (pattern, path, matches) => {
    expect(matchesPath(pattern, path)).toBe(matches);
  });
});
