import { describe, expect, it } from 'vitest';
import { addToClaim, meetClaim, takenBack } from '../../src/execution/late-fills.ts';

const AT_MS = 1_000;
const booked = addToClaim(undefined, 'P-1', -5, AT_MS);

describe('lots booked before their fills', () => {
  it('are not counted twice as long as no fill tells them', () => {
    expect(takenBack(booked, 5)).toBe(0);
  });

  it('are given back as far as fills told them again, and no further', () => {
    const met = meetClaim(meetClaim(booked, -2, AT_MS), -2, AT_MS - 500);
    expect([1, 4, 9, -4].map((change) => takenBack(met, change))).toEqual([1, 4, 4, 0]);
    expect(takenBack(meetClaim(met, -50, AT_MS), 9)).toBe(5);
  });

  it('are not what was traded later, or the other way', () => {
    expect(meetClaim(booked, -5, AT_MS + 1)).toBe(booked);
    expect(meetClaim(booked, 5, AT_MS)).toBe(booked);
  });

  it('are told in parts: what was given back can be told no more', () => {
    const part = addToClaim(meetClaim(booked, -2, AT_MS), 'P-1', 2, AT_MS + 10);
    expect(part).toEqual({ pairId: 'P-1', lots: -3, metLots: 0, atMs: AT_MS + 10 });
    const whole = addToClaim(meetClaim(part, -3, AT_MS), 'P-1', 3, AT_MS + 20);
    expect(whole).toMatchObject({ lots: 0, metLots: 0 });
    expect(meetClaim(whole, -5, AT_MS)).toBe(whole);
  });

  it('are those of the newest pair of a leg', () => {
    expect(addToClaim(meetClaim(booked, -2, AT_MS), 'P-2', 3, AT_MS)).toEqual({
      pairId: 'P-2',
      lots: 3,
      metLots: 0,
      atMs: AT_MS,
    });
  });
});
