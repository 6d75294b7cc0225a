import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RateLimiter, shareOf } from '../../src/venues/rate-limiter.ts';
import type { RequestPriority } from '../../src/venues/rate-limiter.ts';
import { propertyRuns } from '../property-runs.ts';

const bucket = { name: 'rest', max: 1_000, windowMs: 60_000 };

describe('rate limiter', () => {
  it('T8: never lets more than its share through in any sliding window, for any mix of weights and priorities', () => {
    const request = fc.record({
      gapMs: fc.integer({ min: 0, max: 5_000 }),
      weight: fc.integer({ min: 1, max: 60 }),
      priority: fc.integer({ min: 0, max: 5 }) as fc.Arbitrary<RequestPriority>,
    });
    fc.assert(
      fc.property(fc.array(request, { maxLength: 400 }), (requests) => {
        const limiter = new RateLimiter(bucket);
        const sent: { atMs: number; weight: number }[] = [];
        let nowMs = 1_000;
        for (const { gapMs, weight, priority } of requests) {
          nowMs += gapMs;
          if (limiter.acquire(weight, priority, nowMs) === 0) sent.push({ atMs: nowMs, weight });
        }
        for (const last of sent) {
          const inWindow = sent.filter((other) => other.atMs <= last.atMs && other.atMs >= last.atMs - bucket.windowMs);
          expect(inWindow.reduce((sum, other) => sum + other.weight, 0)).toBeLessThanOrEqual(bucket.max * 0.8);
        }
      }),
      propertyRuns(),
    );
  });

  it('keeps room for cancels when opens have used all they may', () => {
    const limiter = new RateLimiter(bucket);
    let opens = 0;
    while (limiter.acquire(10, 3, 0) === 0) opens += 10;
    expect(opens).toBe(150);
    expect(limiter.acquire(10, 0, 0)).toBe(0);
  });

  it('T8: never has cancels and closes wait behind opens, snapshots and market data, however many of those there are', () => {
    const request = fc.record({
      gapMs: fc.integer({ min: 0, max: 2_000 }),
      weight: fc.integer({ min: 1, max: 60 }),
      priority: fc.constantFrom<RequestPriority>(3, 4, 5),
    });
    fc.assert(
      fc.property(fc.array(request, { maxLength: 400 }), fc.integer({ min: 1, max: 200 }), (requests, weight) => {
        const limiter = new RateLimiter(bucket);
        let nowMs = 0;
        for (const { gapMs, weight: other, priority } of requests) {
          nowMs += gapMs;
          limiter.acquire(other, priority, nowMs);
        }
        expect(limiter.acquire(weight, 0, nowMs)).toBe(0);
      }),
      propertyRuns(),
    );
  });

  it('EX-16: of 24,000 weight a minute, polls of weight 300 may be refreshed at most 8 times, snapshots 4 times', () => {
    const limits = { name: 'rest', max: 24_000, windowMs: 60_000 };
    const passed = (priority: RequestPriority): number => {
      const limiter = new RateLimiter(limits);
      let calls = 0;
      while (limiter.acquire(300, priority, calls * 500) === 0) calls += 1;
      return calls;
    };
    // Usable is half: 12,000, of which market data may have 20 % and snapshots 10 %.
    expect(passed(5)).toBe(Math.floor((12_000 * 0.2) / 300));
    expect(passed(4)).toBe(Math.floor((12_000 * 0.1) / 300));
    // Ten symbols refreshed by one call each cost 3,000: a cadence of 500 ms is out of reach.
    const limiter = new RateLimiter(limits);
    let refreshes = 0;
    while (limiter.acquire(3_000, 2, refreshes * 500) === 0) refreshes += 1;
    expect(refreshes).toBeLessThanOrEqual(4);
  });

  it('names the wait after which the same request may go, and lets it go then', () => {
    const limiter = new RateLimiter(bucket);
    while (limiter.acquire(100, 0, 500) === 0);
    const waitMs = limiter.acquire(100, 0, 600);
    expect(waitMs).toBeGreaterThan(0);
    expect(limiter.acquire(100, 0, 600 + waitMs + 1)).toBe(0);
  });

  it('is silent until the end the venue stated, whatever is free', () => {
    const limiter = new RateLimiter(bucket);
    limiter.silence(5_000);
    expect(limiter.acquire(1, 0, 1_000)).toBe(4_000);
    expect(limiter.freeShare(0, 1_000)).toBe(0);
    expect(limiter.acquire(1, 0, 5_000)).toBe(0);
  });

  it('lets one request through that alone is heavier than its class share', () => {
    const limiter = new RateLimiter({ name: 'rest', max: 60, windowMs: 60_000 });
    expect(limiter.acquire(10, 4, 0)).toBe(0);
    expect(limiter.acquire(10, 4, 0)).toBeGreaterThan(0);
  });

  it('keeps room for hedges when queries have used all they may, and for closes when hedges have', () => {
    const limiter = new RateLimiter(bucket);
    while (limiter.acquire(10, 2, 0) === 0);
    expect(limiter.acquire(10, 1, 0)).toBe(0);
    while (limiter.acquire(10, 1, 0) === 0);
    expect(limiter.acquire(10, 0, 0)).toBe(0);
  });

  it('counts what an earlier life may have sent until the window is over', () => {
    const limiter = new RateLimiter(bucket);
    limiter.book(700, 0);
    expect(limiter.acquire(1, 3, 100)).toBeGreaterThan(0);
    expect(limiter.acquire(100, 0, 100)).toBe(0);
    expect(limiter.acquire(1, 0, 100)).toBeGreaterThan(0);
    expect(limiter.acquire(1, 3, 60_101)).toBe(0);
    expect(limiter.used(60_101)).toBe(1);
  });

  it('says for how long it stays silent', () => {
    const limiter = new RateLimiter(bucket);
    expect(limiter.silentForMs(0)).toBe(0);
    limiter.silence(5_000);
    limiter.silence(3_000);
    expect(limiter.silentForMs(1_000)).toBe(4_000);
    expect(limiter.silentForMs(5_000)).toBe(0);
  });

  it('slows only opening and market data where a ramp allows less', () => {
    const passed = (priority: RequestPriority, share: number): number => {
      const limiter = new RateLimiter(bucket);
      limiter.setUsable(share);
      let weight = 0;
      while (limiter.acquire(1, priority, 0) === 0) weight += 1;
      return weight;
    };
    expect([0, 1, 2, 3, 4, 5].map((priority) => passed(priority as RequestPriority, 0.1))).toEqual([
      800, 750, 600, 30, 50, 20,
    ]);
    expect([3, 4, 5].map((priority) => passed(priority as RequestPriority, 0.5))).toEqual([150, 50, 100]);
    expect(() => new RateLimiter(bucket).setUsable(0.6)).toThrow('must be above 0 and at most 0.5, was 0.6');
  });

  it('lets fewer than four fifths of what may be unanswered be so, until one is settled', () => {
    const limiter = new RateLimiter({ ...bucket, inFlightMax: 50 });
    let inFlight = 0;
    while (limiter.acquire(1, 0, 0, true) === 0) inFlight += 1;
    expect(inFlight).toBe(39);
    expect(limiter.acquire(1, 0, 0)).toBe(0);
    limiter.settled();
    expect(limiter.acquire(1, 0, 0, true)).toBe(0);
    expect(limiter.view(0)).toMatchObject({ inFlight: 39, inFlightMax: 50, used: 41 });
  });

  it('books what the venue counted and we did not send, and nothing for what is ours', () => {
    const limiter = new RateLimiter({ name: 'rest', max: 50, windowMs: 1_000 });
    for (let sent = 0; sent < 5; sent++) limiter.acquire(1, 2, 100);
    const used = limiter.used(100);
    // Two more left while the answer was under way; the venue had counted them already.
    limiter.acquire(2, 2, 110);
    limiter.hear({ bucket: 'rest', usedShare: 7 / 50, granted: 1 }, { atMs: 100, used }, 130);
    expect(limiter.used(130)).toBe(7);
    limiter.hear({ bucket: 'rest', usedShare: 17 / 50, granted: 1 }, { atMs: 100, used }, 130);
    expect(limiter.used(130)).toBe(17);
  });

  it('keeps to a lowered limit for as long as the venue names it', () => {
    const limiter = new RateLimiter({ name: 'rest', max: 50, windowMs: 1_000 });
    const sent = { atMs: 0, used: 0 };
    limiter.hear({ bucket: 'rest', usedShare: 0, granted: 0.2 }, sent, 0);
    let passed = 0;
    while (limiter.acquire(1, 0, 0) === 0) passed += 1;
    expect(passed).toBe(8);
    limiter.hear({ bucket: 'rest', usedShare: 0, granted: 1 }, { atMs: 0, used: 50 }, 0);
    expect(limiter.view(0).max).toBe(50);
  });

  it('of a long window gives no kind of request a part of its own, and keeps what must not wait apart all the same', () => {
    const bucket = { name: 'hour', max: 100, windowMs: 3_600_000 };
    const passed = (limiter: RateLimiter, priority: 0 | 4): number => {
      let count = 0;
      while (limiter.acquire(1, priority, 0) === 0) count += 1;
      return count;
    };
    expect(passed(new RateLimiter(bucket), 4)).toBe(5);
    const undivided = new RateLimiter({ ...bucket, isUndivided: true });
    expect(passed(undivided, 4)).toBe(50);
    expect(passed(undivided, 0)).toBe(30);
  });

  it('gives each of the accounts behind one address its part of what the address may', () => {
    const shared = { name: 'messages', max: 200, windowMs: 60_000, per: 'address', inFlightMax: 50 } as const;
    expect(shareOf(shared, 3)).toMatchObject({ max: 66, inFlightMax: 16 });
    expect(shareOf({ ...shared, per: 'account' }, 3).max).toBe(200);
  });

  it('refuses a limit that cannot be kept', () => {
    expect(() => new RateLimiter({ name: 'rest', max: 0, windowMs: 1 })).toThrow(
      'limit rest must have a positive max and window, was 0 per 1 ms',
    );
  });
});
