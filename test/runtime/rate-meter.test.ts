import { describe, expect, it } from 'vitest';
import { RateMeter } from '../../src/runtime/rate-meter.ts';

describe('a rate meter', () => {
  it('tells the rate since the beginning when asked for the first time', () => {
    expect(new RateMeter().perSecond(2_000, 500)).toBe(250);
  });

  it('forgets what was long ago, however often it is asked', () => {
    const meter = new RateMeter();
    let total = 0;
    for (let atMs = 100; atMs <= 10_000; atMs += 100) meter.perSecond(atMs, (total += 50));
    expect(meter.perSecond(10_000, total)).toBe(500);
    for (let atMs = 10_100; atMs <= 12_000; atMs += 100) meter.perSecond(atMs, total);
    expect(meter.perSecond(12_000, total)).toBe(0);
  });

  it('is 0 where no time has passed', () => {
    expect(new RateMeter().perSecond(0, 10)).toBe(0);
  });
});
