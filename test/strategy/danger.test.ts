import { Decimal } from 'decimal.js';
import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { dangerOf, noDanger } from '../../src/strategy/danger.ts';
import type { Danger } from '../../src/strategy/danger.ts';
import type { ExitInput, ExitLeg } from '../../src/strategy/exit-decision.ts';
import { defaultArgs } from '../actors/position-world.ts';
import { changesOf, expectDrawn } from '../drawn-table.ts';

const rules = defaultArgs.exits;
const policy = { ...rules, exit: { ...rules.exit, stopLossPct: 2, takeProfitQuote: 10 } };
const leg = (venue: string, liquidationDistance: number | undefined): ExitLeg => ({
  venue,
  confirmedQuantity: 1,
  notionalQuote: 1_000,
  markPrice: 100,
  liquidationDistance,
  maintenance: 0.012,
  adlRank: undefined,
  profitQuote: 0,
  darkForMs: 0,
  funding: undefined,
  predictionKey: '',
});
const input = (changes: Partial<ExitInput> = {}): ExitInput => ({
  nowMs: 0,
  monotonicMs: 0,
  openedAtMs: 0,
  long: leg('a', 0.3),
  short: leg('b', 0.3),
  flatten: undefined,
  manual: false,
  executableQuote: 0,
  exitCostQuote: 1,
  feesQuote: 1,
  quoteGap: 0,
  reducible: true,
  rotation: undefined,
  capitalQuote: 1_000,
  ...changes,
});

describe('the danger of a pair', () => {
  test.each([
    ['calm', 'none', input()],
    ['calm', 'liquidation', input({ short: leg('b', 0.176) })],
    ['busy', 'liquidation', input({ short: leg('b', 0.174) })],
    ['urgent', 'liquidation', input({ long: leg('a', 0.129) })],
    ['busy', 'stop-loss', input({ executableQuote: -10.1 })],
    ['urgent', 'stop-loss', input({ executableQuote: -16.1 })],
    ['busy', 'take-profit', input({ executableQuote: 5.1 })],
    ['urgent', 'take-profit', input({ executableQuote: 99 })],
    ['calm', 'none', input({ executableQuote: undefined, long: leg('a', undefined), short: leg('b', undefined) })],
  ] as const)('is %s, nearest to %s', (level, of, given) => {
    expect(dangerOf(noDanger, given, policy)).toMatchObject({ level, of });
  });

  it('is the way gone from the distance of a new leg to the critical one', () => {
    fc.assert(
      fc.property(fc.double({ min: 0.1, max: 0.25, noNaN: true }), (distance) => {
        const share = new Decimal('0.25').minus(distance).div(new Decimal('0.25').minus('0.1'));
        expect(dangerOf(noDanger, input({ short: leg('b', distance) }), policy).share).toBeCloseTo(Number(share), 9);
      }),
    );
  });

  it('does not tremble: a level ends a little below where it began', () => {
    const at = (before: Danger, executableQuote: number): Danger =>
      dangerOf(before, input({ executableQuote }), policy);
    const urgent = at(noDanger, -16.1);
    expect(at(urgent, -15.1).level).toBe('urgent');
    expect(at(urgent, -14.9).level).toBe('busy');
    expect(at(at(urgent, -14.9), -15.9).level).toBe('busy');
    expect(at(at(noDanger, -10.1), -9.1).level).toBe('busy');
    expect(at(at(noDanger, -10.1), -8.9).level).toBe('calm');
  });
});

it('a level of danger changes as its table says', () => {
  const at = (level: Danger['level'], share: number): Danger =>
    dangerOf({ level, of: 'stop-loss', share: 0 }, input({ executableQuote: -20 * share }), policy);
  const changes = changesOf<Danger['level']>(
    { calm: 'calm', busy: 'busy', urgent: 'urgent' },
    {
      'half the way gone': (level) => (level === 'calm' ? at(level, 0.5).level : level),
      'a little less than half gone': (level) => (level === 'busy' ? at(level, 0.46).level : level),
      'four fifths gone': (level) => at(level, 0.8).level,
      'a little less than four fifths gone': (level) => (level === 'urgent' ? at(level, 0.76).level : level),
      'less than three quarters gone': (level) => (level === 'urgent' ? at(level, 0.74).level : level),
      'less than 45 % gone': (level) => at(level, 0.44).level,
    },
    (level) => level,
  );
  expectDrawn('src/strategy/danger.ts', changes);
});
