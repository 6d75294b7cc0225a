import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { judgeRotation, noRotation, rotationGain, weakestPair } from '../../src/strategy/rotation.ts';
import type { HeldPair, RotationPolicy, RotationWatch } from '../../src/strategy/rotation.ts';

const HOUR_MS = 3_600_000;
const policy: RotationPolicy = { marginQuote: 1, perDay: 2, confirmMs: 60_000, minHoldHours: 8 };
const held = (changes: Partial<HeldPair> = {}): HeldPair => ({
  base: 'ETH',
  pairId: 'p1',
  openedAtMs: 0,
  holdQuote: 3,
  exitCostQuote: 2,
  ...changes,
});
const offer = (expectedValueQuote: number, pair = held()) => ({
  held: pair,
  replacement: { name: 'BTC a/b', expectedValueQuote },
});
const judge = (
  watch: RotationWatch,
  offered: ReturnType<typeof offer> | undefined,
  monotonicMs: number,
  rotated: readonly number[] = [],
) => judgeRotation(watch, offered, policy, rotated, { nowMs: 100 * HOUR_MS, monotonicMs });

describe('a rotation', () => {
  it('gains what the new pair brings, less what staying would and what leaving costs', () => {
    expect(rotationGain(held(), { name: '', expectedValueQuote: 6.5 })).toBe(1.5);
  });

  it('is asked for only above its margin, and after that has lasted', () => {
    expect(judge(noRotation, offer(6), 0).watch).toEqual(noRotation);
    const { watch, detail } = judge(noRotation, offer(6.001), 0);
    expect(detail).toBeUndefined();
    expect(judge(watch, offer(6.001), 59_999).detail).toBeUndefined();
    expect(judge(watch, offer(6.001), 60_000).detail).toBe(
      'BTC a/b brings 6.001, staying 3.000, leaving costs 2.000: more than 1.000 gained, 1 of 2 today',
    );
  });

  it('starts over after a break, and for another pair', () => {
    const { watch } = judge(noRotation, offer(9), 0);
    const broken = judge(watch, offer(5), 30_000).watch;
    expect(judge(broken, offer(9), 60_000).detail).toBeUndefined();
    expect(judge(watch, offer(9, held({ pairId: 'p2' })), 60_000).detail).toBeUndefined();
    expect(judge(watch, undefined, 60_000).watch).toEqual(noRotation);
  });

  it('stays within the budget of 24 hours', () => {
    const since: RotationWatch = { pairId: 'p1', sinceMs: 0 };
    expect(judge(since, offer(9), 60_000, [80 * HOUR_MS, 90 * HOUR_MS]).detail).toBeUndefined();
    expect(judge(since, offer(9), 60_000, [76 * HOUR_MS, 90 * HOUR_MS]).detail).toContain('2 of 2 today');
  });

  it('never pays for itself by going back and forth: what it costs is in the rule both ways', () => {
    const quote = fc.double({ min: -50, max: 50, noNaN: true });
    const cost = fc.double({ min: 0, max: 20, noNaN: true });
    fc.assert(
      fc.property(quote, cost, quote, cost, (hold, exit, otherHold, otherCost) => {
        // Another pair with round-trip cost `otherCost` would be worth `otherHold` if it were held already.
        const there = rotationGain(held({ holdQuote: hold, exitCostQuote: exit }), {
          name: '',
          expectedValueQuote: otherHold - otherCost,
        });
        const back = rotationGain(held({ holdQuote: otherHold, exitCostQuote: otherCost / 2 }), {
          name: '',
          expectedValueQuote: hold - 2 * exit,
        });
        expect(there > 0 && back > 0).toBe(false);
      }),
    );
  });
});

it('the weakest pair costs least to leave, and has been held long enough', () => {
  const pairs = [
    held({ holdQuote: 5 }),
    held({ pairId: 'p2', exitCostQuote: 1 }),
    held({ pairId: 'p3', holdQuote: -9 }),
  ];
  expect(weakestPair(pairs, policy, 8 * HOUR_MS)?.pairId).toBe('p3');
  const young = pairs.map((pair) => (pair.pairId === 'p3' ? { ...pair, openedAtMs: 1 } : pair));
  expect(weakestPair(young, policy, 8 * HOUR_MS)?.pairId).toBe('p2');
  expect(weakestPair([], policy, 0)).toBeUndefined();
});
