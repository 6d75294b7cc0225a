/** As many symbols as a configuration may have, and two accounts of one venue, in virtual time. */
import { expect, it } from 'vitest';
import { madeUpSymbols, playCrowd } from '../engine/crowd.ts';
import { tradedPairs } from '../engine/ledger-check.ts';
import { expectDayExact } from '../engine/played-day.ts';

it('starts with two hundred symbols on two venues, opens many pairs with main and mirror account, and ends exact', () => {
  const day = playCrowd(24, { symbols: madeUpSymbols(200), calendar: { scale: 144 } });
  expectDayExact(day);
  const pairs = tradedPairs(day.rows).filter(({ fundingPayments }) => fundingPayments > 0);
  expect(new Set(pairs.map(({ base }) => base)).size).toBeGreaterThan(50);
  const accounts = day.oracles.get('lighter')?.accounts;
  for (const name of ['main', 'mirror']) expect(accounts?.get(name)?.fundingPayments.length).toBeGreaterThan(0);
}, 1_800_000);
