/** A whole recorded day, 2025-07-21: twenty symbols at four venues, the whole engine, 24 hours of virtual time. */
import { beforeAll, describe, expect, it } from 'vitest';
import { expectDayExact, playDay } from '../engine/played-day.ts';
import type { PlayedDay } from '../engine/played-day.ts';
import { badNetwork } from '../engine/bad-network.ts';
import { tradedPairs } from '../engine/ledger-check.ts';
import { hasRecordedDay, recordedDayConfig, recordedDayTape } from '../engine/recorded-day.ts';

const HOURS = 24;
const VENUES = ['bybit', 'extended', 'hyperliquid', 'lighter'];

describe.skipIf(!hasRecordedDay)('a recorded day, twenty symbols at four venues (needs ../shared/data)', () => {
  const config = hasRecordedDay ? recordedDayConfig() : undefined;

  const play = (seed: number, isBad = false): PlayedDay => {
    if (config === undefined) throw new Error('the recordings must be there');
    return playDay(config, {
      seed,
      tape: recordedDayTape(config),
      hours: HOURS,
      ...(isBad ? badNetwork(seed) : {}),
    });
  };

  describe('on a calm network', () => {
    let day: PlayedDay;
    beforeAll(() => {
      day = play(1);
    }, 1_800_000);

    it('ends with every identity exact and the ledger equal to every venue, and nothing broke on the way', () => {
      expectDayExact(day);
    });

    it('opened pairs of many symbols at all four venues, was paid, and left them for more than one reason', () => {
      const pairs = tradedPairs(day.rows);
      const paid = pairs.filter(({ fundingPayments }) => fundingPayments > 0);
      expect(new Set(paid.map(({ base }) => base)).size).toBeGreaterThanOrEqual(15);
      expect([...new Set(paid.flatMap(({ long, short }) => [long, short]))].toSorted()).toEqual(VENUES);
      for (const oracle of day.oracles.values())
        expect(oracle.accounts.get('main')?.fundingPayments.length).toBeGreaterThan(0);
      expect(pairs.map(({ reason }) => reason)).toEqual(expect.arrayContaining(['CARRY_REVERSED', 'MAX_HOLD']));
    });

    it('is the same again, message for message', () => {
      expect(play(1).hash).toBe(day.hash);
    }, 1_800_000);
  });

  it('on a network that drops, delays and loses, ends as exactly', () => {
    const day = play(2, true);
    expectDayExact(day);
    expect(tradedPairs(day.rows).length).toBeGreaterThan(20);
  }, 1_800_000);
});
