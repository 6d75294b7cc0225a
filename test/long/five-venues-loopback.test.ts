/** Nine minutes of five venues and fifty symbols on loopback: the engine on threads, every venue behind real sockets, with faults. */
import { expect, it } from 'vitest';
import { FIVE_VENUES, expectHourExact, fiveVenuesConfig } from '../engine/five-venues.ts';
import { tradedPairs } from '../engine/ledger-check.ts';
import { playOnLoopback } from '../engine/loopback-hour.ts';
import { SeededFaults } from '../engine/seeded-faults.ts';

const SYMBOLS = 50;
/** Bybit settles within them, whenever the engine is ready. */
const HOURS = 9;
/** Real ms they take. */
const SPAN_MS = 540_000;
/** So many of all faults that an engine on a busy machine also has time to trade. */
const SHARE = 0.25;
const TRADE = { type: 'set-engine-state', state: 'TRADING', reason: 'looked at it: faults were ordered' } as const;
const LOOK_MS = 60_000;

it('ends with the ledger equal to every venue, no limit exceeded, and pairs opened at all five', async () => {
  const config = fiveVenuesConfig(SYMBOLS, { calendar: { scale: (HOURS * 3_600_000) / SPAN_MS } });
  const faults = new SeededFaults(1, FIVE_VENUES, SPAN_MS - 20_000, SHARE);
  let lookedMs = 0;
  const day = await playOnLoopback(config, {
    hours: HOURS,
    between: ({ accounts, system }, oracles, atMs) => {
      faults.look(oracles, atMs);
      for (const { venue, fault, options } of faults.due(atMs)) accounts.inject(venue, fault, options);
      if (atMs - lookedMs < LOOK_MS) return;
      lookedMs = atMs;
      system.tell('guard', TRADE);
    },
  });
  expectHourExact({ day, faults });
  const pairs = tradedPairs(day.rows);
  expect(new Set(pairs.map(({ base }) => base)).size).toBeGreaterThan(SYMBOLS / 4);
  expect(pairs.some(({ fundingPayments }) => fundingPayments > 0)).toBe(true);
}, 1_800_000);
