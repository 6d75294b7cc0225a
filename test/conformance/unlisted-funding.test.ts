/** Venues whose API lists no funding payments: none is made up, a person is told before trading, and the wallet shows what moved. */
import { describe, expect, it } from 'vitest';
import { openVenue } from '../../src/venues/registry.ts';
import { ConnectorWorld } from '../actors/connector-world.ts';
import { accountOf, factsOf, venueOf, VENUES } from './venues.ts';

const SCALE = 360;
/** Half a minute of real time before a settlement, with the next adjustment of cash five hours off. */
const STARTS_AT_MS = Date.UTC(2026, 0, 5, 15, 59, 30) - 30_000 * SCALE;
const HOUR_MS = 3_600_000;

describe.each(VENUES.filter((venue) => factsOf(venue).listsNoPayments === true))('funding at %s', (venue) => {
  it('is booked by nobody, missed, and found in the wallet to the micro-unit', () => {
    const world = new ConnectorWorld({ venue, scale: SCALE, startAtMs: STARTS_AT_MS, checkIsolation: false }).ready();
    const validUntilMs = world.system.nowMs() + 5_000 * SCALE;
    world.untilStatus(world.place({ validUntilMs }), 'filled');
    world.until('its fill is told', () => world.fills().length > 0);
    const wallet = (): bigint => world.events('account-changed', 'strategy').at(-1)?.walletMicro ?? 0n;
    const explained = world.oracle.openingWalletMicro + (world.oracle.fills[0]?.feeMicro ?? 0n);
    world.until('the fee is paid', () => wallet() === explained);
    const paid = (): bigint => world.oracle.fundingPayments.reduce((sum, { amountMicro }) => sum + amountMicro, 0n);
    world.until('hours have accrued', () => world.oracle.fundingPayments.length >= 3, 60_000);
    expect(paid()).toBeLessThan(0n);
    // What accrues is no cash yet.
    expect(wallet()).toBe(explained);
    world.until('it is cash', () => wallet() !== explained, (12 * HOUR_MS) / SCALE);
    // More may have accrued since; nothing else has moved.
    const sums = world.oracle.fundingPayments.map((_payment, index, all) =>
      all.slice(0, index + 1).reduce((sum, { amountMicro }) => sum + amountMicro, 0n),
    );
    expect(sums).toContain(wallet() - explained);
    expect(world.events('funding-paid')).toEqual([]);
    expect(world.inspect().digest).not.toMatchObject({ paymentsExpected: 0 });
  });

  it('is what the doctor warns of', () => {
    const { options, secrets } = accountOf(venue);
    const urls = { restUrl: 'http://127.0.0.1:1', streamUrl: 'ws://127.0.0.1:1' };
    const adapter = openVenue(venueOf(venue).venue, { account: 'main', ...urls, options, secrets, calendarScale: 1 });
    expect(adapter.keyCaution).toContain('lists no funding payments');
  });
});
