import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { commonStep } from '../../src/market/instrument-match.ts';
import type { Instrument } from '../../src/market/instrument.ts';
import { notionalMicroAtNano } from '../../src/money/amounts.ts';
import { leastSteps, lotsOf, sizePair, stepNotionalMicro } from '../../src/strategy/sizing.ts';
import type { SizingInput, SizingLeg } from '../../src/strategy/sizing.ts';
import { Example } from '../examples.ts';
import { instrument, lots, micro } from '../market/instruments.ts';
import { propertyRuns } from '../property-runs.ts';

const markNano = 61_234_500_000_000n;
const policy: SizingInput['policy'] = {
  maxNotionalQuote: 2_500,
  capitalShare: 1,
  volumeFraction: 0.001,
  depthFraction: 0.2,
  maxStepNotionalShare: 1,
  marginBuffer: 0.3,
};
function sizing(
  changes: {
    readonly long?: Partial<Instrument>;
    readonly short?: Partial<Instrument>;
    readonly leg?: Partial<SizingLeg>;
    readonly input?: Partial<SizingInput>;
    readonly policy?: Partial<SizingInput['policy']>;
  } = {},
): SizingInput {
  const long = instrument({ quantityDecimals: 3, lotUnits: 5, ...changes.long });
  const short = instrument({ quantityDecimals: 3, lotUnits: 2, ...changes.short });
  const step = commonStep(long, short);
  const leg = {
    markNano,
    freeMarginQuote: 100_000,
    leverage: 3,
    usableOpenLots: 100_000,
    usableCloseLots: 100_000,
    ...changes.leg,
  };
  return {
    long: { ...leg, instrument: long, lotsPerStep: step.longLots },
    short: { ...leg, instrument: short, lotsPerStep: step.shortLots },
    equityQuote: 1_000_000,
    headroomQuote: 1_000_000,
    unprovenMaxQuote: Infinity,
    policy: { ...policy, ...changes.policy },
    ...changes.input,
  };
}

describe('EX-12 sizing', () => {
  it('takes 0.04 of a target of 2,500 at 61,234.5', (context) => {
    const input = sizing();
    const sized = sizePair(input);
    const example = new Example('EX-12', context);
    example.is('steps of 0.01 for 2,500 at 61,234.5', 4, sized.sized ? sized.steps : undefined);
    expect(sizePair(input)).toMatchObject({ sized: true, steps: 4, boundBy: 'maxNotional' });
    expect(notionalMicroAtNano(input.long.instrument, markNano, 4 * input.long.lotsPerStep)).toBe(2_449_380_000n);
  });

  it('refuses when either venue wants at least 2,450', (context) => {
    const wants = { minNotionalMicro: micro(2_450_000_000n) };
    const refused = sizePair(sizing({ long: wants }));
    new Example('EX-12', context).is('least notional 2,450', 'SIZE_BELOW_MIN', refused.sized ? 'sized' : refused.code);
    expect(sizePair(sizing({ long: wants }))).toMatchObject({ sized: false, code: 'SIZE_BELOW_MIN' });
    expect(sizePair(sizing({ short: wants }))).toMatchObject({ sized: false, code: 'SIZE_BELOW_MIN' });
  });
});

test.each([
  ['capital', { input: { equityQuote: 1_000 }, policy: { capitalShare: 0.7 } }, 1],
  ['volume', { leg: { volume24hQuote: 700_000 } }, 1],
  ['headroom', { input: { headroomQuote: 1_900 } }, 3],
  ['margin', { leg: { freeMarginQuote: 600 } }, 2],
  ['unproven', { input: { unprovenMaxQuote: 700 } }, 1],
  ['venueMax', { short: { maxNotionalMicro: micro(1_300_000_000n) } }, 2],
  // 14 lots of 0.002 are 2 steps of 0.01 and a part of a third.
  ['venueMax', { short: { maxQuantityLots: lots(14) } }, 2],
  ['depth', { leg: { usableCloseLots: 30 } }, 1],
] as const)('is bound by %s', (boundBy, changes, steps) => {
  expect(sizePair(sizing(changes))).toMatchObject({ sized: true, boundBy, steps });
});

it('never rounds up to reach a minimum, and says what limited it', () => {
  expect(sizePair(sizing({ input: { headroomQuote: 600 } }))).toEqual({
    sized: false,
    code: 'SIZE_BELOW_MIN',
    boundBy: 'headroom',
    detail: '600.00 quote (headroom) is 0 steps < 1 steps that both venues accept',
  });
});

it('refuses a step too coarse for the target', () => {
  expect(sizePair(sizing({ policy: { maxStepNotionalShare: 0.05 } }))).toMatchObject({
    sized: false,
    code: 'STEP_TOO_COARSE',
    detail: 'common step is worth 612.35 > 125.00 quote',
  });
});

it('T3: sizes are whole steps, equal on both legs, legal to open and to close after a fall by a fifth', () => {
  const anyInstrument = fc.record({
    multiplier: fc.constantFrom(1, 1_000),
    quantityDecimals: fc.integer({ min: 0, max: 5 }),
    lotUnits: fc.constantFrom(1, 2, 5, 10, 25),
    minQuantityLots: fc.integer({ min: 1, max: 500 }).map(lots),
    minNotionalMicro: fc.bigInt({ min: 0n, max: 200_000_000n }).map(micro),
  });
  fc.assert(
    fc.property(
      anyInstrument,
      anyInstrument,
      fc.bigInt({ min: 1_000_000n, max: 10n ** 14n }),
      fc.double({ min: 10, max: 1e6, noNaN: true }),
      (long, short, nanoPerBase, targetQuote) => {
        const base = sizing({ long, short, policy: { maxNotionalQuote: targetQuote } });
        const input: SizingInput = {
          ...base,
          long: {
            ...base.long,
            markNano: nanoPerBase * BigInt(long.multiplier),
            usableOpenLots: 1e12,
            usableCloseLots: 1e12,
          },
          short: {
            ...base.short,
            markNano: nanoPerBase * BigInt(short.multiplier),
            usableOpenLots: 1e12,
            usableCloseLots: 1e12,
          },
        };
        const decision = sizePair(input);
        if (!decision.sized) return;
        const step = commonStep(input.long.instrument, input.short.instrument);
        const sized = lotsOf(decision.steps, step);
        for (const [leg, count] of [
          [input.long, sized.long],
          [input.short, sized.short],
        ] as const) {
          expect(count % leg.lotsPerStep).toBe(0);
          expect(count).toBeGreaterThanOrEqual(leg.instrument.minQuantityLots);
          const notional = notionalMicroAtNano(leg.instrument, leg.markNano, leg.lotsPerStep) * BigInt(decision.steps);
          expect(notional * 8n >= leg.instrument.minNotionalMicro * 10n).toBe(true);
        }
        expect(decision.steps).toBeGreaterThanOrEqual(leastSteps(input.long, input.short));
        expect(Number(stepNotionalMicro(input.long, input.short)) * decision.steps).toBeLessThanOrEqual(
          targetQuote * 1e6,
        );
      },
    ),
    propertyRuns(),
  );
});
