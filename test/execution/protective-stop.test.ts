import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { OrderInput, OrderState } from '../../src/execution/order-state.ts';
import { decideStop } from '../../src/execution/protective-stop.ts';
import type { StopLeg } from '../../src/execution/protective-stop.ts';
import { changesOf, expectDrawn } from '../drawn-table.ts';
import { propertyRuns } from '../property-runs.ts';
import { ended, order } from './pair-views.ts';

const policy = { distance: 0.05, reachBps: 100 };
const HOUR_MS = 3_600_000;

const long: StopLeg = {
  side: 'long',
  lots: 33,
  markPrice: 60_000,
  liquidationDistance: 0.3,
  tickSize: 0.1,
  stops: [],
  nowMs: HOUR_MS,
};
const short: StopLeg = { ...long, side: 'short' };

const waits: readonly OrderInput[] = [{ type: 'handed-over' }];
function stop(inputs: readonly OrderInput[], ticks: number, fields: Parameters<typeof order>[3] = {}): OrderState {
  return order('long', 'protect', inputs, {
    trigger: { ticks, direction: 'fall' },
    plannedAtMs: HOUR_MS,
    restsUntilMs: 25 * HOUR_MS,
    ...fields,
  });
}

describe('where a stop stands', () => {
  it('is where the policy’s distance to the liquidation is left, and pays no further than it may', () => {
    // Liquidation at 42,000 and at 78,000.
    expect(decideStop(long, true, policy)).toEqual({
      action: 'place',
      stop: { side: 'sell', lots: 33, direction: 'fall', triggerTicks: 442_105, limitTicks: 437_684 },
    });
    expect(decideStop(short, true, policy)).toEqual({
      action: 'place',
      stop: { side: 'buy', lots: 33, direction: 'rise', triggerTicks: 742_857, limitTicks: 750_285 },
    });
  });

  it('is always between mark and liquidation, with the distance left at it', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(long, short),
        fc.integer({ min: 60, max: 900 }),
        fc.integer({ min: 1, max: 9_000_000 }),
        (leg, permille, cents) => {
          const markPrice = cents / 100 + 100;
          const liquidationDistance = permille / 1_000;
          const decision = decideStop({ ...leg, markPrice, liquidationDistance, tickSize: 1e-6 }, true, policy);
          if (decision.action !== 'place') throw new Error('a stop was expected');
          const trigger = decision.stop.triggerTicks * 1e-6;
          const liquidation = markPrice * (leg.side === 'long' ? 1 - liquidationDistance : 1 + liquidationDistance);
          expect(Math.abs(trigger - liquidation) / trigger).toBeCloseTo(0.05, 6);
          expect(leg.side === 'long' ? trigger < markPrice : trigger > markPrice).toBe(true);
          expect(leg.side === 'long' ? trigger > liquidation : trigger < liquidation).toBe(true);
        },
      ),
      propertyRuns(),
    );
  });

  it.each([
    ['the pair is not open', long, false, policy],
    ['stops are turned off', long, true, { ...policy, distance: 0 }],
    ['nothing is held', { ...long, lots: 0 }, true, policy],
    ['no mark was seen', { ...long, markPrice: undefined }, true, policy],
    ['the liquidation is not known', { ...long, liquidationDistance: undefined }, true, policy],
    ['the leg is that near already', { ...long, liquidationDistance: 0.05 }, true, policy],
  ] as const)('is nowhere when %s', (_, leg, isOpen, rules) => {
    expect(decideStop(leg, isOpen, rules)).toEqual({ action: 'keep' });
  });
});

describe('a stop that waits', () => {
  it.each([
    ['is left alone while it is right', stop(waits, 442_105), long, true, 'keep'],
    ['is left alone by a tremble of the balance', stop(waits, 442_105 - 5_000), long, true, 'keep'],
    [
      'is left alone while nobody knows where it should be',
      stop(waits, 1),
      { ...long, markPrice: undefined },
      true,
      'keep',
    ],
    ['is ended when its leg has another size', stop(waits, 442_105, { lots: 32 }), long, true, 'cancel'],
    ['is ended when the liquidation has moved', stop(waits, 442_105 - 7_000), long, true, 'cancel'],
    ['is ended when half its time is over', stop(waits, 442_105), { ...long, nowMs: 14 * HOUR_MS }, true, 'cancel'],
    ['is ended with the pair', stop(waits, 442_105), long, false, 'cancel'],
    ['is asked to end once', stop([...waits, { type: 'cancel-requested' }], 442_105), long, false, 'keep'],
    [
      'is waited for while nobody knows what became of it',
      stop([...waits, { type: 'unanswered' }], 442_105),
      long,
      true,
      'keep',
    ],
  ] as const)('%s', (_, one, leg, isOpen, action) => {
    expect(decideStop({ ...leg, stops: [one] }, isOpen, policy).action).toBe(action);
  });

  it('is followed by another one only after its end', () => {
    const moved = { ...long, liquidationDistance: 0.25 };
    const ending = stop([...waits, { type: 'cancel-requested' }], 442_105);
    expect(decideStop({ ...moved, stops: [ending] }, true, policy).action).toBe('keep');
    const gone = stop(ended(0), 442_105);
    expect(decideStop({ ...moved, stops: [gone] }, true, policy).action).toBe('place');
  });

  it('is one: a second live one is not kept, whichever it is', () => {
    const both = [stop(waits, 442_105), stop(waits, 442_105)];
    const decision = decideStop({ ...long, stops: both }, true, policy);
    expect(decision).toEqual({ action: 'cancel', clientOrderIds: both.map(({ planned }) => planned.clientOrderId) });
  });
});

it('what is done about a stop is what its table says', () => {
  interface Sample {
    readonly name: string;
    readonly stops: readonly OrderState[];
  }
  const samples: Readonly<Record<string, Sample>> = {
    none: { name: 'none', stops: [] },
    waiting: { name: 'waiting', stops: [stop(waits, 442_105)] },
    ending: { name: 'ending', stops: [stop([...waits, { type: 'cancel-requested' }], 442_105)] },
    ended: { name: 'ended', stops: [stop(ended(0), 442_105)] },
  };
  const seen =
    (leg: StopLeg, isOpen: boolean) =>
    (sample: Sample): Sample => {
      const { action } = decideStop({ ...leg, stops: sample.stops }, isOpen, policy);
      if (action === 'keep') return sample;
      return { ...sample, name: action === 'place' ? 'placed' : 'ending' };
    };
  const onlyOf =
    (name: string, play: (sample: Sample) => Sample) =>
    (sample: Sample): Sample =>
      sample.name === name ? play(sample) : sample;
  const changes = changesOf<Sample>(
    samples,
    {
      'pair open': seen(long, true),
      'leg resized': onlyOf('waiting', seen({ ...long, lots: 12 }, true)),
      'liquidation moved': onlyOf('waiting', seen({ ...long, liquidationDistance: 0.25 }, true)),
      'half its time over': onlyOf('waiting', seen({ ...long, nowMs: 14 * HOUR_MS }, true)),
      'pair leaves': seen(long, false),
    },
    ({ name }) => name,
  );
  expectDrawn('src/execution/protective-stop.ts', changes);
});
