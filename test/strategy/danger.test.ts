import { Decimal } from 'decimal.js';
import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { DANGER_TOLD_AFTER_MS, dangerOf, noDanger, noDangerNews, noteDanger } from '../../src/strategy/danger.ts';
import type { Danger, DangerLevel } from '../../src/strategy/danger.ts';
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

describe('the danger that is told', () => {
  /** Plays levels, each for so many ms, evaluated every 50 ms; returns what was told and when. */
  function told(...played: readonly (readonly [DangerLevel, number])[]): readonly string[] {
    const lines: string[] = [];
    let news = noDangerNews;
    let atMs = 0;
    for (const [level, forMs] of played) {
      for (const untilMs = atMs + forMs; atMs < untilMs; atMs += 50) {
        const next = noteDanger(news, level, atMs);
        if (next.told !== news.told) lines.push(`${news.told} -> ${next.told} at ${atMs}`);
        news = next;
      }
    }
    return lines;
  }

  it('is the one that has lasted, not before', () => {
    expect(told(['calm', 5_000], ['urgent', DANGER_TOLD_AFTER_MS])).toEqual([]);
    expect(told(['calm', 5_000], ['urgent', 20_000])).toEqual(['calm -> urgent at 15000']);
    expect(told(['busy', 9_000], ['urgent', 20_000], ['calm', 20_000])).toEqual([
      'calm -> busy at 10000',
      'busy -> urgent at 19000',
      'urgent -> calm at 39000',
    ]);
  });

  it('is told once, as the lower one, of a pair that trembles between two, however long', () => {
    const trembling = Array.from({ length: 1_000 }, (_, at) => [at % 2 === 0 ? 'busy' : 'urgent', 250] as const);
    expect(told(...trembling)).toEqual(['calm -> busy at 10000']);
    expect(told(['urgent', 20_000], ...trembling)).toEqual(['calm -> urgent at 10000']);
  });

  it('is not told of one that comes and goes', () => {
    const passing = Array.from({ length: 1_000 }, () => [['urgent', 9_000] as const, ['calm', 50] as const]).flat();
    expect(told(...passing)).toEqual([]);
  });

  it('never takes a step in fewer ms than a level must last', () => {
    const level = fc.constantFrom<DangerLevel>('calm', 'busy', 'urgent');
    const playing = fc.array(
      fc.tuple(
        level,
        fc.integer({ min: 1, max: 400 }).map((steps) => steps * 50),
      ),
      { maxLength: 30 },
    );
    fc.assert(
      fc.property(playing, (played) => {
        const lines = told(...played);
        const lastedMs = played.reduce((sum, [, forMs]) => sum + forMs, 0);
        // Up within one stretch of danger, by one step after the other, each with time of its own; down the same.
        expect(lines.length).toBeLessThanOrEqual(2 * (1 + lastedMs / DANGER_TOLD_AFTER_MS));
      }),
    );
  });
});
