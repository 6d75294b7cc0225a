import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DurationHistogram } from '../../src/runtime/duration-histogram.ts';

function recorded(durationsMs: readonly number[]): ReturnType<DurationHistogram['snapshot']> {
  const histogram = new DurationHistogram();
  for (const durationMs of durationsMs) histogram.record(durationMs);
  return histogram.snapshot();
}

describe('a histogram of durations', () => {
  it('is all zeros before the first', () => {
    expect(recorded([])).toEqual({ count: 0, totalMs: 0, maxMs: 0, p50Ms: 0, p99Ms: 0 });
  });

  it('puts percentiles at most a quarter, or a microsecond, above the truth and never below it', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 0, max: 400_000, noNaN: true }), { minLength: 1, maxLength: 300 }),
        (durationsMs) => {
          const sorted = [...durationsMs].sort((left, right) => left - right);
          const snapshot = recorded(durationsMs);
          for (const [fraction, shown] of [
            [0.5, snapshot.p50Ms],
            [0.99, snapshot.p99Ms],
          ] as const) {
            const exact = sorted[Math.ceil(sorted.length * fraction) - 1] ?? 0;
            expect(shown).toBeGreaterThanOrEqual(exact * (1 - 1e-9));
            expect(shown).toBeLessThanOrEqual(Math.max(exact * 1.25 + 0.001, 0));
          }
          expect(snapshot.maxMs).toBe(sorted.at(-1));
          expect(snapshot.count).toBe(durationsMs.length);
        },
      ),
    );
  });

  it('counts durations beyond its last bucket, and clocks that ran backwards, at its ends', () => {
    expect(recorded([1e12]).p50Ms).toBeGreaterThan(500_000);
    expect(recorded([-1])).toMatchObject({ count: 1, p50Ms: 0 });
  });
});
